import { afterAll, beforeEach, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exists, makeFolder, readSecretFile, writeSecretFile } from './files.ts';

const root = mkdtempSync(join(tmpdir(), 'keypass-files-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, 'test-'));
});

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

test('a secret is written for its owner alone and read back', async () => {
  const path = join(folder, 'secret');
  await writeSecretFile(path, 'first');
  expect(modeOf(path)).toBe(0o600);
  expect(await readSecretFile(path)).toBe('first');
  expect(readdirSync(folder)).toEqual(['secret']);
});

test('the mode does not depend on the umask', async () => {
  const before = process.umask(0);
  try {
    await writeSecretFile(join(folder, 'secret'), 'first');
    await makeFolder(join(folder, 'a', 'b'));
  } finally {
    process.umask(before);
  }
  expect(modeOf(join(folder, 'secret'))).toBe(0o600);
  expect(modeOf(join(folder, 'a'))).toBe(0o700);
  expect(modeOf(join(folder, 'a', 'b'))).toBe(0o700);
});

test('a file that is there is kept unless the caller says replace', async () => {
  const path = join(folder, 'secret');
  await writeSecretFile(path, 'first');
  const refusal = await writeSecretFile(path, 'second').catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(Error);
  expect(String(refusal)).toContain(`${path} exists already`);
  expect(readFileSync(path, 'utf8')).toBe('first');
  await writeSecretFile(path, 'second', { replace: true });
  expect(readFileSync(path, 'utf8')).toBe('second');
  expect(readdirSync(folder)).toEqual(['secret']);
});

test('of many that write at once, one wins and the file is whole', async () => {
  const path = join(folder, 'secret');
  const texts = Array.from({ length: 8 }, (_, index) => String(index).repeat(10_000));
  const results = await Promise.allSettled(texts.map((text) => writeSecretFile(path, text)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(texts).toContain(readFileSync(path, 'utf8'));
});

test('a replaced file gets its mode back', async () => {
  const path = join(folder, 'secret');
  writeFileSync(path, 'loose', { mode: 0o644 });
  await writeSecretFile(path, 'tight', { replace: true });
  expect(modeOf(path)).toBe(0o600);
});

test.each([0o640, 0o604, 0o644, 0o660, 0o610, 0o602])(
  'a secret that others can touch is refused (%o)',
  async (mode) => {
    const path = join(folder, 'secret');
    writeFileSync(path, 'not for you');
    chmodSync(path, mode);
    const refusal = String(await readSecretFile(path).catch((error: unknown) => error));
    expect(refusal).toContain(`chmod 600 ${path}`);
    expect(refusal).toContain(mode.toString(8));
    expect(refusal).not.toContain('not for you');
  },
);

test('exists', async () => {
  expect(await exists(folder)).toBe(true);
  expect(await exists(join(folder, 'nothing'))).toBe(false);
});
