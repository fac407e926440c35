import { hash } from 'node:crypto';

/**
 * SHA-256 of a text's UTF-8, in base64url. Web Crypto gives its digests in a turn of the event loop of their own, and to
 * take a call up again there costs several times what the digest does.
 */
export function digestOf(text: string): string {
  return hash('sha256', text, 'base64url');
}
