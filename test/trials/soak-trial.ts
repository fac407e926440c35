import { readFileSync } from 'node:fs';
import { Vault } from '../../sdk/vault/src/index.ts';
import type { Receipt } from '../../sdk/vault/src/usage.ts';
import { createPostgresDatabase } from '../harness/postgres.ts';
import { startRawUpstream } from '../harness/upstream.ts';
import { Chance } from './chance.ts';
import { deploy } from './deployment.ts';
import { type Fault, type TrialResult, withCleanup } from './faults.ts';
import { deathsOf, type Instance, loggedBy } from './instance.ts';
import { audit, type Evidence } from './soak-audit.ts';
import { type Followed, follow } from './soak-client.ts';
import { Meter, type Stream } from './soak-meter.ts';
import { planOf, play, type Source } from './soak-plans.ts';

interface SoakTrial {
  readonly kind: 'embedded' | 'postgres';
  readonly seed: number;
  /** At a time, for so many seconds; one that ends makes room for another. */
  readonly streams: number;
  readonly seconds: number;
  /** The longest that a stream lasts. */
  readonly longestMs: number;
  /** By how much the last third of the time may need more memory than the second; null where it is not looked at. */
  readonly growthBytes: number | null;
}

const mebibyte = 1024 * 1024;
const lookMs = 500;
/** Sockets that are kept for the next call (Bun keeps 64 of an origin), and some files. */
const mostDescriptors = 100;

/** Slow streams through a process of its own, some of them left in their middle, and what is left of it afterwards. */
export function runSoakTrial(trial: SoakTrial): Promise<TrialResult> {
  return withCleanup((onEnd) => run(trial, onEnd));
}

async function run(trial: SoakTrial, onEnd: (cleanup: () => unknown) => void): Promise<TrialResult> {
  const { seed, kind, longestMs } = trial;
  const chance = new Chance(seed);
  const clients = new Map<string, Followed>();
  const sources = new Map<string, Source>();
  const twice: Fault[] = [];
  const upstream = await startRawUpstream((exchange) => {
    const marker = /soak-\d+;/.exec(exchange.body)?.[0] ?? '';
    const plan = clients.get(marker)?.plan;
    if (plan === undefined || sources.has(marker)) {
      twice.push({ rule: 'reached the provider more than once', detail: marker });
      return;
    }
    const source = { exchange, written: 0, held: 0, looks: 0 };
    sources.set(marker, source);
    void play(plan, source);
  });
  onEnd(() => upstream.stop());
  const instance = await start(kind, upstream.origin, onEnd);
  const { vault, id, accessToken } = await approve(instance);
  const meter = new Meter(instance);
  const timer = setInterval(() => meter.look(streamsOf(clients, sources)), lookMs);
  onEnd(() => clearInterval(timer));
  const stream = async () => {
    const plan = planOf(chance, clients.size, longestMs);
    const followed: Followed = { plan, callId: null, status: 0, read: 0, end: 'running' };
    clients.set(plan.marker, followed);
    await follow(instance.url, accessToken, plan, followed);
  };
  await keepRunning(trial, stream);
  clearInterval(timer);

  const receipts = await receiptsOf(vault, id, sources.size);
  const { held } = await vault.connections.get(id);
  const evidence = { clients: [...clients.values()], sources, receipts };
  return {
    faults: [...twice, ...audit(evidence), ...faultsOfRest(trial, meter, held), ...deathsOf([instance])],
    figures: { ...figuresOf(evidence, meter), 'errors logged': loggedBy([instance]) },
  };
}

/** What a process may hold of one stream: a piece in each direction, as large as they come. */
const mostHeld = 16 * 1024 * 1024;

/** The buffers of the sockets on both sides, as large as this Linux makes them (tcp(7), tcp_rmem and tcp_wmem). */
function mostAhead(): number {
  const limits = ['rmem', 'wmem'].map((name) => readFileSync(`/proc/sys/net/ipv4/tcp_${name}`, 'utf8').trim());
  const most = limits.map((limit) => Number(limit.split(/\s+/)[2]));
  return mostHeld + 2 * most.reduce((sum, bytes) => sum + bytes, 0);
}

function streamsOf(clients: ReadonlyMap<string, Followed>, sources: ReadonlyMap<string, Source>): Stream[] {
  return [...sources].flatMap(([marker, source]) => {
    const client = clients.get(marker);
    return client === undefined ? [] : [{ source, client }];
  });
}

