/**
 * "The attacker has X", from the threat model. The attacker knows this code, holds every row, and tries every key that can
 * be had on every blob until nothing new opens. Each theft that must open nothing stands beside one that does.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { passwordKeys } from '../sdk/vault/src/kdf.ts';
import type { Vault } from '../sdk/vault/src/index.ts';
import {
  deriveKey,
  fromUtf8,
  open,
  parseRecoveryCode,
  policyHash,
  recoveryWrapOf,
  sealingKey,
  tokenKey,
  tokenKind,
  type BlobFields,
  type Label,
  type Pepper,
} from '../src/crypto/index.ts';
import type { Database } from '../src/database/connect.ts';
import { shredExpired } from '../src/link/store.ts';
import { eachDatabase } from './harness/databases.ts';
import { linkApp, openVault, password, registerApp, type TestApp } from './harness/people.ts';
import { startTestServer, type TestServer } from './harness/server.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** One use of the kernel's `open` that the rows make possible; without a blob of its own, on what came out of others. */
interface Lock {
  readonly blob: Bytes | null;
  open(key: CryptoKey, blob: Bytes): Promise<Bytes>;
  readonly isItem: boolean;
}

function lock<L extends Label>(label: L, fields: BlobFields<L>, blob: Bytes | null): Lock {
  return { blob, isItem: label === 'item', open: (key, sealed) => open(label, key, fields, sealed) };
}

interface Dump {
  readonly locks: readonly Lock[];
  readonly salts: readonly { salt: Bytes; kdfId: number }[];
  /** Every value of 16 bytes and more that is no sealed blob: lookups, hashes, check values. */
  readonly values: readonly Bytes[];
}

/** What somebody with a copy of the database has to work with. */
async function dumpOf({ sql }: Database): Promise<Dump> {
  const users = await sql<UserRow[]>`select * from users join vaults on user_id = id`;
  const keys = await sql<KeyRow[]>`select * from provider_keys`;
  const connections = await sql<ConnectionRow[]>`select * from connections`;
  const sessions = await sql<
    SessionRow[]
  >`select link_sessions.*, user_id from link_sessions join connections on connections.id = connection_id`;
  const grants = await sql<GrantRow[]>`
    select grants.*, user_id, app_id, policy from grants join connections on connections.id = connection_id`;
  const locks = [
    ...users.flatMap(locksOfUser),
    ...keys.flatMap(locksOfKey),
    ...connections.flatMap(locksOfConnection),
    ...sessions.flatMap(locksOfSession),
    ...(await Promise.all(grants.map(lockOfGrant))),
  ].filter(({ blob }) => blob === null || blob.length > 0);
  const lookups = await sql<{ value: Bytes }[]>`
    select lookup as value from sessions union select lookup from link_sessions union select lookup from app_secrets
    union select check_value from pepper_epochs union select policy_hash from connections
    union select token_lookup from connections where token_lookup is not null
    union select public_lookup from link_sessions where public_lookup is not null`;
  return { locks, salts: users, values: lookups.map(({ value }) => new Uint8Array(value)) };
}

interface UserRow {
  id: string;
  kdfId: number;
  salt: Bytes;
  epoch: number;
  verifierPassword: Bytes;
  uvkPassword: Bytes;
  recoveryId: string;
  verifierRecovery: Bytes;
  uvkRecovery: Bytes;
  revision: bigint;
  manifest: Bytes;
}

function locksOfUser(row: UserRow): Lock[] {
  const { id: user, kdfId, salt, epoch, recoveryId } = row;
  return [
    lock('uvk-password-outer', { user, epoch }, row.uvkPassword),
    lock('uvk-password', { user, kdfId, salt }, null),
    lock('verifier-password', { user, epoch }, row.verifierPassword),
    lock('verifier-recovery', { user, recoveryId, epoch }, row.verifierRecovery),
    lock('uvk-recovery', { user, recoveryId }, row.uvkRecovery),
    lock('manifest', { user, revision: Number(row.revision) }, row.manifest),
  ];
}

interface KeyRow {
  id: string;
  userId: string;
  provider: string;
  origin: string;
  version: bigint;
  item: Bytes;
  dekVault: Bytes;
}

function locksOfKey({ id: key, userId: user, provider, origin, ...row }: KeyRow): Lock[] {
  const version = Number(row.version);
  return [
    lock('item', { user, key, provider, origin, version }, row.item),
    lock('dek-vault', { user, key, version }, row.dekVault),
  ];
}

