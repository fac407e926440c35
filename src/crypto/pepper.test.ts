import { describe, expect, test } from 'bun:test';
import { toBase64Url } from './base64url.ts';
import { randomBytes, utf8 } from './bytes.ts';
import { openEnvelope, sealEnvelope } from './envelope.ts';
import {
  addEpoch,
  createPepper,
  dropEpoch,
  formatPepper,
  makeCurrent,
  parsePepper,
  PepperError,
  type Pepper,
  type PepperKind,
} from './pepper.ts';

const kinds: readonly PepperKind[] = ['uvk', 'verifier', 'share', 'connection', 'reply', 'totp', 'webhook'];
const context = utf8('context');

/** Whether what one key seals, the other opens. */
async function same(one: CryptoKey, other: CryptoKey): Promise<boolean> {
  const envelope = await sealEnvelope(one, context, utf8('x'));
  return openEnvelope(other, context, envelope).then(
    () => true,
    () => false,
  );
}

function edited(pepper: Pepper, changes: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(formatPepper(pepper)), ...changes });
}

describe('the file', () => {
  test('there and back', async () => {
    const pepper = addEpoch(createPepper());
    const read = parsePepper(formatPepper(pepper));
    expect(formatPepper(read)).toBe(formatPepper(pepper));
    expect([read.current, read.epochs]).toEqual([1, [1, 2]]);
    expect(await read.checkValue(2)).toEqual(await pepper.checkValue(2));
    expect(await read.unknownSalt('a@b.example')).toEqual(await pepper.unknownSalt('a@b.example'));
    expect(await read.auditDigest(utf8('x'))).toEqual(await pepper.auditDigest(utf8('x')));
  });

  test('its form is fixed', () => {
    const text = formatPepper(createPepper());
    const names = ['v', 'current', 'epochs', 'unknownEmailSalt', 'auditChain'];
    expect(Object.keys(JSON.parse(text))).toEqual(names);
    expect(text.endsWith('}\n')).toBe(true);
  });

  test('every new one is another', () => {
    expect(formatPepper(createPepper())).not.toBe(formatPepper(createPepper()));
  });

  const epoch = toBase64Url(randomBytes(32));
  test.each<[string, Record<string, unknown>]>([
    ['another version', { v: 2 }],
    ['an unknown member', { comment: 'x' }],
    ['no current epoch', { current: undefined }],
    ['a current epoch that is not there', { current: 2 }],
    ['a current epoch that is text', { current: '1' }],
    ['no epochs', { epochs: {} }],
    ['epochs in a list', { epochs: [epoch] }],
    ['epoch 0', { current: 0, epochs: { 0: epoch } }],
    ['an epoch written otherwise', { epochs: { '01': epoch, 1: toBase64Url(randomBytes(32)) } }],
    ['a secret that is missing', { auditChain: undefined }],
    ['a secret that is not text', { auditChain: 1 }],
    ['a secret that is not base64url', { auditChain: '?' }],
    ['a short secret', { auditChain: toBase64Url(randomBytes(31)) }],
    ['a long secret', { auditChain: toBase64Url(randomBytes(33)) }],
    ['a secret of zeros', { unknownEmailSalt: toBase64Url(new Uint8Array(32)) }],
    ['a secret of one byte', { epochs: { 1: toBase64Url(new Uint8Array(32).fill(0xa5)) } }],
    ['a secret of one word', { epochs: { 1: toBase64Url(utf8('changeme'.repeat(4))) } }],
    ['a secret that counts', { epochs: { 1: toBase64Url(Uint8Array.from({ length: 32 }, (_, index) => index)) } }],
    ['one secret twice', { unknownEmailSalt: epoch, auditChain: epoch }],
  ])('is refused with %s', (_, changes) => {
    expect(() => parsePepper(edited(createPepper(), changes))).toThrow(PepperError);
  });

  test('is refused if it is not an object in JSON, without quoting it', () => {
    for (const text of ['', 'secret text', '{', 'null', '[]', '"x"']) {
      expect(() => parsePepper(text)).toThrow(PepperError);
      expect(() => parsePepper(text)).not.toThrow('secret');
    }
  });

  test('an error never holds a secret', () => {
    const pepper = createPepper();
    const secret = toBase64Url(randomBytes(33));
    expect(() => parsePepper(edited(pepper, { auditChain: secret }))).not.toThrow(secret);
    expect(() => parsePepper(edited(pepper, { auditChain: `${secret}=` }))).not.toThrow(secret);
  });

  test('inspecting or serialising a pepper shows no secret', async () => {
    const pepper = createPepper();
    await pepper.key(1, 'uvk');
    const secrets = [...formatPepper(pepper).matchAll(/"([\w-]{43})"/g)].map((match) => match[1] ?? '');
    expect(secrets).toHaveLength(3);
    const shown = `${JSON.stringify(pepper)} ${Bun.inspect(pepper, { depth: 10 })}`;
    for (const secret of secrets) expect(shown).not.toContain(secret);
    expect(JSON.stringify(pepper)).toBe('{"current":1,"epochs":[1]}');
  });
});

