import type { Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';

const canonical = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const nil = '00000000-0000-0000-0000-000000000000';

/** A random UUID (version 4, RFC 9562) in canonical form: lower case, with hyphens. */
export function newUuid(): string {
  return crypto.randomUUID();
}

/** Whether a value is a UUID as KeyPass writes them: canonical, any version, not the nil UUID. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && canonical.test(value) && value !== nil;
}

/**
 * The 16 raw bytes of a canonical UUID. Other spellings are refused (CryptoError), and so is the nil UUID: its bytes
 * say "no app" in an envelope's context.
 */
export function uuidToBytes(uuid: string): Bytes {
  if (!isUuid(uuid)) throw new CryptoError('not a canonical UUID');
  const digits = uuid.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, index) => Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16));
}
