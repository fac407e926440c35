/**
 * The whole hierarchy of keys, as rows of a database: who has what, and what can be reached with it. An attacker here
 * tries every key that they have, or come to have, on every blob of the dump.
 */
import { beforeAll, describe, expect, test } from 'bun:test';
import { open, seal, type BlobFields, type Label } from './blobs.ts';
import { fromUtf8, randomBytes, utf8, type Bytes } from './bytes.ts';
import { deriveKey, sealingKey } from './derive.ts';
import { CryptoError } from './errors.ts';
import { createPepper, type Pepper, type PepperKind } from './pepper.ts';
import { createToken, parseToken, tokenKey, tokenKind } from './tokens.ts';
import { newUuid } from './uuid.ts';

interface Row {
  label: Label;
  key: CryptoKey;
  opens: (key: CryptoKey, blob: Uint8Array) => Promise<Bytes>;
  blob: Bytes;
  /** The row that is inside this one. */
  inner?: Row;
}

interface Connection {
  id: string;
  app: string;
  token: string;
  publicToken: string;
}

interface Owner {
  password: Bytes;
  code: Bytes;
  keys: string[];
  connections: Connection[];
}

const pepper = createPepper();
const rows: Row[] = [];

async function row<L extends Label>(
  label: L,
  key: CryptoKey,
  fields: BlobFields<L>,
  plaintext: Uint8Array,
): Promise<Row> {
  const blob = await seal(label, key, fields, plaintext);
  return { label, key, blob, opens: (otherKey, otherBlob) => open(label, otherKey, fields, otherBlob) };
}

async function outer<L extends Label>(label: L, kind: PepperKind, fields: BlobFields<L>, inner: Row): Promise<Row> {
  return { ...(await row(label, await pepper.key(1, kind), fields, inner.blob)), inner };
}

/** An owner with two provider keys and two connections; each connection has a grant for one of the keys. */
async function addOwner(): Promise<Owner> {
  const user = newUuid();
  const [uvkBytes, password, code, salt] = [randomBytes(32), randomBytes(32), randomBytes(20), randomBytes(16)];
  const uvk = await sealingKey(uvkBytes);
  const byPassword = await deriveKey(password, 'password/wrap');
  const wrapped = await row('uvk-password', byPassword, { user, kdfId: 1, salt }, uvkBytes);
  rows.push(await outer('uvk-password-outer', 'uvk', { user, epoch: 1 }, wrapped));
  const byCode = await deriveKey(code, 'recovery/wrap');
  rows.push(await row('uvk-recovery', byCode, { user, recoveryId: newUuid() }, uvkBytes));
  const owner: Owner = { password, code, keys: [], connections: [] };
  for (const secret of ['one', 'two'].map((name) => `provider key ${name} of ${user}`)) {
    const { key, dek } = await addKey(user, uvk, secret);
    owner.keys.push(secret);
    owner.connections.push(await addConnection(user, uvk, key, dek));
  }
  return owner;
}

async function addKey(user: string, uvk: CryptoKey, secret: string): Promise<{ key: string; dek: Bytes }> {
  const [key, dek] = [newUuid(), randomBytes(32)];
  const item = { user, key, provider: 'openai', origin: 'https://api.openai.com', version: 1 };
  rows.push(await row('item', await sealingKey(dek), item, utf8(secret)));
  rows.push(await row('dek-vault', uvk, { user, key, version: 1 }, dek));
  return { key, dek };
}

async function addConnection(user: string, uvk: CryptoKey, key: string, dek: Bytes): Promise<Connection> {
  const [connection, app, linkSession, ck] = [newUuid(), newUuid(), newUuid(), randomBytes(32)];
  const [token, publicToken] = [createToken('access'), createToken('public')];
  const grant = { user, connection, app, key, version: 1, policyHash: randomBytes(32) };
  rows.push(await row('ck-vault', uvk, { user, connection, app }, ck));
  rows.push(await row('grant', await sealingKey(ck), grant, dek));
  const link = { user, connection, app, linkSession };
  const byPublic = await row('ck-public', await tokenKey('public', publicToken, 'public/wrap'), link, ck);
  rows.push(await outer('ck-public-outer', 'connection', { connection, linkSession, epoch: 1 }, byPublic));
  const byToken = await row(
    'ck-token',
    await tokenKey('access', token, 'access/wrap'),
    { user, connection, app, generation: 1 },
    ck,
  );
  rows.push(await outer('ck-token-outer', 'connection', { connection, generation: 1, epoch: 1 }, byToken));
  const replyKey = await tokenKey('public', publicToken, 'public/reply');
  const reply = await row('exchange-reply', replyKey, link, utf8(token));
  rows.push(await outer('exchange-reply-outer', 'reply', { ...link, epoch: 1 }, reply));
  return { id: connection, app, token, publicToken };
}

