/**
 * The public vectors of the Wycheproof project (Apache-2.0), on the primitives as the kernel uses them. They are not part
 * of this repository: KEYPASS_VECTORS names the folder that holds them.
 */
import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { concat, equalBytes, type Bytes } from './bytes.ts';
import { expand, sealingKey } from './derive.ts';
import { openEnvelope } from './envelope.ts';

interface Vector {
  tcId: number;
  key: string;
  msg: string;
  ct: string;
  tag: string;
  iv: string;
  aad: string;
  ikm: string;
  salt: string;
  info: string;
  size: number;
  okm: string;
  ctx: string;
  msgLength: number;
  msgSha512: string;
  result: 'valid' | 'invalid';
}

interface Group {
  ivSize: number;
  keySize: number;
  tagSize: number;
  tests: Vector[];
}

const folder = process.env['KEYPASS_VECTORS'] ?? join(import.meta.dir, '../../../shared/vectors/wycheproof');
const present = existsSync(folder);

function vectors(use: string, name: string, run: (groups: Group[]) => Promise<void>): void {
  const title = present
    ? `${use}: ${name}`
    : `${use}: ${name} (skipped: set KEYPASS_VECTORS to a folder of Wycheproof's testvectors_v1)`;
  test.skipIf(!present)(title, async () => {
    const file: { testGroups: Group[] } = await Bun.file(join(folder, name)).json();
    await run(file.testGroups);
  });
}

/** The ids whose outcome differs from the published one: none, out of at least `least`. */
async function expectAll(tests: Vector[], least: number, accepts: (vector: Vector) => Promise<boolean>): Promise<void> {
  const wrong: number[] = [];
  for (const vector of tests) {
    const accepted = await accepts(vector).catch(() => false);
    if (accepted !== (vector.result === 'valid')) wrong.push(vector.tcId);
  }
  expect(tests.length).toBeGreaterThanOrEqual(least);
  expect(wrong).toEqual([]);
}

function hex(text: string): Bytes {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

async function hkdfBits(hash: string, { ikm, salt, info, size }: Vector): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', hex(ikm), 'HKDF', false, ['deriveBits']);
  const parameters = { name: 'HKDF', hash, salt: hex(salt), info: hex(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, size * 8));
}

async function hmac(hash: string, secret: Bytes, message: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, message));
}

describe('Wycheproof', () => {
  vectors('the envelope', 'c2sp_chunked_encryption_aes_256_gcm_test.json', async (groups) => {
    const tests = groups.flatMap((group) => group.tests);
    await expectAll(tests, 35, async (vector) => {
      const key = await sealingKey(hex(vector.key));
      const envelope = concat(Uint8Array.of(1), inflateSync(hex(vector.ct)));
      const plaintext = await openEnvelope(key, hex(vector.ctx), envelope);
      const digest = Buffer.from(await crypto.subtle.digest('SHA-512', plaintext)).toString('hex');
      return plaintext.length === vector.msgLength && digest === vector.msgSha512;
    });
  });

  vectors('AES-256-GCM', 'aes_gcm_test.json', async (groups) => {
    const used = groups.filter((group) => group.keySize === 256 && group.ivSize === 96 && group.tagSize === 128);
    const tests = used.flatMap((group) => group.tests);
    await expectAll(tests, 60, async ({ key, iv, aad, msg, ct, tag }) => {
      const aes = await crypto.subtle.importKey('raw', hex(key), 'AES-GCM', false, ['encrypt', 'decrypt']);
      const parameters = { name: 'AES-GCM', iv: hex(iv), additionalData: hex(aad) };
      const opened = await crypto.subtle.decrypt(parameters, aes, hex(ct + tag));
      const sealed = await crypto.subtle.encrypt(parameters, aes, hex(msg));
      return equalBytes(new Uint8Array(opened), hex(msg)) && equalBytes(new Uint8Array(sealed), hex(ct + tag));
    });
  });

  for (const [name, hash] of [
    ['hkdf_sha256_test.json', 'SHA-256'],
    ['hkdf_sha512_test.json', 'SHA-512'],
  ] as const) {
    vectors(`HKDF-${hash}`, name, async (groups) => {
      const tests = groups.flatMap((group) => group.tests);
      await expectAll(tests, 80, async (vector) => equalBytes(await hkdfBits(hash, vector), hex(vector.okm)));
    });
  }

  vectors('Expand of the kernel', 'hkdf_sha512_test.json', async (groups) => {
    // The kernel's own Expand gives two blocks: enough for every vector of up to 128 bytes.
    const short = groups.flatMap((group) => group.tests).filter(({ size }) => size <= 128);
    await expectAll(short, 40, async ({ ikm, salt, info, size, okm }) => {
      const prk = await hmac('SHA-512', salt === '' ? new Uint8Array(64) : hex(salt), hex(ikm));
      const key = await crypto.subtle.importKey('raw', prk, { name: 'HMAC', hash: 'SHA-512' }, false, ['sign']);
      return equalBytes((await expand(key, hex(info))).subarray(0, size), hex(okm));
    });
  });

  vectors('HMAC-SHA-256', 'hmac_sha256_test.json', async (groups) => {
    for (const { tagSize, tests } of groups) {
      await expectAll(tests, 1, async ({ key, msg, tag }) => {
        const whole = await hmac('SHA-256', hex(key), hex(msg));
        return equalBytes(whole.subarray(0, tagSize / 8), hex(tag));
      });
    }
  });
});
