import type { Clock } from '../clock.ts';
import {
  createToken,
  CryptoError,
  encodePolicy,
  equalBytes,
  fromUtf8,
  isPlainObject,
  lookupOf,
  open,
  parsePolicy,
  policyHash,
  seal,
  sealingKey,
  tokenKey,
  tokenKind,
  unlock,
  utf8,
  zero,
} from '../crypto/index.ts';
import type { Pepper } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';
import { KeyPassError } from '../errors.ts';
import type { Ledger } from '../money/ledger.ts';
import { expired, isExpired, paused } from '../money/refusals.ts';
import { OpenedConnections, shared, type Grantee, type Opened, type OpenedKey, type PlainKey } from './opened.ts';
import { isUnopened, tamperedWhereUnopened } from './sealing.ts';
import { connectionChannel } from './service.ts';
import * as store from './store.ts';

interface Parts {
  database: Database;
  pepper: Pepper;
  clock: Clock;
  ledger: Ledger;
  /** A digest that is not to be inverted: what was opened is found by it, so that no token is kept. */
  digestOf(token: string): string;
  /** Where calls of a provider go now. */
  originOf(provider: string): string | undefined;
}

const lastUsedMs = 60_000;

/** What an access token opens: the connection, and for a call the provider key. */
export class Access {
  readonly #parts: Parts;
  readonly #opened: OpenedConnections;
  /** What was opened for a grantee, nowhere that could be printed. */
  readonly #byGrantee = new WeakMap<Grantee, Opened>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#opened = new OpenedConnections(parts.clock);
  }

  /**
   * Opens a connection by its token. The policy is parsed only after a grant has opened under the hash of its bytes, so
   * nobody who can merely write to the database can have changed it. What was opened before is given again: whether all
   * of it is still so is asked by every hold, which says `connection_changed` if not, and then it has to be opened
   * `anew`. Throws `access_token_invalid`, `connection_paused`, `connection_expired`, `key_missing`.
   */
  async authenticate(accessToken: string, { anew = false } = {}): Promise<Grantee> {
    const digest = this.#parts.digestOf(accessToken);
    const found = anew ? undefined : this.#opened.find(digest);
    const isEnded = ({ grantee }: Opened) => isExpired(grantee.policy, this.#parts.clock.now());
    // An end that has passed may have been moved since.
    const opened = found === undefined || isEnded(found) ? await this.#openAnew(accessToken, digest) : found;
    if (isEnded(opened)) throw expired();
    return opened.grantee;
  }

  /** Forgets what was opened of a connection as soon as its owner has changed it, on whichever instance. */
  start(): Promise<() => Promise<void>> {
    return this.#parts.database.listen(connectionChannel, (id) => this.#opened.forget(id));
  }

  /** Forgets what nobody has used for a while. */
  sweep(): void {
    this.#opened.sweep();
  }

  /** What the provider's key was opened from, for the hold to ask whether it is still so; null if it was not opened. */
  keySeal(grantee: Grantee, provider: string): string | null {
    return this.#byGrantee.get(grantee)?.keys.get(provider)?.seal ?? null;
  }

  /** The id and app of a token's connection, paused or not. */
  async identify(accessToken: string): Promise<{ id: string; appId: string | null; status: string }> {
    const { row } = await this.#open(accessToken).catch(tamperedWhereUnopened);
    return { id: row.id, appId: row.appId, status: row.status };
  }

  /** A new access token in place of this one, which opens nothing from here on; the grants and the policy stay. */
  async rotate(accessToken: string): Promise<{ accessToken: string; generation: number }> {
    const { database, pepper } = this.#parts;
    const { row, rawKey } = await this.#unwrap(accessToken).catch(tamperedWhereUnopened);
    const [epoch, generation] = [pepper.current, Number(row.generation) + 1];
    const next = createToken('access');
    const inner = await seal(
      'ck-token',
      await tokenKey('access', next, 'access/wrap'),
      wrapFields(row, generation),
      rawKey,
    );
    zero(rawKey);
    const outerKey = await pepper.key(epoch, 'connection');
    const ckToken = await seal('ck-token-outer', outerKey, { connection: row.id, generation, epoch }, inner);
    const token = { tokenLookup: await lookupOf('access', next), ckToken, epoch, generation };
    if (!(await store.updateRotatedToken(database.sql, row.id, token))) throw tokenInvalid(accessToken);
    return { accessToken: next, generation };
  }

  /**
   * Opens the provider key of a call for as long as `work` runs, which is not awaited, and gives what that returns. Throws
   * `provider_not_connected`, `key_missing`, what `work` throws.
   */
  async useKey<T>(grantee: Grantee, provider: string, work: (key: PlainKey) => T): Promise<T> {
    const opened = this.#byGrantee.get(grantee);
    if (opened === undefined) throw new Error('a grantee that was not authenticated here');
    const key = opened.keys.get(provider) ?? (await this.#openKeyAnew(opened, provider));
    const result = await key.use(work);
    opened.keys.set(provider, key);
    const now = this.#parts.clock.now();
    if (now.getTime() - key.lastUsedAt >= lastUsedMs) await this.#noteUse(key, now);
    return result;
  }

  /** What the app may know of its own connection. */
  async describe(accessToken: string) {
    const { row, policy } = await this.#prove(accessToken);
    const [state] = await this.#parts.ledger.states([{ connectionId: row.id, period: policy.period }]);
    const status = isExpired(policy, this.#parts.clock.now()) ? 'expired' : row.status;
    return {
      id: row.id,
      status,
      policy,
      capCents: row.capCents,
      spent: state?.spent ?? 0n,
      held: state?.held ?? 0n,
      resetsAt: state?.resetsAt ?? null,
    };
  }

  async #openAnew(accessToken: string, digest: string): Promise<Opened> {
    const { row, connectionKey, policy } = await this.#prove(accessToken);
    this.#opened.forget(row.id);
    if (row.status === 'paused') throw paused();
    const { id: connectionId, userId, appId } = row;
    const [revision, generation] = [Number(row.revision), Number(row.generation)];
    const grantee = { connectionId, userId, appId, policy, seal: row.seal, revision, generation };
    const opened = { grantee, connectionKey, keys: new Map<string, OpenedKey>() };
    this.#byGrantee.set(grantee, opened);
    this.#opened.add(digest, opened);
    return opened;
  }

  async #openKeyAnew({ grantee, connectionKey }: Opened, provider: string): Promise<OpenedKey> {
    const allowed = grantee.policy.providers.find((candidate) => candidate.id === provider);
    if (allowed === undefined) throw notConnected();
    const row = await store.findSealedKey(this.#parts.database.sql, grantee, provider);
    if (row === undefined || row.keyId !== allowed.keyId || row.keyVersion !== row.grantVersion)
      throw keyMissing(provider);
    if (row.origin !== this.#parts.originOf(provider)) throw originChanged(provider);
    const explain = (error: unknown) => this.#explain(grantee, error);
    const openItem = await unlockItem(grantee, connectionKey, provider, row).catch(explain);
    const { keyId, seal: keySeal } = row;
    const version = Number(row.keyVersion);
    const use = shared(async () => ({ keyId, version, ...readItem(await openItem().catch(explain)) }));
    return { keyId, use, seal: keySeal, lastUsedAt: Number.NEGATIVE_INFINITY };
  }

  async #noteUse(key: OpenedKey, now: Date): Promise<void> {
    key.lastUsedAt = now.getTime();
    await store.updateKeyLastUsed(this.#parts.database.sql, key.keyId, now);
  }

  /** The connection with its policy, which a grant has proved. An owner's edit between two statements is read again. */
  async #prove(accessToken: string) {
    const once = async () => {
      const { row, connectionKey } = await this.#open(accessToken);
      await this.#proveByGrant(row, connectionKey);
      return { row, connectionKey, policy: parsePolicy(row.policy) };
    };
    try {
      return await once().catch((error: unknown) => (isUnopened(error) ? once() : Promise.reject(error)));
    } catch (error) {
      return tamperedWhereUnopened(error);
    }
  }

  /** Why a grant or an item did not open: the owner edited the connection meanwhile, or somebody else did. */
  async #explain(grantee: Grantee, error: unknown): Promise<never> {
    if (!isUnopened(error)) throw error;
    const row = await store.findConnection(this.#parts.database.sql, grantee.connectionId);
    const isSame = Number(row?.revision) === grantee.revision && Number(row?.generation) === grantee.generation;
    if (isSame) return tamperedWhereUnopened(error);
    throw new KeyPassError('connection_changed', 'The connection was edited in this moment. Send the request again.');
  }

  async #open(accessToken: string) {
    const { row, rawKey } = await this.#unwrap(accessToken);
    const connectionKey = await sealingKey(rawKey);
    zero(rawKey);
    return { row, connectionKey };
  }

  /** The connection of a token and its key, which whoever asks must zero. */
  async #unwrap(accessToken: string) {
    const row = await store.findConnectionByToken(this.#parts.database.sql, await lookupOfToken(accessToken));
    if (row === undefined || row.ckToken === null || row.epoch === null) throw tokenInvalid(accessToken);
    const { id: connection, epoch } = row;
    const generation = Number(row.generation);
    const outerKey = await this.#parts.pepper.key(epoch, 'connection');
    const inner = await open('ck-token-outer', outerKey, { connection, generation, epoch }, row.ckToken);
    const wrapKey = await tokenKey('access', accessToken, 'access/wrap');
    return { row, rawKey: await open('ck-token', wrapKey, wrapFields(row, generation), inner) };
  }

  async #proveByGrant(row: store.OpenableRow, connectionKey: CryptoKey): Promise<void> {
    const hash = await policyHash(row.policy);
    if (!equalBytes(hash, row.policyHash)) throw new CryptoError('another policy than the one of this hash');
    const [grant] = await store.listGrants(this.#parts.database.sql, [row.id]);
    if (grant === undefined) throw keyMissing();
    const connection = { userId: row.userId, connectionId: row.id, appId: row.appId };
    const fields = grantFields(connection, hash, grant.keyId, Number(grant.version));
    zero(await open('grant', connectionKey, fields, grant.sealedDek));
  }
}

