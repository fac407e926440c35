/** The rows of `GET /v1/keys`, checked against the manifest, and what is sealed in them. */
import {
  canonicalJson,
  fromUtf8,
  open,
  randomBytes,
  seal,
  sealingKey,
  sha256,
  toBase64Url,
  utf8,
  zero,
} from '../../../src/crypto/index.ts';
import { bytes, type Fields, fieldsOf, flag, integer, text, textOrNull } from './answer.ts';
import type { KeyVerdict } from '../../../src/providers/verdict.ts';
import { VaultError, VaultTamperedError } from './errors.ts';
import type { Keyring } from './keyring.ts';
import type { Manifest } from './manifest.ts';

export interface KeyRow {
  id: string;
  provider: string;
  origin: string;
  version: number;
  isDefault: boolean;
  item: Uint8Array;
  dekVault: Uint8Array;
  /** base64url of SHA-256 of the item. */
  hash: string;
  connectionCount: number;
  createdAt: string;
  lastUsedAt: string | null;
  refusal: ProviderRefusal | null;
}

/** That the provider refuses a key, as the calls that were made with it show. */
export interface ProviderRefusal {
  /** Since when: RFC 3339, UTC. */
  at: string;
  /** The provider's, of the first refused call. */
  status: number;
  /** Not taken at all (or out of credit), or not for what was asked. */
  verdict: Extract<KeyVerdict, 'rejected' | 'restricted'>;
}

/** What a provider key is, inside its item. */
export interface KeyItem {
  secret: string;
  label: string;
  /** Further headers that belong to the key, such as an organisation. */
  headers: Readonly<Record<string, string>>;
}

/** Every key of the vault. Throws VaultTamperedError if they are not exactly those of the manifest. */
export function loadKeys(keyring: Keyring): Promise<KeyRow[]> {
  return keyring.verified('key', () => fetchKeys(keyring), faultsOf);
}

/** One key by its id. Throws `key_not_found`. */
export function keyOf(rows: readonly KeyRow[], id: string): KeyRow {
  const row = rows.find((candidate) => candidate.id === id);
  if (row === undefined) throw new VaultError('key_not_found', 'The vault has no key with this id.', { param: 'id' });
  return row;
}

/** The data key of a row: zero it after use. */
export async function openDek(keyring: Keyring, row: KeyRow): Promise<Uint8Array> {
  const fields = { user: keyring.user, key: row.id, version: row.version };
  return open('dek-vault', keyring.key, fields, row.dekVault).catch((cause: unknown) => tampered(row, cause));
}

export async function openItem(keyring: Keyring, row: KeyRow): Promise<KeyItem> {
  const dek = await openDek(keyring, row);
  try {
    const plaintext = await open('item', await sealingKey(dek), itemFields(keyring, row), row.item).catch(
      (cause: unknown) => tampered(row, cause),
    );
    const item = itemOf(fieldsOf(JSON.parse(fromUtf8(plaintext)), 'item'));
    zero(plaintext);
    return item;
  } finally {
    zero(dek);
  }
}

/** A new version of a key, sealed; the data key's bytes are given to `use` for as long as it runs. */
export async function sealKey<T>(
  keyring: Keyring,
  row: Pick<KeyRow, 'id' | 'provider' | 'origin' | 'version'>,
  item: KeyItem,
  use: (sealed: { item: string; dekVault: string; hash: string }, dek: Uint8Array) => Promise<T>,
): Promise<T> {
  const dek = randomBytes(32);
  const plaintext = utf8(canonicalJson({ secret: item.secret, label: item.label, headers: item.headers }));
  try {
    const sealedItem = await seal('item', await sealingKey(dek), itemFields(keyring, row), plaintext);
    const fields = { user: keyring.user, key: row.id, version: row.version };
    const dekVault = toBase64Url(await seal('dek-vault', keyring.key, fields, dek));
    const hash = toBase64Url(await sha256(sealedItem));
    return await use({ item: toBase64Url(sealedItem), dekVault, hash }, dek);
  } finally {
    zero(plaintext);
    zero(dek);
  }
}

async function fetchKeys(keyring: Keyring): Promise<KeyRow[]> {
  return Promise.all((await keyring.transport.all('/v1/keys')).map(rowOf));
}

async function rowOf(fields: Fields): Promise<KeyRow> {
  const item = bytes(fields, 'item');
  return {
    id: text(fields, 'id'),
    provider: text(fields, 'provider'),
    origin: text(fields, 'origin'),
    version: integer(fields, 'version'),
    isDefault: flag(fields, 'isDefault'),
    item,
    dekVault: bytes(fields, 'dekVault'),
    hash: toBase64Url(await sha256(item)),
    connectionCount: integer(fields, 'connectionCount'),
    createdAt: text(fields, 'createdAt'),
    lastUsedAt: textOrNull(fields, 'lastUsedAt'),
    refusal: refusalOf(fields['refusal']),
  };
}

function refusalOf(value: unknown): ProviderRefusal | null {
  if (value === undefined || value === null) return null;
  const fields = fieldsOf(value, 'refusal');
  const verdict = text(fields, 'verdict') === 'restricted' ? 'restricted' : 'rejected';
  return { at: text(fields, 'at'), status: integer(fields, 'status'), verdict };
}

/**
 * The ids of rows that are missing, unknown or not of the version that the owner sealed. A key can only be removed
 * together with its entry in the manifest, so a missing row was dropped by somebody else.
 */
function faultsOf(rows: readonly KeyRow[], { keys }: Manifest): string[] {
  const missing = keys.filter(({ id }) => !rows.some((row) => row.id === id));
  const wrong = rows.filter((row) => {
    const entry = keys.find(({ id }) => id === row.id);
    return entry?.provider !== row.provider || entry.version !== row.version || entry.hash !== row.hash;
  });
  return [...missing, ...wrong].map(({ id }) => id);
}

function itemFields({ user }: Keyring, row: Pick<KeyRow, 'id' | 'provider' | 'origin' | 'version'>) {
  return { user, key: row.id, provider: row.provider, origin: row.origin, version: row.version };
}

function itemOf(fields: Fields): KeyItem {
  const headers = fieldsOf(fields['headers'], 'headers');
  return {
    secret: text(fields, 'secret'),
    label: text(fields, 'label'),
    headers: Object.fromEntries(Object.keys(headers).map((name) => [name, text(headers, name)])),
  };
}

function tampered(row: KeyRow, cause: unknown): never {
  throw new VaultTamperedError('key', 'A key does not open: the server changed or exchanged it.', [row.id], cause);
}
