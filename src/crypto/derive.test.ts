import { describe, expect, test } from 'bun:test';
import { toBase64Url } from './base64url.ts';
import { type Bytes } from './bytes.ts';
import { deriveKey, hkdf, sealingKey } from './derive.ts';
import { openEnvelope, sealEnvelope } from './envelope.ts';
import { CryptoError } from './errors.ts';
import { authKeyOf, isKdfId, kdfs, recoveryAuthOf, recoveryWrapOf, wrapKeyOf } from './kdf.ts';

const counter = Uint8Array.from({ length: 32 }, (_, index) => index);

function hex(text: string): Bytes {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

function range(from: number, to: number): Bytes {
  return Uint8Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Why a promise was refused; undefined if it was not. */
function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

describe('HKDF-SHA-256', () => {
  // RFC 5869, appendix A: what the runtime's Web Crypto must give before anything is built on it.
  const cases = [
    {
      ikm: new Uint8Array(22).fill(0x0b),
      salt: range(0x00, 0x0c),
      info: range(0xf0, 0xf9),
      okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    },
    {
      ikm: range(0x00, 0x4f),
      salt: range(0x60, 0xaf),
      info: range(0xb0, 0xff),
      okm:
        'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09' +
        'da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    },
    {
      ikm: new Uint8Array(22).fill(0x0b),
      salt: new Uint8Array(0),
      info: new Uint8Array(0),
      okm: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    },
  ];

  test.each([1, 2, 3])('RFC 5869, test case %d', async (number) => {
    const vector = cases[number - 1];
    if (vector === undefined) throw new Error('no such case');
    const key = await crypto.subtle.importKey('raw', vector.ikm, 'HKDF', false, ['deriveBits']);
    const parameters = { name: 'HKDF', hash: 'SHA-256', salt: vector.salt, info: vector.info };
    const output = await crypto.subtle.deriveBits(parameters, key, hex(vector.okm).length * 8);
    expect(Buffer.from(output).toString('hex')).toBe(vector.okm);
  });

  test('hkdf has an empty salt and the info keypass/v1/<use>', async () => {
    // Computed apart, with Python's hmac.
    const expected = '9d2f621431eaf06f3d96beb4b79aa400452b028d6ebf7953eb1778566b4e53be';
    expect(Buffer.from(await hkdf(counter, 'access/lookup')).toString('hex')).toBe(expected);
  });

  test('refuses a secret that is empty or short', async () => {
    expect(await refusal(hkdf(new Uint8Array(0), 'access/lookup'))).toBeInstanceOf(CryptoError);
    expect(await refusal(hkdf(counter.subarray(0, 15), 'access/lookup'))).toBeInstanceOf(CryptoError);
  });
});

describe('sealing keys', () => {
  test('are not extractable and only sign', async () => {
    const key = await sealingKey(counter);
    expect(key.extractable).toBe(false);
    expect(key.usages).toEqual(['sign']);
    expect(await refusal(crypto.subtle.exportKey('raw', key))).toBeInstanceOf(Error);
  });

  test('have exactly 32 bytes', async () => {
    expect(await refusal(sealingKey(new Uint8Array(31)))).toBeInstanceOf(CryptoError);
    expect(await refusal(sealingKey(new Uint8Array(33)))).toBeInstanceOf(CryptoError);
  });

  test('leave the bytes that they are made of alone, so that the caller decides when to zero them', async () => {
    const bytes = new Uint8Array(counter);
    const key = await sealingKey(bytes);
    expect(bytes).toEqual(counter);
    bytes.fill(0);
    const envelope = await sealEnvelope(key, new Uint8Array(0), Uint8Array.of(7));
    expect(await openEnvelope(await sealingKey(counter), new Uint8Array(0), envelope)).toEqual(Uint8Array.of(7));
  });

  test('deriveKey is sealingKey of hkdf', async () => {
    const envelope = await sealEnvelope(await deriveKey(counter, 'device/wrap'), new Uint8Array(0), counter);
    const same = await sealingKey(await hkdf(counter, 'device/wrap'));
    expect(await openEnvelope(same, new Uint8Array(0), envelope)).toEqual(counter);
  });
});

describe('what a password and a recovery code give', () => {
  test('four different values, each of its own use', async () => {
    expect(await authKeyOf(counter)).toEqual(await hkdf(counter, 'password/auth'));
    expect(await recoveryAuthOf(counter)).toEqual(await hkdf(counter, 'recovery/auth'));
    const uses = ['password/auth', 'password/wrap', 'recovery/auth', 'recovery/wrap'];
    const values = await Promise.all(uses.map(async (use) => toBase64Url(await hkdf(counter, use))));
    expect(new Set(values).size).toBe(4);
  });

  test('the wrapping keys open what the named use sealed', async () => {
    const context = Uint8Array.of(1);
    const byPassword = await sealEnvelope(await wrapKeyOf(counter), context, counter);
    const byCode = await sealEnvelope(await recoveryWrapOf(counter), context, counter);
    expect(await openEnvelope(await deriveKey(counter, 'password/wrap'), context, byPassword)).toEqual(counter);
    expect(await openEnvelope(await deriveKey(counter, 'recovery/wrap'), context, byCode)).toEqual(counter);
  });

  test('the list of derivations is frozen', () => {
    expect(kdfs).toEqual({
      1: { memoryKiB: 65536, passes: 3, lanes: 4 },
      2: { memoryKiB: 32768, passes: 6, lanes: 4 },
    });
    expect([0, 1, 2, 3, '1', null].map(isKdfId)).toEqual([false, true, true, false, false, false]);
  });
});
