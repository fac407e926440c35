/**
 * Tokens: a prefix that secret scanners know, 256 random bits, and a checksum so that a typo fails at once.
 *
 *     prefix ‖ 43 base62 digits of 32 bytes ‖ 6 base62 digits of the CRC-32 of what stands before
 *
 * Base62 is 0-9A-Za-z, big-endian, padded with zeros; a value of 2²⁵⁶ or more is refused.
 */
import { randomBytes, utf8, zero, type Bytes } from './bytes.ts';
import { deriveKey, hkdf } from './derive.ts';
import { CryptoError } from './errors.ts';

const tokenKinds = [
  'clientId',
  'clientSecret',
  'link',
  'public',
  'access',
  'session',
  'invitation',
  'webhookSecret',
] as const;

export type TokenKind = (typeof tokenKinds)[number];

/** Each kind's prefix, and the name it has in key derivation. */
const kinds: Readonly<Record<TokenKind, { prefix: string; use: string }>> = {
  clientId: { prefix: 'kp_cid_', use: 'client' },
  clientSecret: { prefix: 'kp_cs_', use: 'secret' },
  link: { prefix: 'kp_lt_', use: 'link' },
  public: { prefix: 'kp_pt_', use: 'public' },
  access: { prefix: 'kp_at_', use: 'access' },
  session: { prefix: 'kp_ss_', use: 'session' },
  invitation: { prefix: 'kp_in_', use: 'invitation' },
  webhookSecret: { prefix: 'kp_wh_', use: 'webhook' },
};

/** What a token's key can seal: only two kinds of tokens carry keys. */
export interface TokenUses {
  access: 'access/wrap';
  public: 'public/wrap' | 'public/reply';
}

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const values = new Map(Array.from(digits, (digit, value) => [digit, value]));
const tokenLength = 32;
const bodyDigits = 43;
const checksumDigits = 6;

/** A new random token. */
export function createToken(kind: TokenKind): string {
  const bytes = randomBytes(tokenLength);
  const token = tokenFromBytes(kind, bytes);
  zero(bytes);
  return token;
}

/** The token of 32 bytes. */
export function tokenFromBytes(kind: TokenKind, bytes: Uint8Array): string {
  if (bytes.length !== tokenLength) throw new CryptoError('a token has 32 bytes');
  const signed = kinds[kind].prefix + toBase62(bytes);
  return signed + checksum(signed);
}

/** The 32 bytes of a token. Throws CryptoError unless it is exactly a token of that kind. */
export function parseToken(kind: TokenKind, text: string): Bytes {
  const { prefix } = kinds[kind];
  const end = prefix.length + bodyDigits;
  const signed = text.slice(0, end);
  const bytes = text.startsWith(prefix) ? fromBase62(signed.slice(prefix.length)) : undefined;
  // The checksum is no secret: comparing it needs no care for time.
  if (bytes === undefined || text.slice(end) !== checksum(signed)) throw new CryptoError('not a token of this kind');
  return bytes;
}

/** The kind that a text's prefix names, whether or not the rest is a token. */
export function tokenKind(text: string): TokenKind | undefined {
  return tokenKinds.find((kind) => text.startsWith(kinds[kind].prefix));
}

/**
 * What the server stores and finds a token by: 32 bytes from which the token cannot be had, without a pepper, since
 * 256 random bits need none. Throws CryptoError unless the text is a token of that kind.
 */
export async function lookupOf(kind: TokenKind, text: string): Promise<Bytes> {
  const bytes = parseToken(kind, text);
  try {
    return await hkdf(bytes, `${kinds[kind].use}/lookup`);
  } finally {
    zero(bytes);
  }
}

/** The sealing key that a token carries for one use. Throws CryptoError unless the text is a token of that kind. */
export async function tokenKey<K extends keyof TokenUses>(
  kind: K,
  text: string,
  use: TokenUses[K],
): Promise<CryptoKey> {
  const bytes = parseToken(kind, text);
  try {
    return await deriveKey(bytes, use);
  } finally {
    zero(bytes);
  }
}

function toBase62(bytes: Uint8Array): string {
  const number = [...bytes];
  let text = '';
  for (let position = 0; position < bodyDigits; position++) {
    let remainder = 0;
    for (const [index, byte] of number.entries()) {
      const value = remainder * 256 + byte;
      number[index] = Math.floor(value / 62);
      remainder = value % 62;
    }
    text = digits.charAt(remainder) + text;
  }
  return text;
}

function fromBase62(text: string): Bytes | undefined {
  if (text.length !== bodyDigits) return undefined;
  const bytes = new Uint8Array(tokenLength);
  for (const digit of text) {
    const value = values.get(digit);
    if (value === undefined) return undefined;
    let carry = value;
    for (let index = tokenLength - 1; index >= 0; index--) {
      carry += (bytes[index] ?? 0) * 62;
      bytes[index] = carry & 0xff;
      carry >>= 8;
    }
    if (carry !== 0) return undefined;
  }
  return bytes;
}

function checksum(text: string): string {
  let rest = crc32(utf8(text));
  let encoded = '';
  for (let position = 0; position < checksumDigits; position++) {
    encoded = digits.charAt(rest % 62) + encoded;
    rest = Math.floor(rest / 62);
  }
  return encoded;
}

/** CRC-32 as in IEEE 802.3 and zlib: reflected polynomial 0xEDB88320, inverted at both ends. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
