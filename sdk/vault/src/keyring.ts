import { equalBytes, sha256, toBase64Url } from '../../../src/crypto/index.ts';
import { bytes, type Fields, integer } from './answer.ts';
import { VaultError, VaultLockedError, type TamperedPart, VaultTamperedError } from './errors.ts';
import { type Manifest, openManifest, sealManifest, withoutConnections } from './manifest.ts';
import type { Transport } from './transport.ts';

const attempts = 5;

/** A manifest as it stands in the body of a write. */
export type SealedManifest = { readonly manifest: string; readonly manifestRevision: number };

interface Opened {
  key: CryptoKey;
  manifest: Manifest;
  revision: number;
  /** SHA-256 of the sealed form. */
  digest: Uint8Array;
}

/**
 * What an unlocked vault has in memory: the vault key, non-extractable, and the manifest. Everything that the server
 * says is checked against it, and every change of the vault goes through {@link write}.
 */
export class Keyring {
  readonly transport: Transport;
  readonly user: string;
  #opened: Opened | null = null;
  #seen: number;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #gone = new Set<string>();

  /** @param seen the newest revision that this client has seen before; an older one is refused */
  constructor(transport: Transport, user: string, seen: number) {
    this.transport = transport;
    this.user = user;
    this.#seen = seen;
  }

  get unlocked(): boolean {
    return this.#opened !== null;
  }

  /** The newest manifest revision seen; it outlives {@link lock}. */
  get revision(): number {
    return this.#seen;
  }

  /** The vault key. Throws {@link VaultLockedError}. */
  get key(): CryptoKey {
    return this.#open().key;
  }

  get manifest(): Manifest {
    return this.#open().manifest;
  }

  /** Takes the vault key, and the manifest of the answer that brought it. */
  async unlock(key: CryptoKey, answer: Fields): Promise<void> {
    this.#opened = await this.#read(key, answer, this.#seen);
    this.#seen = this.#opened.revision;
  }

  lock(): void {
    this.#opened = null;
  }

  /** Re-reads the manifest: another client may have written since. */
  async refresh(): Promise<void> {
    const { key } = this.#open();
    const seen = this.#seen;
    const read = await this.#read(key, await this.transport.fields('GET', '/v1/auth/me'), seen);
    this.#adopt(read);
  }

  /** Connections that are over: they leave the manifest with the next write, since revoking needs no unlocked vault. */
  forget(connections: Iterable<string>): void {
    for (const id of connections) this.#gone.add(id);
  }

  /**
   * Seals the edited manifest and sends it with the change that it describes, one write at a time. When another client
   * was faster the manifest is read again and the edit repeated, so `edit` and `send` may run more than once.
   */
  async write<T>(edit: (manifest: Manifest) => Manifest, send: (sealed: SealedManifest) => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => this.#writeInTurn(edit, send));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Rows of the server, checked against the manifest. Rows and manifest are not read at one instant, so a mismatch counts
   * only if it lasts. Throws {@link VaultTamperedError} with the ids that `faults` found.
   */
  async verified<T>(
    part: TamperedPart,
    load: () => Promise<T>,
    faults: (rows: T, manifest: Manifest) => string[],
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const rows = await load();
      const ids = faults(rows, this.manifest);
      if (ids.length === 0) return rows;
      if (attempt === attempts) {
        throw new VaultTamperedError(part, `The server's ${part} rows are not the ones that the owner sealed.`, ids);
      }
      await this.refresh();
    }
  }

  async #writeInTurn<T>(
    edit: (manifest: Manifest) => Manifest,
    send: (sealed: SealedManifest) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const { key, manifest: current, revision: base } = this.#open();
      const manifest = withoutConnections(edit(current), this.#gone);
      const revision = base + 1;
      const blob = await sealManifest(key, this.user, revision, manifest);
      try {
        const answer = await send({ manifest: toBase64Url(blob), manifestRevision: revision });
        this.#adopt({ key, manifest, revision, digest: await sha256(blob) });
        return answer;
      } catch (error) {
        const conflict = error instanceof VaultError && error.code === 'manifest_conflict';
        if (!conflict || attempt === attempts) throw error;
        await this.refresh();
      }
    }
  }

  async #read(key: CryptoKey, answer: Fields, seen: number): Promise<Opened> {
    const blob = bytes(answer, 'manifest');
    const revision = integer(answer, 'manifestRevision');
    if (revision < seen) throw new VaultTamperedError('manifest', 'The server put back an older state of the vault.');
    return { key, manifest: await openManifest(key, this.user, revision, blob), revision, digest: await sha256(blob) };
  }

  /** Takes over what is newer; what was read before a write of our own came through is merely late. */
  #adopt(read: Opened): void {
    if (this.#opened === null) return;
    const { revision, digest } = this.#opened;
    if (read.revision === revision && !equalBytes(read.digest, digest)) {
      throw new VaultTamperedError('manifest', 'The server holds two states of the vault with one revision.');
    }
    if (read.revision <= revision) return;
    this.#opened = read;
    this.#seen = read.revision;
  }

  #open(): Opened {
    if (this.#opened === null) throw new VaultLockedError();
    return this.#opened;
  }
}
