import { KeyPassClient } from '../../sdk/node-sdk/src/index.ts';
import { Vault } from '../../sdk/vault/src/index.ts';
import { createPostgresDatabase } from '../harness/postgres.ts';
import { until } from '../harness/proxy.ts';
import { delta } from '../harness/streams.ts';
import { chunk, eventStreamHead, type RawExchange, startRawUpstream } from '../harness/upstream.ts';
import { deploy } from './deployment.ts';
import { type Fault, type TrialResult, withCleanup } from './faults.ts';
import type { Instance } from './instance.ts';

interface CutTrial {
  /** Two processes on one PostgreSQL, or one with the embedded database. */
  readonly kind: 'embedded' | 'postgres';
  /** Streams of each connection on each instance. */
  readonly streams: number;
  readonly rounds: number;
  /** How soon the provider has to see it, in milliseconds; null where time is not looked at. */
  readonly goalMs: number | null;
}

interface Scene {
  readonly instances: readonly Instance[];
  readonly vault: Vault;
  readonly exchanges: RawExchange[];
}

/** A connection that is about to end. */
interface Subject {
  readonly accessToken: string;
  /** Resolves at the moment from which no stream of it may go on. */
  end(): Promise<number>;
}

const connection = { name: 'cut', providers: ['openai'], budgetCents: 10_000 };

/** Ways in which a connection, or its key, comes to its end while calls run; each with the reason that apps are told. */
const ways: Readonly<Record<string, { reason: string; begin: (scene: Scene) => Promise<Subject> }>> = {
  revoked: {
    reason: 'connection_revoked',
    begin: (scene) => ending(scene, ({ vault }, id) => vault.connections.revoke(id)),
  },
  paused: {
    reason: 'connection_paused',
    begin: (scene) => ending(scene, ({ vault }, id) => vault.connections.update(id, { paused: true })),
  },
  'let go by the app': {
    reason: 'connection_revoked',
    begin: (scene) =>
      ending(scene, ({ instances: [first] }, _, accessToken) => {
        const headers = { authorization: `Bearer ${accessToken}` };
        return fetch(`${first?.url}/v1/connection`, { method: 'DELETE', headers });
      }),
  },
  expired: { reason: 'connection_expired', begin: expiring },
  'key deleted': { reason: 'key_missing', begin: withKeyDeleted },
  'app removed': { reason: 'connection_revoked', begin: withAppRemoved },
};

/** Ends connections in each way while streams of theirs run on every instance, and looks at how soon these end. */
export function runCutTrial(trial: CutTrial): Promise<TrialResult> {
  return withCleanup(async (onEnd) => {
    const exchanges: RawExchange[] = [];
    const upstream = await startRawUpstream((exchange) => exchanges.push(exchange));
    onEnd(() => upstream.stop());
    const cluster = trial.kind === 'postgres' ? await createPostgresDatabase() : undefined;
    if (cluster !== undefined) onEnd(() => cluster.drop());
    const database = cluster === undefined ? { count: 1 } : { count: 2, databaseUrl: cluster.url };
    const instances = await deploy({ ...database, onEnd, provider: upstream.origin });
    const person = { baseUrl: instances[0]?.url ?? '', email: 'ada@example.com', password: 'a long password' };
    const { vault } = await Vault.register(person);
    await vault.keys.add({ provider: 'openai', secret: `sk-proj-${'t'.repeat(40)}` });
    const tally = new Tally(trial.goalMs);
    for (const way of Object.keys(ways)) {
      for (let round = 0; round < trial.rounds; round += 1)
        await cutOnce({ instances, vault, exchanges }, way, trial, tally);
    }
    return { faults: tally.faults, figures: tally.figures() };
  });
}

async function cutOnce(scene: Scene, way: string, { streams }: CutTrial, tally: Tally): Promise<void> {
  const { instances, exchanges } = scene;
  const { reason = '', begin } = ways[way] ?? {};
  const subject = await begin?.(scene);
  if (subject === undefined) throw new Error(`no such way: ${way}`);
  exchanges.length = 0;
  const clients = instances.flatMap((instance) =>
    Array.from({ length: streams }, () => follow(instance, subject.accessToken)),
  );
  await until(() => exchanges.length === clients.length);
  const first = Buffer.concat([Buffer.from(eventStreamHead), chunk(delta('word '))]);
  const seen = exchanges.map((exchange) => exchange.closed.then(() => performance.now()));
  await Promise.all(exchanges.map((exchange) => exchange.write(first)));
  await until(() => clients.every(({ hasBegun }) => hasBegun()));
  const endedAt = await subject.end();
  const times = (await Promise.all(seen)).map((at) => Math.max(0, at - endedAt));
  for (const { ended } of clients) {
    const text = await ended;
    if (!text.includes(reason)) tally.fault('the app was not told why', `${way}: ${text.slice(-300)}`);
    if (text.includes('[DONE]')) tally.fault('the stream looked whole', way);
  }
  tally.add(way, times);
}

