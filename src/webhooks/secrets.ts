import type { Clock } from '../clock.ts';
import { createToken, fromUtf8, open, seal, utf8, type Pepper } from '../crypto/index.ts';
import type { Database, Tx } from '../database/connect.ts';
import * as store from './store.ts';

/** How long an old secret still signs after a new one was made, so that an app can be deployed in between. */
const overlapMs = 24 * 3600 * 1000;

interface Parts {
  database: Database;
  pepper: Pepper;
  clock: Clock;
}

/** The secrets that sign what apps are told: kept so that they can be read, since a signature needs the secret itself. */
export class WebhookSecrets {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A new secret of an app, to be shown once. One that was in force lives on until `oldSecretsExpireAt`. */
  async create(tx: Tx, app: string) {
    const { pepper, clock } = this.#parts;
    const [webhookSecret, id, epoch] = [createToken('webhookSecret'), crypto.randomUUID(), pepper.current];
    const createdAt = clock.now();
    const oldSecretsExpireAt = new Date(createdAt.getTime() + overlapMs);
    const fields = { app, secretId: id, epoch };
    const secret = await seal('webhook', await pepper.key(epoch, 'webhook'), fields, utf8(webhookSecret));
    await store.retireSecrets(tx, app, oldSecretsExpireAt);
    await store.insertSecret(tx, { id, appId: app, epoch, secret, createdAt });
    return { webhookSecret, oldSecretsExpireAt };
  }

  /** The secrets that are live, the newest first. */
  async live(app: string): Promise<string[]> {
    const rows = await store.listLiveSecrets(this.#parts.database.sql, app, this.#parts.clock.now());
    return Promise.all(rows.map(async (row) => fromUtf8(await this.#open(row))));
  }

  /** Of an app that has no webhook any more. */
  remove(tx: Tx, app: string): Promise<void> {
    return store.deleteSecrets(tx, app);
  }

  /** Moves a batch of secrets to the current epoch of the pepper; answers how many it found. */
  async reseal(limit: number): Promise<number> {
    const { database, pepper } = this.#parts;
    const epoch = pepper.current;
    const rows = await store.listSecretsOfOtherEpochs(database.sql, epoch, limit);
    for (const row of rows) {
      const fields = { app: row.appId, secretId: row.id, epoch };
      const secret = await seal('webhook', await pepper.key(epoch, 'webhook'), fields, await this.#open(row));
      await store.updateSecretSeal(database.sql, { id: row.id, epoch, secret, oldSecret: row.secret });
    }
    return rows.length;
  }

  sweep(): Promise<void> {
    return store.deleteExpiredSecrets(this.#parts.database.sql, this.#parts.clock.now());
  }

  async #open({ id, appId, epoch, secret }: store.SecretRow) {
    const key = await this.#parts.pepper.key(epoch, 'webhook');
    return open('webhook', key, { app: appId, secretId: id, epoch }, secret);
  }
}
