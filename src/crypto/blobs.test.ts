import { describe, expect, test } from 'bun:test';
import { fromBase64Url, toBase64Url } from './base64url.ts';
import { blobFields, contextOf, open, seal, type Label } from './blobs.ts';
import { fromUtf8, utf8, type Bytes } from './bytes.ts';
import { sealingKey } from './derive.ts';
import { CryptoError } from './errors.ts';
import frozen from './frozen.json' with { type: 'json' };

const labels = Object.keys(blobFields).filter(isLabel);
const unopened = new CryptoError('does not open');

function isLabel(name: string): name is Label {
  return Object.hasOwn(blobFields, name);
}

function kindsOf(label: Label): [string, string][] {
  return Object.entries(blobFields[label]);
}

/** Bytes that count up: fixed, and plainly no secret. */
function counting(from: number, length: number): Bytes {
  return Uint8Array.from({ length }, (_, index) => (from + index) & 0xff);
}

function uuidAt(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

function sample(kind: string, number: number): unknown {
  if (kind === 'uuid' || kind === 'app?') return uuidAt(number);
  if (kind === 'int') return number;
  if (kind === 'text') return `text ${number}`;
  return counting(number, kind === 'bytes16' ? 16 : 32);
}

/** The fields of a label, each with a value of its own; `from` shifts them all. */
function sampleFields(label: Label, from: number): Record<string, unknown> {
  return Object.fromEntries(kindsOf(label).map(([name, kind], index) => [name, sample(kind, from + index)]));
}

/** Fields as frozen.json has them: bytes in base64url. */
function fieldsOf(label: Label, given: object): Record<string, unknown> {
  const entries = kindsOf(label).map(([name, kind]): [string, unknown] => {
    const value: unknown = Reflect.get(given, name);
    return [name, kind.startsWith('bytes') && typeof value === 'string' ? fromBase64Url(value) : value];
  });
  return Object.fromEntries(entries);
}

/** What to add to frozen.json for a label that is new: the failing test prints it. */
async function proposal(label: Label): Promise<object> {
  const keyFrom = labels.indexOf(label);
  const fields = sampleFields(label, keyFrom + 1);
  const plaintext = `inside ${label}`;
  const blob = await seal(label, await sealingKey(counting(keyFrom, 32)), fields, utf8(plaintext));
  const written = Object.entries(fields).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? toBase64Url(value) : value,
  ]);
  return { label, version: 1, keyFrom, fields: Object.fromEntries(written), plaintext, blob: toBase64Url(blob) };
}

/** Why a promise was refused; undefined if it was not. */
function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

