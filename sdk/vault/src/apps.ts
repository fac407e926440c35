import { given, integer, integerOrNull, listOf, text, texts, textOrNull, type Fields } from './answer.ts';
import type { Transport } from './transport.ts';

/** An app of this owner as its developer. */
export interface App {
  id: string;
  name: string;
  clientId: string;
  allowedOrigins: string[];
  redirectUris: string[];
  webhookUrl: string | null;
  /** RFC 3339, UTC. */
  createdAt: string;
}

export interface NewApp {
  name: string;
  /** Web origins whose pages may open the Link window for this app. */
  allowedOrigins: readonly string[];
  redirectUris?: readonly string[];
  /** Where the app is told of pauses, changes, revocations and spent budgets. */
  webhookUrl?: string;
}

export interface AppChanges extends Partial<Omit<NewApp, 'webhookUrl'>> {
  /** Null: no webhook any more. */
  webhookUrl?: string | null;
}

/** An event of an app, and how its delivery went or goes on. */
export interface Delivery {
  eventId: string;
  type: string;
  connectionId: string | null;
  /** RFC 3339, UTC; the others too. */
  createdAt: string;
  /** `pending`, `delivered`, or `failed`: given up. */
  state: string;
  /** Null unless it is pending. */
  nextAttemptAt: string | null;
  attempts: DeliveryAttempt[];
}

export interface DeliveryAttempt {
  attempt: number;
  at: string;
  /** Of the answer; null where there was none, and then `failure` says why. */
  status: number | null;
  failure: string | null;
  durationMs: number;
}

/** The apps that this owner develops. They need a session, not an unlocked vault. */
export class Apps {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Registers an app. The secrets are shown this once; `webhookSecret` is null for an app without a webhook. */
  async create(
    app: NewApp,
  ): Promise<{ id: string; clientId: string; clientSecret: string; webhookSecret: string | null }> {
    const { name, allowedOrigins, redirectUris, webhookUrl } = app;
    const body = given({ name, allowedOrigins, redirectUris, webhookUrl });
    const answer = await this.#transport.fields('POST', '/v1/apps', { body });
    return {
      id: text(answer, 'id'),
      clientId: text(answer, 'clientId'),
      clientSecret: text(answer, 'clientSecret'),
      webhookSecret: textOrNull(answer, 'webhookSecret'),
    };
  }

  async list(): Promise<App[]> {
    return (await this.#transport.all('/v1/apps')).map(appOf);
  }

  /** Changes what is named. A first webhook URL comes with its secret, shown this once; else `webhookSecret` is null. */
  async update(id: string, changes: AppChanges): Promise<{ webhookSecret: string | null }> {
    const answer = await this.#transport.fields('PATCH', pathOf(id), { body: given({ ...changes }) });
    return { webhookSecret: textOrNull(answer, 'webhookSecret') };
  }

  /** A new secret; the old one lives on for the overlap that the server grants. */
  async rotateSecret(id: string): Promise<{ clientSecret: string }> {
    const answer = await this.#transport.fields('POST', `${pathOf(id)}/secret`);
    return { clientSecret: text(answer, 'clientSecret') };
  }

  /** A new webhook secret; for a day deliveries are signed with the old one too. Throws `webhook_missing`. */
  async rotateWebhookSecret(id: string): Promise<{ webhookSecret: string }> {
    const answer = await this.#transport.fields('POST', `${pathOf(id)}/webhook/secret`);
    return { webhookSecret: text(answer, 'webhookSecret') };
  }

  /** Sends a `ping` to the webhook; `deliveries` tells how it went. Throws `webhook_missing`, `too_many_attempts`. */
  async testWebhook(id: string): Promise<{ eventId: string }> {
    return { eventId: text(await this.#transport.fields('POST', `${pathOf(id)}/webhook/test`), 'eventId') };
  }

  /** What the app was told in the last 30 days, a page at a time, the newest first. */
  async deliveries(
    id: string,
    page: { limit?: number; cursor?: string } = {},
  ): Promise<{ items: Delivery[]; nextCursor: string | null }> {
    const { items, nextCursor } = await this.#transport.page(`${pathOf(id)}/deliveries`, page);
    return { items: items.map(deliveryOf), nextCursor };
  }

  /** Delivers an event once more, at once. Throws `event_not_found`, `webhook_missing`, `too_many_attempts`. */
  async redeliver(id: string, eventId: string): Promise<void> {
    await this.#transport.request('POST', `${pathOf(id)}/deliveries/${encodeURIComponent(eventId)}/redeliver`);
  }

  /** Removes an app and revokes every connection to it. */
  async remove(id: string): Promise<void> {
    await this.#transport.request('DELETE', pathOf(id));
  }
}

function pathOf(id: string): string {
  return `/v1/apps/${encodeURIComponent(id)}`;
}

function appOf(fields: Fields): App {
  return {
    id: text(fields, 'id'),
    name: text(fields, 'name'),
    clientId: text(fields, 'clientId'),
    allowedOrigins: texts(fields, 'allowedOrigins'),
    redirectUris: texts(fields, 'redirectUris'),
    webhookUrl: textOrNull(fields, 'webhookUrl'),
    createdAt: text(fields, 'createdAt'),
  };
}

function deliveryOf(fields: Fields): Delivery {
  return {
    eventId: text(fields, 'eventId'),
    type: text(fields, 'type'),
    connectionId: textOrNull(fields, 'connectionId'),
    createdAt: text(fields, 'createdAt'),
    state: text(fields, 'state'),
    nextAttemptAt: textOrNull(fields, 'nextAttemptAt'),
    attempts: listOf(fields['attempts'], 'attempts').map((attempt) => ({
      attempt: integer(attempt, 'attempt'),
      at: text(attempt, 'at'),
      status: integerOrNull(attempt, 'status'),
      failure: textOrNull(attempt, 'failure'),
      durationMs: integer(attempt, 'durationMs'),
    })),
  };
}