function lookupOfToken(accessToken: string): Promise<Uint8Array> {
  return lookupOf('access', accessToken).catch(() => Promise.reject(tokenInvalid(accessToken)));
}

function grantFields(
  { userId, connectionId, appId }: Pick<Grantee, 'userId' | 'connectionId' | 'appId'>,
  hash: Uint8Array,
  key: string,
  version: number,
) {
  return { user: userId, connection: connectionId, app: appId, key, version, policyHash: hash };
}

/** The way from the connection's key to the item of a provider's. */
async function unlockItem(grantee: Grantee, connectionKey: CryptoKey, provider: string, row: store.SealedKeyRow) {
  const { keyId: key, origin, item, sealedDek } = row;
  const version = Number(row.keyVersion);
  const hash = await policyHash(encodePolicy(grantee.policy));
  const dek = await open('grant', connectionKey, grantFields(grantee, hash, key, version), sealedDek);
  const dataKey = await sealingKey(dek);
  zero(dek);
  return unlock('item', dataKey, { user: grantee.userId, key, provider, origin, version }, item);
}

/** The item's plaintext: JSON of `{secret, label, headers}`. */
function readItem(item: Uint8Array): Pick<PlainKey, 'secret' | 'headers'> {
  const parsed: unknown = JSON.parse(fromUtf8(item));
  zero(item);
  if (!isPlainObject(parsed) || typeof parsed['secret'] !== 'string') throw new Error('an item without a secret');
  const given = isPlainObject(parsed['headers']) ? Object.entries(parsed['headers']) : [];
  const texts = given.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []));
  return { secret: utf8(parsed['secret']), headers: Object.fromEntries(texts) };
}

