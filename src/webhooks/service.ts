import type { Clock } from '../clock.ts';
import type { Database, Tx } from '../database/connect.ts';
import { KeyPassError } from '../errors.ts';
import { Limiter } from '../http/limiter.ts';
import { pageOf, type PageRequest } from '../http/pages.ts';
import { attemptsInARound } from './retries.ts';
import type { WebhookSecrets } from './secrets.ts';
import * as store from './store.ts';
import type { WebhookTargets } from './targets.ts';

/** How long events and the log of their deliveries are kept. */
const keptMs = 30 * 24 * 3600 * 1000;

interface Parts {
  database: Database;
  clock: Clock;
  secrets: WebhookSecrets;
  targets: WebhookTargets;
}

/** The webhooks of apps, for their developers: secret, log, test and repeat. */
export class Webhooks {
  readonly #parts: Parts;
  /** Each of these makes this server call somebody: a few at once, then one every six seconds. */
  readonly #calls: Limiter;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#calls = new Limiter(10, 6000, () => parts.clock.now().getTime());
  }

  /** Takes an app's new URL, or none, as part of a change of the app. Answers the secret where it is the first. */
  async change(tx: Tx, appId: string, before: string | null, url: string | null): Promise<string | undefined> {
    if (url === before) return undefined;
    if (url === null) {
      await this.#parts.secrets.remove(tx, appId);
      return undefined;
    }
    this.#parts.targets.check(url);
    return before === null ? (await this.#parts.secrets.create(tx, appId)).webhookSecret : undefined;
  }

  /** A new secret, shown once; deliveries are signed with the old one too for a day. */
  async rotateSecret(userId: string, appId: string) {
    return this.#parts.database.begin(async (tx) => {
      refuseMissing(await store.findOwnWebhookForUpdate(tx, userId, appId));
      return this.#parts.secrets.create(tx, appId);
    });
  }

  /** What the app was told, the newest first, and how each attempt went. */
  async deliveries(userId: string, appId: string, page: PageRequest) {
    const { sql } = this.#parts.database;
    if ((await store.findOwnWebhook(sql, userId, appId)) === undefined) throw appNotFound();
    const rows = await store.listEvents(sql, appId, page);
    const { items, nextCursor } = pageOf(
      rows,
      page.limit,
      (row) => ({ at: row.createdAt, id: row.id }),
      (row) => row,
    );
    const attempts = await store.listAttempts(
      sql,
      items.map(({ id }) => id),
    );
    const withAttempts = items.map((event) => ({
      ...event,
      attempts: attempts.filter(({ eventId }) => eventId === event.id),
    }));
    return { items: withAttempts, nextCursor };
  }

  /** An event that says nothing, to see whether it arrives. */
  async sendTest(userId: string, appId: string): Promise<{ eventId: string }> {
    const { database, clock } = this.#parts;
    refuseMissing(await store.findOwnWebhook(database.sql, userId, appId));
    this.#calls.take(appId);
    const event = { id: crypto.randomUUID(), type: 'ping', data: '{}', createdAt: clock.now() };
    await store.insertAppEvent(database.sql, appId, event);
    return { eventId: event.id };
  }

  /** Delivers an event once more, at once and with a whole round of retries, whatever became of it before. */
  async redeliver(userId: string, appId: string, eventId: string): Promise<{ eventId: string }> {
    const { sql } = this.#parts.database;
    refuseMissing(await store.findOwnWebhook(sql, userId, appId));
    this.#calls.take(appId);
    if (!(await store.updateEventDue(sql, appId, eventId, attemptsInARound))) {
      throw new KeyPassError('event_not_found', 'There is no such event of this app. Events are kept for 30 days.');
    }
    return { eventId };
  }

  async sweep(): Promise<void> {
    const { database, clock, secrets } = this.#parts;
    await store.deleteEventsBefore(database.sql, new Date(clock.now().getTime() - keptMs));
    await secrets.sweep();
  }
}

function refuseMissing(row: { webhookUrl: string | null } | undefined): void {
  if (row === undefined) throw appNotFound();
  if (row.webhookUrl !== null) return;
  throw new KeyPassError('webhook_missing', 'The app has no webhook URL. Set one first.');
}

function appNotFound(): KeyPassError {
  return new KeyPassError('app_not_found', 'There is no such app.');
}
