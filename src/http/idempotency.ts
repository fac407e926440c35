import { KeyPassError } from '../errors.ts';

/** The `Idempotency-Key` of a request, if it has one. */
export function idempotencyKeyOf(request: Request): string | null {
  const key = request.headers.get('idempotency-key');
  if (key === null || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new KeyPassError('invalid_request', 'Idempotency-Key must be 1 to 255 visible ASCII characters.', {
    param: 'idempotency-key',
  });
}