function wrapFields(row: store.OpenableRow, generation: number) {
  return { user: row.userId, connection: row.id, app: row.appId, generation };
}

/** One answer for every token that opens nothing, except that a wrong kind is named: that helps its owner alone. */
function tokenInvalid(token: string): KeyPassError {
  const kind = tokenKind(token);
  if (kind !== undefined && kind !== 'access') {
    return new KeyPassError(
      'access_token_invalid',
      'This is another kind of KeyPass token. Send the access token, kp_at_….',
    );
  }
  return new KeyPassError(
    'access_token_invalid',
    'The access token is unknown, or its connection was revoked. Ask the owner to connect again.',
  );
}

function notConnected(): KeyPassError {
  return new KeyPassError(
    'provider_not_connected',
    'The owner did not connect this provider. Ask for it in a new link session.',
  );
}

function keyMissing(provider?: string): KeyPassError {
  const which = provider === undefined ? 'The keys of this connection are' : `The key for ${provider} is`;
  return new KeyPassError('key_missing', `${which} gone from the vault. The owner can choose another.`);
}

/** A key is sealed for one origin and goes nowhere else, whatever the operator configures later. */
function originChanged(provider: string): KeyPassError {
  const message = `The key for ${provider} was stored for another address than this server calls now. The owner must store it again.`;
  return new KeyPassError('key_origin_changed', message);
}
