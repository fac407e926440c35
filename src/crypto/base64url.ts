import type { Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const decoder = new TextDecoder();
const values = new Map(Array.from(alphabet, (digit, value) => [digit, value]));

/** base64url without padding (RFC 4648, section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  // As bytes first: a text that grows digit by digit leaves dozens of strings behind.
  const text = new Uint8Array(Math.ceil((bytes.length * 4) / 3));
  let length = 0;
  let bits = 0;
  let pending = 0;
  for (const byte of bytes) {
    pending = ((pending << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text[length++] = alphabet.charCodeAt((pending >> bits) & 63);
    }
  }
  if (bits > 0) text[length] = alphabet.charCodeAt((pending << (6 - bits)) & 63);
  return decoder.decode(text);
}

/**
 * Bytes from base64url. Every byte string has one form only: padding, white space, the `+` and `/` of plain base64,
 * impossible lengths and unused bits that are not zero are refused (CryptoError).
 */
export function fromBase64Url(text: string): Bytes {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let length = 0;
  let bits = 0;
  let pending = 0;
  for (const digit of text) {
    const value = values.get(digit);
    if (value === undefined) throw new CryptoError('not base64url');
    pending = ((pending << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[length++] = pending >> bits;
    }
  }
  const unused = pending & ((1 << bits) - 1);
  if (bits === 6 || unused !== 0) throw new CryptoError('not canonical base64url');
  return bytes;
}