interface ConnectionRow {
  id: string;
  userId: string;
  appId: string | null;
  generation: bigint;
  epoch: number | null;
  ckVault: Bytes | null;
  ckToken: Bytes | null;
  tokenVault: Bytes | null;
}

const nothing = new Uint8Array();

function locksOfConnection({ id: connection, userId: user, appId: app, ...row }: ConnectionRow): Lock[] {
  const [generation, epoch] = [Number(row.generation), row.epoch ?? 1];
  return [
    lock('ck-vault', { user, connection, app }, row.ckVault ?? nothing),
    lock('ck-token-outer', { connection, generation, epoch }, row.ckToken ?? nothing),
    lock('ck-token', { user, connection, app, generation }, null),
    lock('token-vault', { user, connection, generation }, row.tokenVault ?? nothing),
  ];
}

interface SessionRow {
  id: string;
  userId: string;
  appId: string;
  connectionId: string;
  epoch: number | null;
  ckPublic: Bytes | null;
  exchangeReply: Bytes | null;
}

function locksOfSession({
  id: linkSession,
  userId: user,
  appId: app,
  connectionId: connection,
  ...row
}: SessionRow): Lock[] {
  const epoch = row.epoch ?? 1;
  const fields = { user, connection, app, linkSession };
  return [
    lock('ck-public-outer', { connection, linkSession, epoch }, row.ckPublic ?? nothing),
    lock('ck-public', fields, null),
    lock('exchange-reply-outer', { ...fields, epoch }, row.exchangeReply ?? nothing),
    lock('exchange-reply', fields, null),
  ];
}

interface GrantRow {
  connectionId: string;
  userId: string;
  appId: string | null;
  keyId: string;
  version: bigint;
  policy: Bytes;
  sealedDek: Bytes;
}

async function lockOfGrant(row: GrantRow): Promise<Lock> {
  const { userId: user, connectionId: connection, appId: app, keyId: key } = row;
  const fields = { user, connection, app, key, version: Number(row.version), policyHash: await policyHash(row.policy) };
  return lock('grant', fields, row.sealedDek);
}

/** What was stolen besides the database. */
interface Loot {
  readonly pepper?: Pepper;
  readonly tokens?: readonly string[];
  readonly password?: string;
  readonly recoveryCode?: string;
}

const pepperKinds = ['uvk', 'verifier', 'share', 'connection', 'reply', 'totp', 'webhook'] as const;

async function keysOf(dump: Dump, { pepper, tokens = [], password: guess, recoveryCode: code }: Loot) {
  const wrapOf = async ({ salt, kdfId }: Dump['salts'][number]) =>
    (await passwordKeys(guess ?? '', salt, kdfId)).wrapKey;
  return Promise.all([
    ...(pepper === undefined ? [] : pepperKinds.map((kind) => pepper.key(1, kind))),
    ...tokens.flatMap(keysOfToken),
    ...(guess === undefined ? [] : dump.salts.map(wrapOf)),
    ...(code === undefined ? [] : [recoveryWrapOf(parseRecoveryCode(code))]),
    ...dump.values.map((value) => sealingKey(value)),
    ...dump.values.map((value) => deriveKey(value, 'access/wrap')),
    ...dump.values.map((value) => deriveKey(value, 'public/wrap')),
  ]);
}

function keysOfToken(token: string): Promise<CryptoKey>[] {
  if (tokenKind(token) === 'access') return [tokenKey('access', token, 'access/wrap')];
  return [tokenKey('public', token, 'public/wrap'), tokenKey('public', token, 'public/reply')];
}

/** Whatever an opened blob may be good for: a key itself, or a token that carries one. */
async function keysIn(plaintext: Bytes): Promise<CryptoKey[]> {
  if (plaintext.length === 32) return [await sealingKey(plaintext)];
  const text = Buffer.from(plaintext).toString('latin1');
  return tokenKind(text) === 'access' ? Promise.all(keysOfToken(text)) : [];
}