describe('contexts', () => {
  const user = '11111111-2222-4333-8444-555555555555';

  test('known answers', () => {
    // Computed apart, with Python: label, user, connection, no app, key, version 258, policy hash.
    const grant = {
      user,
      connection: '66666666-7777-4888-9999-aaaaaaaaaaaa',
      app: null,
      key: 'bbbbbbbb-cccc-4ddd-8eee-ffffffffffff',
      version: 258,
      policyHash: counting(0, 32),
    };
    expect(Buffer.from(contextOf('grant', grant)).toString('hex')).toBe(
      '00106b6579706173732f76312f6772616e74' +
        '001011111111222243338444555555555555' +
        '001066666666777748889999aaaaaaaaaaaa' +
        '001000000000000000000000000000000000' +
        '0010bbbbbbbbcccc4ddd8eeeffffffffffff' +
        '00080000000000000102' +
        '0020000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    );
    const item = { user, key: user, provider: 'openai', origin: 'https://bücher.example', version: 1 };
    expect(Buffer.from(contextOf('item', item)).toString('hex')).toBe(
      '000f6b6579706173732f76312f6974656d' +
        '001011111111222243338444555555555555' +
        '001011111111222243338444555555555555' +
        '00066f70656e6169' +
        '001768747470733a2f2f62c3bc636865722e6578616d706c65' +
        '00080000000000000001',
    );
  });

  test('integers are whole u64s', () => {
    const bytes = contextOf('manifest', { user, revision: Number.MAX_SAFE_INTEGER });
    expect(Buffer.from(bytes).toString('hex').slice(-20)).toBe('0008001fffffffffffff');
  });

  test('text cannot move from one field into the next', () => {
    const item = { user, key: user, version: 1 };
    const one = contextOf('item', { ...item, provider: 'ab', origin: 'c' });
    const two = contextOf('item', { ...item, provider: 'a', origin: 'bc' });
    expect(one).not.toEqual(two);
  });

  test.each([
    [
      'uuid',
      [
        '',
        'AAAAAAAA-2222-4333-8444-555555555555',
        '00000000-0000-0000-0000-000000000000',
        null,
        undefined,
        7,
        counting(0, 16),
      ],
    ],
    ['app?', ['', '00000000-0000-0000-0000-000000000000', undefined, 0]],
    ['int', [-1, 0.5, 2 ** 53, Number.NaN, '1', 1n, null, undefined]],
    ['text', ['\uD800', 'x'.repeat(65_536), null, undefined, 1]],
    ['bytes', [new Uint8Array(65_536), 'AA', [1], null, undefined]],
    ['bytes16', [counting(0, 15), counting(0, 17), counting(0, 0)]],
    ['bytes32', [counting(0, 31), counting(0, 33), 'x'.repeat(32)]],
  ])('a malformed %s is refused, naming the field', async (kind, values) => {
    const label = labels.find((candidate) => kindsOf(candidate).some(([, other]) => other === kind));
    if (label === undefined) throw new Error('no label has such a field');
    const [name] = kindsOf(label).find(([, other]) => other === kind) ?? [''];
    const key = await sealingKey(counting(0, 32));
    for (const value of values) {
      const fields = { ...sampleFields(label, 1), [name]: value };
      expect(await refusal(seal(label, key, fields, utf8('x')))).toEqual(
        new CryptoError(`${label}: ${name} is malformed`),
      );
      expect(await refusal(open(label, key, fields, utf8('x')))).toBeInstanceOf(CryptoError);
    }
  });
});

describe('frozen blobs: once sealed, they open for ever', () => {
  test('each label has one', async () => {
    const missing = labels.filter((label) => !frozen.some((entry) => entry.label === label));
    expect(await Promise.all(missing.map(proposal))).toEqual([]);
  });

  test.each(frozen)('$label, version $version', async ({ label, version, keyFrom, fields, plaintext, blob }) => {
    if (!isLabel(label)) throw new Error('a label was removed, but its blobs are still in databases');
    const key = await sealingKey(counting(keyFrom, 32));
    const bytes = fromBase64Url(blob);
    expect(bytes[0]).toBe(version);
    expect(fromUtf8(await open(label, key, fieldsOf(label, fields), bytes))).toBe(plaintext);
  });

  test.each(frozen)('$label does not open with any byte flipped', async ({ label, keyFrom, fields, blob }) => {
    if (!isLabel(label)) throw new Error('unknown label');
    const key = await sealingKey(counting(keyFrom, 32));
    const bytes = fromBase64Url(blob);
    for (const index of bytes.keys()) {
      const flipped = new Uint8Array(bytes);
      flipped[index] = (flipped[index] ?? 0) ^ (1 << (index % 8));
      expect(await refusal(open(label, key, fieldsOf(label, fields), flipped))).toEqual(unopened);
    }
    for (const length of bytes.keys()) {
      expect(await refusal(open(label, key, fieldsOf(label, fields), bytes.subarray(0, length)))).toEqual(unopened);
    }
  });
});

describe('a blob is bound to its row', () => {
  test.each(labels)('%s: no field can be another', async (label) => {
    const key = await sealingKey(counting(0, 32));
    const fields = sampleFields(label, 1);
    const blob = await seal(label, key, fields, utf8('x'));
    expect(await open(label, key, fields, blob)).toEqual(utf8('x'));
    for (const [name, kind] of kindsOf(label)) {
      const others = [sample(kind, 200), ...(kind === 'app?' ? [null] : [])];
      for (const other of others) {
        expect(await refusal(open(label, key, { ...fields, [name]: other }, blob))).toEqual(unopened);
      }
    }
  });

  test.each(labels)('%s: two fields of one kind cannot change places', async (label) => {
    const key = await sealingKey(counting(0, 32));
    const fields = sampleFields(label, 1);
    const blob = await seal(label, key, fields, utf8('x'));
    const kinds = kindsOf(label).map(([name, kind]) => ({ name, kind: kind.replace('app?', 'uuid') }));
    for (const [index, { name, kind }] of kinds.entries()) {
      for (const other of kinds.slice(index + 1).filter((candidate) => candidate.kind === kind)) {
        const swapped = { ...fields, [name]: fields[other.name], [other.name]: fields[name] };
        expect(await refusal(open(label, key, swapped, blob))).toEqual(unopened);
      }
    }
  });

  test('no label can be another, though key and all fields are the same', async () => {
    const key = await sealingKey(counting(0, 32));
    // One value per name, so that labels with the same fields differ in nothing but the label.
    const names = labels.flatMap(kindsOf);
    const fields = Object.fromEntries(names.map(([name, kind], index) => [name, sample(kind, index)]));
    for (const label of labels) {
      const blob = await seal(label, key, fields, utf8('x'));
      for (const other of labels.filter((candidate) => candidate !== label)) {
        expect(await refusal(open(other, key, fields, blob))).toEqual(unopened);
      }
    }
  });

  test('no app is not any app', async () => {
    const key = await sealingKey(counting(0, 32));
    const fields = { user: uuidAt(1), connection: uuidAt(2), app: null };
    const blob = await seal('ck-vault', key, fields, utf8('x'));
    expect(await open('ck-vault', key, fields, blob)).toEqual(utf8('x'));
    expect(await refusal(open('ck-vault', key, { ...fields, app: uuidAt(3) }, blob))).toEqual(unopened);
  });
});
