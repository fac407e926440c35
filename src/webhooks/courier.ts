import type { Clock } from '../clock.ts';
import { isPlainObject, parsePolicy } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';
import { attemptsInARound, pauseAfter } from './retries.ts';
import { Sender, type Network, type Outcome } from './sender.ts';
import type { WebhookSecrets } from './secrets.ts';
import { signatureOf } from './signature.ts';
import * as store from './store.ts';
import type { WebhookTargets } from './targets.ts';

interface Parts {
  database: Database;
  clock: Clock;
  secrets: WebhookSecrets;
  targets: WebhookTargets;
  network: Network;
  userAgent: string;
  onFault: (event: string, error: unknown) => void;
  /** For one attempt as a whole. */
  timeoutMs?: number;
}

const lookMs = 1000;
const timeoutMs = 10_000;
/** Well above an attempt with its statements: a lease runs out only under an instance that died. */
const leaseMs = 30_000;
/** Attempts at a time, of this instance and of one app: a slow hook holds itself up, not the others. */
const mostRunning = 32;
const mostPerApp = 4;

/**
 * Carries the outbox to the apps: at least once, in no promised order. Any number of instances do it side by side; no
 * transaction and no lock is held while an app answers.
 */
export class Courier {
  readonly #parts: Parts;
  readonly #sender: Sender;
  /** What is being delivered, by event. */
  readonly #running = new Map<string, { appId: string; done: Promise<void> }>();
  readonly #stopping = new AbortController();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#sender = new Sender(parts.targets, parts.network, parts.timeoutMs ?? timeoutMs);
  }

  /** Delivers from now on; stopping cuts what runs, which is then delivered anew by whoever looks next. */
  start(): () => Promise<void> {
    let looking: Promise<void> | undefined;
    const timer = setInterval(() => {
      looking ??= this.#lookOn().finally(() => (looking = undefined));
    }, lookMs);
    return async () => {
      clearInterval(timer);
      this.#stopping.abort();
      await looking;
      await this.#rest();
    };
  }

  /** Delivers all that is due now, and what becomes due meanwhile. */
  async deliver(): Promise<void> {
    do {
      await this.#look();
      await this.#rest();
    } while ((await this.#look()) > 0);
  }

  /** Looks until nothing more is due, each time when something has arrived or a while has passed. */
  async #lookOn(): Promise<void> {
    while ((await this.#look()) > 0) {
      const pause = Promise.withResolvers<void>();
      const timer = setTimeout(pause.resolve, lookMs);
      await Promise.race([pause.promise, ...[...this.#running.values()].map(({ done }) => done)]);
      clearTimeout(timer);
    }
  }

  async #rest(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  /** Takes what is due and sets out with it; answers how much that was. */
  async #look(): Promise<number> {
    const { database, clock, onFault } = this.#parts;
    const limit = mostRunning - this.#running.size;
    if (limit === 0 || this.#stopping.signal.aborted) return 0;
    const now = clock.now();
    const busy = [...this.#running.values()].map(({ appId }) => appId);
    const lease = { now, leasedUntil: new Date(now.getTime() + leaseMs), limit, perApp: mostPerApp, busy };
    try {
      const events = await store.leaseDueEvents(database.sql, lease);
      for (const event of events) this.#setOut(event);
      return events.length;
    } catch (error) {
      onFault('webhooks_failed', error);
      return 0;
    }
  }

  #setOut(event: store.DueEvent): void {
    const done = this.#carry(event)
      .catch((error: unknown) => this.#parts.onFault('webhook_failed', error))
      .finally(() => this.#running.delete(event.id));
    this.#running.set(event.id, { appId: event.appId, done });
  }

  async #carry(event: store.DueEvent): Promise<void> {
    const { database, clock } = this.#parts;
    const startedAt = clock.now();
    const started = performance.now();
    const outcome = await this.#attempt(event, startedAt).catch((error: unknown) => this.#unsent(error));
    if (outcome === 'stopped') return store.updateLeaseReturned(database.sql, event.id, event.attempts);
    const durationMs = Math.round(performance.now() - started);
    const row = { eventId: event.id, attempt: event.attempts, ...outcome, startedAt, durationMs };
    await store.insertAttempt(database.sql, row, fate(event, outcome, clock.now()));
  }

  /** Counted as an attempt, so that what cannot be sent is given up some day. */
  #unsent(error: unknown): Outcome {
    this.#parts.onFault('webhook_failed', error);
    return { status: null, failure: 'internal_error' };
  }

  async #attempt(event: store.DueEvent, now: Date): Promise<Outcome | 'stopped'> {
    const { secrets, userAgent } = this.#parts;
    const [live, url] = [await secrets.live(event.appId), event.webhookUrl];
    if (url === null || live.length === 0) return { status: null, failure: 'no_webhook' };
    const body = JSON.stringify(payloadOf(event));
    const headers = {
      'content-type': 'application/json',
      'user-agent': userAgent,
      'keypass-event-id': event.id,
      'keypass-signature': await signatureOf(live, body, now),
    };
    return this.#sender.send({ url, headers, body }, this.#stopping.signal);
  }
}

/** What becomes of an event after an attempt. */
function fate({ attempts, lastAttempt }: store.DueEvent, { status, failure }: Outcome, now: Date) {
  if (status !== null && status >= 200 && status < 300) return { state: 'delivered' as const, dueAt: now };
  if (failure === 'no_webhook' || attempts >= lastAttempt) return { state: 'failed' as const, dueAt: now };
  const failed = attempts - (lastAttempt - attemptsInARound);
  return { state: 'pending' as const, dueAt: new Date(now.getTime() + pauseAfter(failed, Math.random())) };
}

/** What an app reads: ids and facts that it may know of its own connection, never a secret or a word of the owner's. */
function payloadOf({ id, type, createdAt, connectionId, policy, data }: store.DueEvent) {
  const clientUserIdHash = policy === null ? null : userOf(policy);
  const connection =
    connectionId === null ? {} : { connectionId, ...(clientUserIdHash === null ? {} : { clientUserIdHash }) };
  return {
    id,
    type,
    createdAt: createdAt.toISOString(),
    data: { ...connection, ...(isPlainObject(data) ? data : {}) },
  };
}

/** The app's own name for the person, as it is sealed into the policy. */
function userOf(policy: Uint8Array): string | null {
  try {
    return parsePolicy(policy).clientUserIdHash;
  } catch {
    // Not what the owner sealed: calls will be refused, and the event goes without it.
    return null;
  }
}
