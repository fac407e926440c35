import { connect as connectTo } from 'node:net';
import { Vault } from '../../sdk/vault/src/index.ts';
import type { Receipt } from '../../sdk/vault/src/usage.ts';
import { openTestDatabase, type DatabaseKind } from '../harness/databases.ts';
import { until } from '../harness/proxy.ts';
import { startTestServer, type TestServer } from '../harness/server.ts';
import { chunk, eventStreamHead, startRawUpstream, type RawExchange } from '../harness/upstream.ts';
import { abortedApis, expectedUsage, markOf, type AbortedApi, type SentEvent } from './abort-streams.ts';
import { type Fault, type TrialResult, withCleanup } from './faults.ts';

interface AbortTrial {
  readonly kind: DatabaseKind;
  /** At every event of each stream, or at those where something changes. */
  readonly points: 'all' | 'few';
  /** How soon the provider has to see it when the client leaves, in milliseconds; null where time is not looked at. */
  readonly goalMs: number | null;
}

const providers = ['openai', 'anthropic', 'google', 'groq'] as const;

/** After how many events a stream ends: −1 before the headers, 0 with them. */
function pointsOf({ events }: AbortedApi, end: End, points: AbortTrial['points']): number[] {
  const stop = events.findIndex(({ stops }) => stops);
  if (points === 'few') return end === 'left' ? [-1, 0, 1, stop >> 1, stop, stop + 1] : [stop];
  const all = Array.from({ length: events.length + 2 }, (_, at) => at - 1);
  if (end === 'left') return all;
  // Nobody could tell whether a hidden event had passed before the end came.
  return all.filter((sent) => sent > 0 && !events[sent - 1]?.isHidden);
}

/** Of one abort that the provider saw late. */
const mostAttempts = 3;

/** How a stream ends before its end. */
const ends = ['left', 'broken', 'cut'] as const;
type End = (typeof ends)[number];

interface Scene {
  readonly server: TestServer;
  readonly vault: Vault;
  /** The next request that reaches the provider. */
  readonly nextExchange: () => Promise<RawExchange>;
}

interface Connection {
  readonly id: string;
  readonly accessToken: string;
  lastReceipt?: string;
}

/** One stream that was ended early: what was booked, and how long it took until the provider saw it. */
interface Aborted {
  readonly receipt: Receipt | undefined;
  /** After the client's leaving, or after the owner's revocation was answered; null where there was no abort to see. */
  readonly seenMs: number | null;
}

/** Ends streams of each API at each event, through the server's front door, and looks at what the receipts say. */
export async function runAbortTrial(trial: AbortTrial): Promise<TrialResult> {
  return withCleanup(async (onEnd) => {
    const waiting: RawExchange[] = [];
    const upstream = await startRawUpstream((exchange) => waiting.push(exchange));
    onEnd(() => upstream.stop());
    const database = await openTestDatabase(trial.kind);
    onEnd(() => database.close());
    const settings = Object.fromEntries(
      providers.map((name) => [`KEYPASS_${name.toUpperCase()}_BASE_URL`, upstream.origin]),
    );
    const server = await startTestServer({ database, settings });
    onEnd(() => server.stop());
    const person = { baseUrl: server.url, email: 'ada@example.com', password: 'a long password' };
    const { vault } = await Vault.register(person);
    for (const provider of providers) await vault.keys.add({ provider, secret: 'k'.repeat(40) });
    const nextExchange = async () => {
      await until(() => waiting.length > 0);
      const exchange = waiting.shift();
      if (exchange === undefined) throw new Error('nothing has reached the provider');
      return exchange;
    };
    const tally = new Tally();
    for (const api of abortedApis) await abortEverywhere({ server, vault, nextExchange }, api, trial, tally);
    return { faults: tally.faults, figures: tally.figures() };
  });
}

async function abortEverywhere(scene: Scene, api: AbortedApi, trial: AbortTrial, tally: Tally): Promise<void> {
  const { length } = api.events;
  let connection: Connection | undefined;
  for (const end of ends) {
    for (const sent of pointsOf(api, end, trial.points)) {
      const at = `${api.name}, ${end} after ${sent} of ${length} events`;
      for (let attempt = 1; ; attempt += 1) {
        connection ??= await connect(scene);
        const aborted = await abortOnce(scene, connection, api, sent, end);
        if (end === 'cut') connection = undefined;
        const rules = faultsOf(api, sent, end, aborted.receipt);
        const isLate = trial.goalMs !== null && aborted.seenMs !== null && aborted.seenMs > trial.goalMs;
        // The machine can stall for as long at any moment, but not each time at the same one.
        const isRepeated = isLate && attempt < mostAttempts;
        if (isLate && !isRepeated) rules.push(`the provider saw it later than after ${trial.goalMs} ms, each time`);
        tally.add(api, end, aborted, rules, at);
        if (!isRepeated) break;
      }
    }
  }
}

function connect({ vault }: Scene): Promise<Connection> {
  return vault.connections.create({ name: 'app', providers: [...providers], budgetCents: 10_000 });
}