async function start(
  kind: SoakTrial['kind'],
  provider: string,
  onEnd: (cleanup: () => unknown) => void,
): Promise<Instance> {
  const cluster = kind === 'postgres' ? await createPostgresDatabase() : undefined;
  if (cluster !== undefined) onEnd(() => cluster.drop());
  const database = cluster === undefined ? {} : { databaseUrl: cluster.url };
  const [instance] = await deploy({ count: 1, onEnd, provider, ...database });
  if (instance === undefined) throw new Error('a trial needs a process');
  return instance;
}

async function approve({ url }: Instance) {
  const { vault } = await Vault.register({ baseUrl: url, email: 'ada@example.com', password: 'a long password' });
  await vault.keys.add({ provider: 'openai', secret: `sk-proj-${'t'.repeat(40)}` });
  const allowance = { name: 'soak', providers: ['openai'], budgetCents: 1_000_000, period: 'total' as const };
  return { vault, ...(await vault.connections.create(allowance)) };
}

/** So many streams at all times, until the time is up and the last of them has ended. */
async function keepRunning({ streams, seconds }: SoakTrial, stream: () => Promise<void>): Promise<void> {
  const endsAt = performance.now() + seconds * 1000;
  const one = async () => {
    while (performance.now() < endsAt) await stream();
  };
  await Promise.all(Array.from({ length: streams }, one));
}

/** All that there are, once there are as many as there must be or nothing more is to be expected. */
async function receiptsOf(vault: Vault, connectionId: string, expected: number): Promise<Receipt[]> {
  for (const deadline = performance.now() + 20_000; ;) {
    const receipts: Receipt[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await vault.calls({ connectionId, limit: 200, ...(cursor ? { cursor } : {}) });
      receipts.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor);
    if (receipts.length >= expected || performance.now() > deadline) return receipts;
    await Bun.sleep(200);
  }
}

function faultsOfRest({ growthBytes }: SoakTrial, meter: Meter, held: string): Fault[] {
  const faults: Fault[] = [];
  const { descriptors } = meter.now();
  const [, second = 0, third = 0] = meter.thirds;
  if (meter.mostAhead > mostAhead())
    faults.push({ rule: 'the provider was let ahead of a reader', detail: inMebibytes(meter.mostAhead) });
  if (Number(held) !== 0) faults.push({ rule: 'still held', detail: held });
  if (descriptors > meter.before.descriptors + mostDescriptors)
    faults.push({ rule: 'files or sockets left open', detail: `${meter.before.descriptors}, then ${descriptors}` });
  if (growthBytes !== null && third - second > growthBytes)
    faults.push({ rule: 'memory grows', detail: `${inMebibytes(second)}, then ${inMebibytes(third)}` });
  return faults;
}

function figuresOf({ clients, sources, receipts }: Evidence, meter: Meter): Record<string, string | number> {
  const ends = Map.groupBy(clients, ({ end }) => end);
  const hoses = clients.flatMap(({ plan }) => (plan.kind === 'hose' ? (sources.get(plan.marker) ?? []) : []));
  const looks = hoses.reduce((sum, source) => sum + source.looks, 0);
  const held = hoses.reduce((sum, source) => sum + source.held, 0);
  const booked = Map.groupBy(receipts, ({ quality, flags }) => [quality, ...flags].join(' '));
  const now = meter.now();
  return {
    streams: `${clients.length}, ${[...ends].map(([end, all]) => `${all.length} ${end}`).join(', ')}`,
    receipts: `${receipts.length}: ${[...booked].map(([how, all]) => `${all.length} ${how}`).join(', ')}`,
    'slow readers': `${hoses.length}; the provider was held back at ${((100 * held) / Math.max(1, looks)).toFixed(1)} % of looks, with up to ${inMebibytes(meter.mostBuffered)} ready`,
    'sent and not read': `at most ${inMebibytes(meter.mostAhead)} of a stream, in all buffers between them`,
    memory: `${inMebibytes(meter.before.bytes)} before, ${meter.thirds.map(inMebibytes).join(' → ')} by thirds, at most ${inMebibytes(meter.most)}, ${inMebibytes(now.bytes)} after`,
    'files and sockets': `${meter.before.descriptors} before, ${now.descriptors} after`,
  };
}

function inMebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}
