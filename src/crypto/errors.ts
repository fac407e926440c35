/**
 * Something sealed, encoded or signed was refused. The message names the form that was expected and never a value;
 * whatever does not open (wrong key, wrong row, changed bytes, another version) gets one and the same message.
 */
export class CryptoError extends Error {
  override readonly name = 'CryptoError';
}