/** `sent` −1: not even the headers have come; 0: the headers alone. */
async function abortOnce(scene: Scene, connection: Connection, api: AbortedApi, sent: number, end: End) {
  const { server, vault, nextExchange } = scene;
  const client = startClient(server, api, connection.accessToken);
  const exchange = await nextExchange();
  if (sent >= 0) await exchange.write(eventStreamHead);
  if (sent === 0) await until(() => client.received().includes('text/event-stream'));
  for (const [at, { bytes, isHidden }] of eventsOf(api, sent).entries()) {
    await exchange.write(chunk(bytes));
    if (!isHidden) await until(() => client.received().includes(markOf(at).trim()));
  }
  const closedAt = exchange.closed.then(() => performance.now());
  let endedAt = performance.now();
  if (end === 'left') client.leave();
  else if (end === 'broken') exchange.reset();
  else {
    await vault.connections.revoke(connection.id);
    endedAt = performance.now();
  }
  const isDrained = end === 'left' && hasStopped(api, sent);
  if (isDrained) {
    const rest = api.events.slice(sent).map(({ bytes }) => chunk(bytes));
    await exchange.write(Buffer.concat([...rest, chunk('')]));
  }
  const seenMs = isDrained || end === 'broken' ? null : Math.max(0, (await closedAt) - endedAt);
  await client.closed;
  return { receipt: await receiptOf(scene, connection), seenMs };
}

function eventsOf(api: AbortedApi, sent: number): readonly SentEvent[] {
  return api.events.slice(0, Math.max(0, sent));
}

function hasStopped(api: AbortedApi, sent: number): boolean {
  return eventsOf(api, sent).some(({ stops }) => stops);
}

/** The newest receipt of a connection, once there is a new one. */
async function receiptOf({ server, vault }: Scene, connection: Connection): Promise<Receipt | undefined> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    await server.settled();
    const { items } = await vault.calls({ connectionId: connection.id, limit: 1 });
    const [newest] = items;
    if (newest !== undefined && newest.id !== connection.lastReceipt) {
      connection.lastReceipt = newest.id;
      return newest;
    }
  }
  return undefined;
}

/** A client on a bare socket: its leaving is seen at once, whatever a library would do first. */
function startClient({ url }: TestServer, { path, body }: AbortedApi, token: string) {
  const text = JSON.stringify(body);
  const received: Buffer[] = [];
  const socket = connectTo(Number(new URL(url).port), 'localhost');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('data', (data) => received.push(data));
  socket.on('error', () => socket.destroy());
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: ${new URL(url).host}`,
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${text}`);
  const leave = () => void socket.destroy();
  return { closed, leave, received: () => Buffer.concat(received).toString('utf8') };
}

/** What a receipt says that it should not, in words. */
function faultsOf(api: AbortedApi, sent: number, end: End, receipt: Receipt | undefined): string[] {
  if (receipt === undefined) return ['no receipt'];
  const { quality, flags, usage, cost } = receipt;
  const faults: string[] = [];
  const demand = (holds: boolean, rule: string) => void (holds || faults.push(rule));
  demand(Number(cost) > 0, 'booked at nothing');
  if (sent < 1) {
    demand(quality === 'unknown' && flags.length > 0, 'not flagged as unknown where nothing was seen');
    return faults;
  }
  const events = eventsOf(api, sent);
  const isMeasured = events.some(({ states }) => states) || (end === 'left' && hasStopped(api, sent));
  const { input, output } = isMeasured ? api.final : expectedUsage(api, events);
  const booked = `${Number(usage?.['uncachedInput'])} in, ${Number(usage?.['output'])} out`;
  demand(booked === `${input} in, ${output} out`, `booked ${booked} instead of ${input} in, ${output} out`);
  demand(quality === (isMeasured ? 'measured' : 'estimated'), `not ${isMeasured ? 'measured' : 'estimated'}`);
  if (isMeasured) return faults;
  demand(flags.includes(`ended_${end}`), 'not flagged with how it ended');
  demand(flags.includes('usage_missing'), 'not flagged as without usage');
  const how = api.mostOutput === undefined ? 'output_counted' : 'output_at_most';
  demand(flags.includes(how), 'not flagged with how it was counted');
  return faults;
}

/** What was seen, API by API. */
class Tally {
  readonly faults: Fault[] = [];
  readonly #counts = new Map<string, { aborts: number; measured: number; left: number[]; cut: number[] }>();

  add({ name }: AbortedApi, end: End, { receipt, seenMs }: Aborted, rules: readonly string[], at: string): void {
    for (const row of [name, 'all']) {
      const counts = this.#counts.get(row) ?? { aborts: 0, measured: 0, left: [], cut: [] };
      this.#counts.set(row, counts);
      counts.aborts += 1;
      if (receipt?.quality === 'measured') counts.measured += 1;
      if (seenMs !== null && end !== 'broken') counts[end].push(seenMs);
    }
    const said =
      receipt === undefined ? 'no receipt' : `${receipt.quality} $${receipt.cost} [${receipt.flags.join(' ')}]`;
    const took = seenMs === null ? '' : `, ${seenMs.toFixed(1)} ms`;
    this.faults.push(...rules.map((rule) => ({ rule, detail: `${at}: ${said}${took}` })));
  }

  figures(): Record<string, string> {
    const rows = [...this.#counts].toSorted(([a], [b]) => Number(a === 'all') - Number(b === 'all'));
    const texts = rows.map(([name, { aborts, measured, left, cut }]): [string, string] => {
      const times = `left: ${spread(left)} · revoked: ${spread(cut)}`;
      return [name, `${aborts} aborts · provider saw ${times} · ${measured} measured after the stop`];
    });
    return Object.fromEntries(texts);
  }
}

/** Median and most. */
function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const [median = 0, most = 0] = [sorted[sorted.length >> 1], sorted.at(-1)];
  return `${median.toFixed(1)} ms, at most ${most.toFixed(1)}`;
}
