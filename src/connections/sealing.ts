import { CryptoError } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';

/** Whether a failure means that a blob does not open under what its row says. */
export function isUnopened(error: unknown): boolean {
  return error instanceof CryptoError;
}

/** The end of an attempt to open what is stored: what does not open was not sealed so by the owner. */
export function tamperedWhereUnopened(error: unknown): never {
  if (!isUnopened(error)) throw error;
  const message = 'What is stored of this connection is not what its owner sealed. The owner must approve a new one.';
  throw new KeyPassError('connection_tampered', message);
}
