import { utf8 } from '../crypto/index.ts';

/**
 * The `KeyPass-Signature` of a body: `t=<seconds>,v1=<hex>`, one `v1` for each secret that is live. What is signed is
 * `<t>.<body>` by HMAC-SHA-256 under the secret as it is written, so that an old delivery cannot be sent again as new.
 */
export async function signatureOf(secrets: readonly string[], body: string, now: Date): Promise<string> {
  const t = Math.floor(now.getTime() / 1000);
  const message = utf8(`${t}.${body}`);
  const signatures = await Promise.all(secrets.map((secret) => hmac(secret, message)));
  return [`t=${t}`, ...signatures.map((signature) => `v1=${signature}`)].join(',');
}

async function hmac(secret: string, message: Uint8Array<ArrayBuffer>): Promise<string> {
  const key = await crypto.subtle.importKey('raw', utf8(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const digest = new Uint8Array(await crypto.subtle.sign('HMAC', key, message));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