describe('keys', () => {
  test('each kind and epoch has its own, and always the same', async () => {
    const pepper = addEpoch(createPepper());
    const keys = await Promise.all(pepper.epochs.flatMap((epoch) => kinds.map((kind) => pepper.key(epoch, kind))));
    for (const [index, key] of keys.entries()) {
      expect(key.extractable).toBe(false);
      for (const [otherIndex, other] of keys.entries()) expect(await same(key, other)).toBe(index === otherIndex);
    }
    expect(await pepper.key(1, 'uvk')).toBe(await pepper.key(1, 'uvk'));
    expect(await same(await pepper.key(2, 'totp'), await parsePepper(formatPepper(pepper)).key(2, 'totp'))).toBe(true);
  });

  test('an epoch that is not there has none', async () => {
    const refused: unknown = await createPepper()
      .key(2, 'uvk')
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PepperError);
    const unchecked: unknown = await createPepper()
      .checkValue(2)
      .catch((error: unknown) => error);
    expect(unchecked).toBeInstanceOf(PepperError);
  });

  test('check values tell peppers and epochs apart', async () => {
    const pepper = addEpoch(createPepper());
    const values = [await pepper.checkValue(1), await pepper.checkValue(2), await createPepper().checkValue(1)];
    expect(new Set(values.map(toBase64Url)).size).toBe(3);
    expect(formatPepper(pepper)).not.toContain(toBase64Url(await pepper.checkValue(1)));
  });
});

describe('rotation', () => {
  test('add, make current, drop: no step changes the pepper that it was given', async () => {
    const first = createPepper();
    const before = formatPepper(first);
    const second = addEpoch(first);
    const third = makeCurrent(second, 2);
    const last = dropEpoch(third, 1);
    expect([first, second, third, last].map(({ current, epochs }) => [current, epochs])).toEqual([
      [1, [1]],
      [1, [1, 2]],
      [2, [1, 2]],
      [2, [2]],
    ]);
    expect(formatPepper(first)).toBe(before);
    expect(await last.checkValue(2)).toEqual(await second.checkValue(2));
    expect(await last.unknownSalt('a@b.example')).toEqual(await first.unknownSalt('a@b.example'));
    expect(await last.auditDigest(utf8('x'))).toEqual(await first.auditDigest(utf8('x')));
    expect(addEpoch(last).epochs).toEqual([2, 3]);
  });

  test('refuses what would lose the way', () => {
    const pepper = addEpoch(createPepper());
    expect(() => dropEpoch(pepper, 1)).toThrow(PepperError);
    expect(() => dropEpoch(pepper, 3)).toThrow(PepperError);
    expect(() => makeCurrent(pepper, 3)).toThrow(PepperError);
  });
});

describe('unknown e-mails', () => {
  test('get one answer each, for ever', async () => {
    const pepper = createPepper();
    const one = await pepper.unknownSalt('a@b.example');
    expect(one.salt16).toHaveLength(16);
    expect(await pepper.unknownSalt('a@b.example')).toEqual(one);
    expect((await pepper.unknownSalt('c@b.example')).salt16).not.toEqual(one.salt16);
    expect((await createPepper().unknownSalt('a@b.example')).salt16).not.toEqual(one.salt16);
  });

  test('have the derivations in the proportion of real ones', async () => {
    const pepper = createPepper();
    const emails = Array.from({ length: 2000 }, (_, index) => `${index}@b.example`);
    const count = async (share: number) => {
      const answers = await Promise.all(emails.map((email) => pepper.unknownSalt(email, share)));
      return answers.filter(({ kdfId }) => kdfId === 2).length;
    };
    expect(await count(0)).toBe(0);
    expect(await count(1)).toBe(2000);
    // The chance of a count outside these bounds is below 10⁻¹².
    const quarter = await count(0.25);
    expect(quarter).toBeGreaterThan(350);
    expect(quarter).toBeLessThan(650);
  });
});