/** Opens all that can be opened, and all that this opens; answers the provider keys that came to light. */
async function plunder(dump: Dump, loot: Loot): Promise<string[]> {
  const items: string[] = [];
  const tried = new Set<string>();
  const keys = await keysOf(dump, loot);
  const blobs = dump.locks.flatMap(({ blob }) => (blob === null ? [] : [blob]));
  const found: Bytes[] = [];
  for (let before = -1; before !== found.length;) {
    before = found.length;
    for (const [k, key] of keys.entries()) {
      for (const [l, door] of dump.locks.entries()) {
        for (const blob of door.blob === null ? [...found] : [door.blob]) {
          const attempt = `${k} ${l} ${found.indexOf(blob)} ${blobs.indexOf(blob)}`;
          if (tried.has(attempt)) continue;
          tried.add(attempt);
          const plaintext = await door.open(key, blob).catch(() => null);
          if (plaintext === null) continue;
          if (door.isItem) items.push(fromUtf8(plaintext));
          found.push(plaintext);
          keys.push(...(await keysIn(plaintext)));
        }
      }
    }
  }
  return items;
}

eachDatabase((_kind, openDatabase) => {
  const [openaiKey, groqKey] = ['sk-' + 'canary'.repeat(8), 'gsk_' + 'canary'.repeat(8)];
  let database: Database;
  let server: TestServer;
  let vault: Vault;
  let app: TestApp;
  let recoveryCode: string;
  let linked: { connectionId: string; accessToken: string; publicToken: string };
  let other: { id: string; accessToken: string };
  let unexchanged: string;

  beforeAll(async () => {
    database = await openDatabase();
    server = await startTestServer({ database });
    const opened = await openVault(server);
    ({ vault, recoveryCode } = opened);
    await vault.keys.add({ provider: 'openai', secret: openaiKey });
    await vault.keys.add({ provider: 'groq', secret: groqKey });
    app = await registerApp(server, opened.token);
    linked = await linkApp(vault, app);
    other = await vault.connections.create({ name: 'tool', providers: ['groq'], budgetCents: 100 });
    const waiting = await vault.link.approve(await app.linkToken(), { providers: ['openai'], budgetCents: 100 });
    unexchanged = waiting.publicToken ?? '';
  });

  afterAll(() => server.stop());

  /** Which of the two provider keys a theft brings. */
  async function stolen(loot: Loot): Promise<string[]> {
    const items = await plunder(await dumpOf(database), loot);
    const text = items.join('\n');
    return [openaiKey, groqKey].filter((key) => text.includes(key));
  }

  test('the database alone opens nothing', async () => {
    expect(await stolen({})).toEqual([]);
  });

  test('nor with the pepper: that is all that the operator has at rest', async () => {
    expect(await stolen({ pepper: server.pepper })).toEqual([]);
  });

  test('another connection’s token opens what that one was given, and no more', async () => {
    const loot = { tokens: [other.accessToken] };
    expect(await stolen(loot)).toEqual([]);
    expect(await stolen({ ...loot, pepper: server.pepper })).toEqual([groqKey]);
  });

  test('a connection’s own token opens its key, but not without the pepper', async () => {
    const loot = { tokens: [linked.accessToken] };
    expect(await stolen(loot)).toEqual([]);
    expect(await stolen({ ...loot, pepper: server.pepper })).toEqual([openaiKey]);
  });

  test('a public token that waits for its exchange: the same', async () => {
    const loot = { tokens: [unexchanged] };
    expect(await stolen(loot)).toEqual([]);
    expect(await stolen({ ...loot, pepper: server.pepper })).toEqual([openaiKey]);
  });

  test('a public token that was exchanged opens nothing once its reply is gone', async () => {
    const loot = { tokens: [linked.publicToken], pepper: server.pepper };
    expect(await stolen(loot)).toEqual([openaiKey]);
    await shredExpired(database.sql, new Date(Date.now() + 1000), new Date(0));
    expect(await stolen(loot)).toEqual([]);
  });

  test('the password opens everything, but not without the pepper', async () => {
    expect(await stolen({ password })).toEqual([]);
    expect(await stolen({ password: 'a wrong guess', pepper: server.pepper })).toEqual([]);
    expect(await stolen({ password, pepper: server.pepper })).toEqual([openaiKey, groqKey]);
  });

  test('the recovery code opens everything: it is as strong as a key', async () => {
    expect(await stolen({ recoveryCode })).toEqual([openaiKey, groqKey]);
  });

  test('after revocation the token opens nothing, whoever has the rest', async () => {
    await vault.connections.revoke(linked.connectionId);
    const tokens = [linked.accessToken, linked.publicToken, other.accessToken];
    expect(await stolen({ tokens, pepper: server.pepper })).toEqual([groqKey]);
  });
});
