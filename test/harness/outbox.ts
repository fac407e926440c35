import { Courier } from '../../src/webhooks/courier.ts';
import { WebhookSecrets } from '../../src/webhooks/secrets.ts';
import type { NetworkRequest } from '../../src/webhooks/sender.ts';
import { WebhookTargets } from '../../src/webhooks/targets.ts';
import type { Database } from '../../src/database/connect.ts';
import { call, recordOf, register, type Account } from './people.ts';
import { startTestServer, TestClock, type TestServer } from './server.ts';

/** What a hook answers: a status, or nothing until a test lets it. */
export type Answer = (request: NetworkRequest) => number | Promise<number>;

export const fine: Answer = () => 200;

export interface HookedApp {
  readonly id: string;
  readonly secret: string;
  readonly developer: Account;
}

/** An outbox with couriers that a test sets out by itself, and hooks that answer what it says. */
export class Outbox {
  readonly database: Database;
  readonly server: TestServer;
  readonly clock: TestClock;
  readonly faults: string[] = [];
  /** What the couriers have sent since the last app was made. */
  sent: NetworkRequest[] = [];
  answer = fine;

  private constructor(server: TestServer) {
    this.server = server;
    this.database = server.database;
    this.clock = server.clock;
  }

  static async start(database: Database): Promise<Outbox> {
    return new Outbox(await startTestServer({ database, isIdle: true }));
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  /** One instance, of a server that calls public addresses alone. */
  courier(timeoutMs = 5000): Courier {
    const { database, clock } = this;
    return new Courier({
      database,
      clock,
      secrets: new WebhookSecrets({ database, pepper: this.server.pepper, clock }),
      targets: new WebhookTargets({ origin: 'https://keys.example', allowedHosts: [] }),
      network: {
        resolve: async () => ['93.184.215.14'],
        post: async (request) => {
          this.sent.push(request);
          return this.answer(request);
        },
      },
      userAgent: 'KeyPass/test',
      onFault: (event) => this.faults.push(event),
      timeoutMs,
    });
  }

  /** A new app whose hook answers 200. Its developer is new, too: a session would not outlive leaps of the clock. */
  async hookedApp(): Promise<HookedApp> {
    const developer = await register(this.server);
    const body = { name: 'Notes', allowedOrigins: ['https://notes.example'], webhookUrl: 'https://notes.example/hook' };
    const { data } = await call(this.server, 'POST', '/v1/apps', { token: developer.token, body });
    this.sent = [];
    this.answer = fine;
    return { id: String(data['id']), secret: String(data['webhookSecret']), developer };
  }

  /** Fills in the six columns that any writer of the outbox does. */
  async addEvent(app: HookedApp): Promise<string> {
    const id = crypto.randomUUID();
    await this.database.sql`
      insert into events (id, app_id, connection_id, type, data, created_at)
      values (${id}, ${app.id}, null, 'ping', '{}', ${this.clock.now()})`;
    return id;
  }

  async removeEvents(app: HookedApp): Promise<void> {
    await this.database.sql`delete from events where app_id = ${app.id}`;
  }

  async stateOf(id: string) {
    const [row] = await this.database.sql<{ state: string; attempts: number; dueInMs: number | null }[]>`
      select state, attempts, case when isfinite(due_at) then
        (extract(epoch from due_at - ${this.clock.now()}::timestamptz) * 1000)::float8 end as due_in_ms
      from events where id = ${id}`;
    return row;
  }

  /** Of the events that were sent, in this order. */
  idsSent(): string[] {
    return this.sent.map(({ body }) => String(recordOf(JSON.parse(body))['id']));
  }
}
