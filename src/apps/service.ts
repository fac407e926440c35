import type { Clock } from '../clock.ts';
import { createToken, lookupOf } from '../crypto/index.ts';
import type { Database, Tx } from '../database/connect.ts';
import { insertCreation } from '../database/idempotency.ts';
import { KeyPassError } from '../errors.ts';
import type { AppIdentity } from '../http/auth.ts';
import { pageOf, type PageRequest } from '../http/pages.ts';
import type { Webhooks } from '../webhooks/service.ts';
import type { AppEditInput, NewAppInput } from './model.ts';
import * as store from './store.ts';

/** How long an old secret lives on after a new one was made, so that an app can be deployed in between. */
const overlapMs = 24 * 3600 * 1000;

interface Parts {
  database: Database;
  clock: Clock;
  webhooks: Webhooks;
}

/** Apps of developers: their names, origins and secrets. */
export class Apps {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #webhooks: Webhooks;

  constructor(parts: Parts) {
    this.#database = parts.database;
    this.#clock = parts.clock;
    this.#webhooks = parts.webhooks;
  }

  /** A new app; its secrets are in this answer and nowhere else. */
  async create(userId: string, input: NewAppInput, idempotencyKey: string | null) {
    const identity = {
      id: crypto.randomUUID(),
      userId,
      clientId: createToken('clientId'),
      createdAt: this.#clock.now(),
    };
    const app: store.AppRow = { ...identity, name: input.name, ...checkAddresses(input) };
    const clientSecret = createToken('clientSecret');
    const lookup = await lookupOf('clientSecret', clientSecret);
    const webhookSecret = await this.#database.begin(async (tx) => {
      await insertCreation(tx, { caller: `app of ${userId}`, key: idempotencyKey, body: input }, app.id, app.createdAt);
      await store.insertApp(tx, app);
      await store.insertAppSecret(tx, { id: crypto.randomUUID(), appId: app.id, lookup, createdAt: app.createdAt });
      return this.#webhooks.change(tx, app.id, null, app.webhookUrl);
    });
    return { ...app, clientSecret, webhookSecret };
  }

  async list(userId: string, page: PageRequest) {
    const rows = await store.listApps(this.#database.sql, userId, page);
    return pageOf(
      rows,
      page.limit,
      (row) => ({ at: row.createdAt, id: row.id }),
      (row) => row,
    );
  }

  /** Changes the named members; connections stay as they are. A first webhook URL comes with its secret. */
  async edit(userId: string, id: string, changes: AppEditInput) {
    return this.#database.begin(async (tx) => {
      const app = await this.#own(tx, userId, id);
      const input = { ...app, ...changes };
      const edited = { ...app, name: input.name, ...checkAddresses(input) };
      const webhookSecret = await this.#webhooks.change(tx, id, app.webhookUrl, edited.webhookUrl);
      await store.updateApp(tx, edited);
      return { ...edited, webhookSecret };
    });
  }

  /** A new secret, shown once; the old ones live on for a day. */
  async rotateSecret(userId: string, id: string) {
    const clientSecret = createToken('clientSecret');
    const lookup = await lookupOf('clientSecret', clientSecret);
    const createdAt = this.#clock.now();
    const oldSecretsExpireAt = new Date(createdAt.getTime() + overlapMs);
    await this.#database.begin(async (tx) => {
      const app = await this.#own(tx, userId, id);
      await store.updateSecretExpiry(tx, app.id, oldSecretsExpireAt);
      await store.insertAppSecret(tx, { id: crypto.randomUUID(), appId: app.id, lookup, createdAt });
    });
    return { clientSecret, oldSecretsExpireAt };
  }

  /** Takes an app out of use as part of a transaction that revokes its connections. */
  async remove(tx: Tx, userId: string, id: string): Promise<void> {
    const app = await this.#own(tx, userId, id);
    await this.#webhooks.change(tx, app.id, app.webhookUrl, null);
    await store.updateAppRemoved(tx, app.id, this.#clock.now());
  }

  /** The developer's own app, as it stays until the transaction ends; throws `app_not_found`. */
  async #own(tx: Tx, userId: string, id: string): Promise<store.AppRow> {
    const app = await store.findAppForUpdate(tx, id);
    if (app === undefined || app.userId !== userId) throw new KeyPassError('app_not_found', 'There is no such app.');
    return app;
  }

  /** The app of an id and secret; throws `client_invalid`, alike whichever of the two is wrong. */
  async authenticate(clientId: string, clientSecret: string): Promise<AppIdentity> {
    const invalid = new KeyPassError('client_invalid', 'The client id or the client secret is wrong.');
    const lookups = [lookupOf('clientSecret', clientSecret), lookupOf('clientId', clientId)] as const;
    const [lookup] = await Promise.all(lookups).catch(() => Promise.reject(invalid));
    const row = await store.findAppBySecret(this.#database.sql, clientId, lookup, this.#clock.now());
    if (row === undefined) throw invalid;
    return row;
  }

  /** An app by its id; within a transaction it stays as it is until that ends. */
  async get(id: string, tx?: Tx): Promise<AppIdentity> {
    const row = await (tx === undefined ? store.findApp(this.#database.sql, id) : store.findAppForUpdate(tx, id));
    if (row === undefined) throw new KeyPassError('app_not_found', 'The app of this request is gone.');
    return row;
  }
}

type Addresses = Omit<NewAppInput, 'name' | 'webhookUrl'> & Pick<AppEditInput, 'webhookUrl'>;

/** The addresses of an app as they are stored. Where its webhook may go, the webhooks know. */
function checkAddresses({ allowedOrigins, redirectUris = [], webhookUrl = null }: Addresses) {
  return {
    allowedOrigins: allowedOrigins.map(checkOrigin),
    redirectUris: redirectUris.map(checkRedirect),
    webhookUrl: webhookUrl === null ? null : checkWebhook(webhookUrl),
  };
}

/** As `URL` writes it, so that what is shown is what is called; the slash after a bare host is added. */
function checkWebhook(text: string): string {
  const href = URL.parse(text)?.href;
  if (href !== undefined && (href === text || href === `${text}/`)) return href;
  throw new KeyPassError(
    'invalid_request',
    'Expected a URL in its one canonical form, as `new URL(…).href` gives it: https://app.example/hook.',
    { param: 'webhookUrl' },
  );
}

function checkOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  // A star is a legal character there, and no wildcard.
  if (url !== null && url.origin === text && isSecure(url) && !text.includes('*')) return text;
  throw new KeyPassError(
    'invalid_request',
    'Expected origins such as https://app.example: https (or http on loopback), nothing after the host.',
    {
      param: 'allowedOrigins',
    },
  );
}

function checkRedirect(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && url.username === '' && url.password === '' && !text.includes('#') && isSecure(url)) return text;
  throw new KeyPassError(
    'invalid_request',
    'Expected an https URL (or http on loopback) without credentials or a fragment.',
    { param: 'redirectUris' },
  );
}

function isSecure(url: URL): boolean {
  const isLoopback = url.hostname === 'localhost' || url.hostname === '127.0.0.1' || url.hostname === '[::1]';
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback);
}
