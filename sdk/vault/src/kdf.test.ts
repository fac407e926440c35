import { argon2Sync } from 'node:crypto';
import { describe, expect, test } from 'bun:test';
import { VaultError } from './errors.ts';
import { masterKey, passwordKeys } from './kdf.ts';

const salt = Uint8Array.from({ length: 16 }, (_, index) => index);
const password = 'correct horse battery staple';

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);

describe('Argon2id', () => {
  // RFC 9106, section 5.3. It has a secret and associated data, which the derivation here has no use for, so it proves
  // the runtime's implementation, and that one is the judge of ours.
  test("the runtime's implementation gives the tag of RFC 9106", () => {
    const tag = argon2Sync('argon2id', {
      message: bytes(32, 1),
      nonce: bytes(16, 2),
      secret: bytes(8, 3),
      associatedData: bytes(12, 4),
      memory: 32,
      passes: 3,
      parallelism: 4,
      tagLength: 32,
    });
    expect(tag.toString('hex')).toBe('0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659');
  });

  test.each([
    [1, 65_536, 3, '853b272a44db1421c02962669a55eb0994f3cab385ed1c4c79253eee19bab49e'],
    [2, 32_768, 6, '8f1d56e4d56c66033327eeb65d66457f1124563240c63c120706ce9630784256'],
  ])('kdfId %d keeps its parameters for ever', async (kdfId, memory, passes, frozen) => {
    const derived = Buffer.from(await masterKey(password, salt, kdfId)).toString('hex');
    const judge = argon2Sync('argon2id', {
      message: password,
      nonce: salt,
      memory,
      passes,
      parallelism: 4,
      tagLength: 32,
    });
    expect(derived).toBe(frozen);
    expect(derived).toBe(judge.toString('hex'));
  });

  test('one password has one key, however its letters are composed', async () => {
    expect(await masterKey('zo\u0065\u0301 \ufb01sh', salt, 1)).toEqual(await masterKey('zo\u00e9 fish', salt, 1));
  });

  test.each([
    ['an unknown id', 3, 16],
    ['id 0', 0, 16],
    ['a fraction', 1.5, 16],
    ['a short salt', 1, 8],
    ['no salt', 1, 0],
  ])('refuses %s from the server', async (_, kdfId, length) => {
    const attempt = masterKey(password, new Uint8Array(length), kdfId);
    expect(await attempt.catch((error: unknown) => error)).toMatchObject({ code: 'kdf_unknown' });
  });

  test('an empty password is refused before anything is derived', async () => {
    expect(await passwordKeys('', salt, 1).catch((error: unknown) => error)).toBeInstanceOf(VaultError);
  });

  test('what is sent and what wraps are different keys, and the wrapping one can not be read out', async () => {
    const { authKey, wrapKey } = await passwordKeys(password, salt, 1);
    expect(authKey).toHaveLength(32);
    expect(Buffer.from(authKey).toString('hex')).not.toBe(
      '853b272a44db1421c02962669a55eb0994f3cab385ed1c4c79253eee19bab49e',
    );
    expect(wrapKey.extractable).toBe(false);
  });
});
