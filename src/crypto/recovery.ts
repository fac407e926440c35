/**
 * The recovery code: 160 random bits in Crockford's base32 (https://www.crockford.com/base32.html, no check symbol),
 * written in eight groups of four.
 */
import { randomBytes, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const codeLength = 20;
const symbols = (codeLength * 8) / 5;

const values = new Map(Array.from(alphabet, (symbol, value) => [symbol, value]));

/** A new code, such as `7ZK3-…` (eight groups). */
export function createRecoveryCode(): string {
  return formatRecoveryCode(randomBytes(codeLength));
}

/** The 20 bytes of a code as a person reads them. */
export function formatRecoveryCode(code: Uint8Array): string {
  if (code.length !== codeLength) throw new CryptoError('a recovery code has 20 bytes');
  let text = '';
  let bits = 0;
  let pending = 0;
  for (const byte of code) {
    pending = ((pending << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet.charAt((pending >> bits) & 31);
    }
  }
  return text.replaceAll(/.{4}(?=.)/g, '$&-');
}

/**
 * The 20 bytes of a code as a person types it: either case, I and L for 1, O for 0, white space and dashes anywhere.
 * Anything else is refused (CryptoError).
 */
export function parseRecoveryCode(text: string): Bytes {
  const typed = text
    .replaceAll(/[\s\p{Dash_Punctuation}]/gu, '')
    .replaceAll(/[a-z]/g, (letter) => letter.toUpperCase())
    .replaceAll(/[IL]/g, '1')
    .replaceAll('O', '0');
  if (typed.length !== symbols) throw new CryptoError('a recovery code has 32 letters and digits');
  const code = new Uint8Array(codeLength);
  let length = 0;
  let bits = 0;
  let pending = 0;
  for (const symbol of typed) {
    const value = values.get(symbol);
    if (value === undefined) throw new CryptoError('a recovery code has digits and letters other than U');
    pending = ((pending << 5) | value) & 0xffff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      code[length++] = pending >> bits;
    }
  }
  return code;
}