/** Every key that 20 or 32 bytes can be, as themselves and for each use. */
async function keysOf(secret: Bytes): Promise<CryptoKey[]> {
  const uses = ['password/wrap', 'recovery/wrap', 'access/wrap', 'public/wrap', 'public/reply'];
  const derived = await Promise.all(uses.map((use) => deriveKey(secret, use)));
  return secret.length === 32 ? [await sealingKey(secret), ...derived] : derived;
}

function pepperKeys(held: Pepper): Promise<CryptoKey[]> {
  const kinds = ['uvk', 'verifier', 'share', 'connection', 'reply', 'totp', 'webhook'] as const;
  return Promise.all(held.epochs.flatMap((epoch) => kinds.map((kind) => held.key(epoch, kind))));
}

/** The provider keys that an attacker with the dump reaches from what they have. */
async function reach(secrets: readonly Bytes[], held?: Pepper): Promise<string[]> {
  const reached: string[] = [];
  const closed = new Set(rows);
  const tries: [CryptoKey, Row][] = [];
  const addKeys = (keys: CryptoKey[]) =>
    tries.push(...keys.flatMap((key) => [...closed].map((r): [CryptoKey, Row] => [key, r])));
  const known: CryptoKey[] = [...(held === undefined ? [] : await pepperKeys(held))];
  for (const secret of secrets) known.push(...(await keysOf(secret)));
  addKeys(known);
  for (let next = tries.pop(); next !== undefined; next = tries.pop()) {
    const [key, target] = next;
    if (!closed.has(target)) continue;
    const plaintext = await target.opens(key, target.blob).catch(() => undefined);
    if (plaintext === undefined) continue;
    closed.delete(target);
    if (target.label === 'item') reached.push(fromUtf8(plaintext));
    if (target.inner !== undefined) {
      const { inner } = target;
      closed.add(inner);
      tries.push(...known.map((candidate): [CryptoKey, Row] => [candidate, inner]));
      continue;
    }
    const isToken = target.label === 'exchange-reply';
    const gained = isToken ? parseToken('access', fromUtf8(plaintext)) : plaintext;
    if (gained.length !== 32) continue;
    const keys = await keysOf(gained);
    known.push(...keys);
    addKeys(keys);
  }
  return reached.toSorted();
}

function bytesOf(token: string): Bytes {
  const kind = tokenKind(token);
  if (kind === undefined) throw new Error('not a token');
  return parseToken(kind, token);
}

const owners: Owner[] = [];

beforeAll(async () => {
  owners.push(await addOwner(), await addOwner());
});

function parties() {
  const [alice, bob] = owners;
  const [mine, other] = alice?.connections ?? [];
  if (alice === undefined || bob === undefined || mine === undefined || other === undefined) throw new Error('no rows');
  return { alice, bob, mine, other };
}

describe('what an attacker with a dump of the database reaches', () => {
  test('alone, or with the pepper: nothing', async () => {
    expect(await reach([])).toEqual([]);
    expect(await reach([], pepper)).toEqual([]);
  });

  test('with tokens but no pepper: nothing', async () => {
    const { mine, other } = parties();
    expect(await reach([mine.token, mine.publicToken, other.token].map(bytesOf))).toEqual([]);
  });

  test('with the password but no pepper: nothing', async () => {
    const { alice } = parties();
    expect(await reach([alice.password])).toEqual([]);
  });

  test('with the pepper of another epoch and every token and password: nothing', async () => {
    const { alice, bob, mine, other } = parties();
    const tokens = [mine, other].flatMap(({ token, publicToken }) => [token, publicToken]);
    expect(await reach([...tokens.map(bytesOf), alice.password, bob.password], createPepper())).toEqual([]);
  });

  test("with the pepper and one connection's token: the key granted to it, no other", async () => {
    const { alice, mine, other } = parties();
    expect(await reach([bytesOf(mine.token)], pepper)).toEqual(alice.keys.slice(0, 1));
    expect(await reach([bytesOf(other.token)], pepper)).toEqual(alice.keys.slice(1));
    expect(await reach([bytesOf(mine.publicToken)], pepper)).toEqual(alice.keys.slice(0, 1));
  });

  test("with the pepper and a password, or with a recovery code: that owner's keys, no other's", async () => {
    const { alice, bob } = parties();
    expect(await reach([alice.password], pepper)).toEqual(alice.keys);
    expect(await reach([bob.password], pepper)).toEqual(bob.keys);
    expect(await reach([bob.code])).toEqual(bob.keys);
  });
});

describe('rows', () => {
  test("no blob opens in another row of its label, not even with its own row's key", async () => {
    const all = rows.flatMap((each) => (each.inner === undefined ? [each] : [each, each.inner]));
    let swaps = 0;
    for (const from of all) {
      for (const to of all.filter((each) => each !== from && each.label === from.label)) {
        for (const key of [from.key, to.key]) {
          const reason: unknown = await to.opens(key, from.blob).catch((error: unknown) => error);
          expect(reason).toEqual(new CryptoError('does not open'));
          swaps++;
        }
      }
    }
    // Three labels have a row for each owner, ten for each key or connection; both keys tried.
    expect(swaps).toBe(2 * (3 * 2 + 10 * 12));
  });
});
