/** A certificate for tests of TLS, signed by itself: whoever takes it as an authority trusts it for its name. */
export interface TestCertificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

const oid = {
  commonName: [0x55, 0x04, 0x03],
  subjectAltName: [0x55, 0x1d, 0x11],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
};

/** An X.509 certificate (RFC 5280) on P-256, good from 2020 to 2049. */
export async function createCertificate(dnsName: string): Promise<TestCertificate> {
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  const keys = await crypto.subtle.generateKey(curve, true, ['sign', 'verify']);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('spki', keys.publicKey));
  const algorithm = sequence(der(0x06, oid.ecdsaWithSha256));
  const name = sequence(der(0x31, sequence(der(0x06, oid.commonName), der(0x0c, ascii(dnsName)))));
  const validity = sequence(der(0x17, ascii('200101000000Z')), der(0x17, ascii('491231235959Z')));
  const names = sequence(der(0x82, ascii(dnsName)));
  const extensions = der(0xa3, sequence(sequence(der(0x06, oid.subjectAltName), der(0x04, names))));
  const version = der(0xa0, der(0x02, [2]));
  const content = sequence(version, der(0x02, [1]), algorithm, name, validity, name, [...publicKey], extensions);
  const signature = await crypto.subtle.sign(
    { name: 'ECDSA', hash: 'SHA-256' },
    keys.privateKey,
    Uint8Array.from(content),
  );
  const certificate = sequence(content, algorithm, der(0x03, [0, ...signatureOf(new Uint8Array(signature))]));
  const key = new Uint8Array(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { cert: pem('CERTIFICATE', certificate), key: pem('PRIVATE KEY', key) };
}

/** Web Crypto gives r and s side by side, X.509 wants two integers. */
function signatureOf(raw: Uint8Array): number[] {
  return sequence(integer(raw.slice(0, 32)), integer(raw.slice(32)));
}

function integer(bytes: Uint8Array): number[] {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = Array.from(bytes.subarray(first));
  return der(0x02, (digits[0] ?? 0) > 0x7f ? [0, ...digits] : digits);
}

function sequence(...parts: readonly number[][]): number[] {
  return der(0x30, parts.flat());
}

/** One element of DER: tag, length, content. */
function der(tag: number, content: readonly number[]): number[] {
  const { length } = content;
  if (length < 0x80) return [tag, length, ...content];
  return length < 0x100 ? [tag, 0x81, length, ...content] : [tag, 0x82, length >> 8, length & 0xff, ...content];
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function pem(label: string, bytes: Iterable<number>): string {
  const lines = Buffer.from([...bytes])
    .toString('base64')
    .replaceAll(/.{64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