/** Reads a stream to its end, whichever way that comes. */
function follow({ url }: Instance, token: string) {
  let text = '';
  const read = async () => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = {
      model: 'gpt-4o-mini',
      stream: true,
      max_tokens: 50,
      messages: [{ role: 'user', content: 'Hello.' }],
    };
    const init = { method: 'POST', headers, body: JSON.stringify(body), keepalive: false };
    try {
      const { body: stream } = await fetch(`${url}/openai/v1/chat/completions`, init);
      for await (const bytes of stream ?? []) text += Buffer.from(bytes).toString();
    } catch {
      // A cut connection is how a stream ends here.
    }
    return text;
  };
  return { ended: read(), hasBegun: () => text.includes('word') };
}

async function ending(
  scene: Scene,
  act: (scene: Scene, id: string, accessToken: string) => Promise<unknown>,
): Promise<Subject> {
  const { id, accessToken } = await scene.vault.connections.create(connection);
  return { accessToken, end: () => act(scene, id, accessToken).then(() => performance.now()) };
}

/** Policies have whole seconds: time enough for the streams to begin. */
const approvalMs = 3_000;

async function expiring({ vault }: Scene): Promise<Subject> {
  const expiresAt = new Date(Math.ceil((Date.now() + approvalMs) / 1000) * 1000);
  const { accessToken } = await vault.connections.create({ ...connection, expiresAt });
  return {
    accessToken,
    async end() {
      await Bun.sleep(expiresAt.getTime() - Date.now());
      return performance.now();
    },
  };
}

async function withKeyDeleted({ vault }: Scene): Promise<Subject> {
  const key = await vault.keys.add({ provider: 'openai', secret: `sk-proj-${'u'.repeat(40)}` });
  const providers = [{ id: 'openai', keyId: key.id }];
  const { accessToken } = await vault.connections.create({ ...connection, providers });
  return { accessToken, end: () => vault.keys.remove('openai', key.id).then(() => performance.now()) };
}

async function withAppRemoved({ vault, instances: [first] }: Scene): Promise<Subject> {
  const app = await vault.apps.create({ name: 'Cut', allowedOrigins: ['https://cut.example'] });
  const { id, clientId, clientSecret } = app;
  const client = new KeyPassClient({ clientId, clientSecret, baseUrl: first?.url ?? '' });
  const { linkToken } = await client.createLinkSession({ requestedProviders: ['openai'] });
  const { publicToken } = await vault.link.approve(linkToken, { providers: ['openai'], budgetCents: 1_000 });
  const { accessToken } = await client.exchangePublicToken(publicToken ?? '');
  return { accessToken, end: () => vault.apps.remove(id).then(() => performance.now()) };
}

/** What was seen, way by way. */
class Tally {
  readonly faults: Fault[] = [];
  readonly #times = new Map<string, number[]>();
  readonly #goalMs: number | null;

  constructor(goalMs: number | null) {
    this.#goalMs = goalMs;
  }

  fault(rule: string, detail: string): void {
    this.faults.push({ rule, detail });
  }

  add(way: string, times: readonly number[]): void {
    this.#times.set(way, [...(this.#times.get(way) ?? []), ...times]);
    const late = times.filter((time) => this.#goalMs !== null && time > this.#goalMs);
    for (const time of late)
      this.fault(`the provider saw it later than after ${this.#goalMs} ms`, `${way}: ${time} ms`);
  }

  figures(): Record<string, string> {
    return Object.fromEntries(
      [...this.#times].map(([way, times]) => {
        const sorted = times.toSorted((a, b) => a - b);
        const [median = 0, most = 0] = [sorted[sorted.length >> 1], sorted.at(-1)];
        return [
          way,
          `${times.length} streams · provider saw it after ${median.toFixed(1)} ms, at most ${most.toFixed(1)}`,
        ];
      }),
    );
  }
}
