/**
 * Measures KeyPass beside nginx and Portkey's gateway: `bun run bench`, with `--write` into docs/benchmarks.md.
 * `--soak 1000000` and `--receipts 10000000` measure endurance in place of that. What is said of it: docs/benchmarks.md.
 */
import { parseArgs } from 'node:util';
import { soak, withReceipts } from './endurance.ts';
import { atRate, saturate, streams, type Target } from './load.ts';
import { busySeconds, conditions, pinSelf, usageOf } from './machine.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { direct, keypass, nginx, portkey, type Running, start, type Subject } from './subjects.ts';
import { goalsOf, median, Samples, tablesOf, writeToPage } from './table.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
    soak: { type: 'string' },
    receipts: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const rate = 500;
const parallelStreams = 20;
/** Runtimes throw compiled code away that was not used for a while, and a round comes back to each program after a minute. */
const warmUpSeconds = 3;
const main = 'KeyPass, PostgreSQL';

/** What is measured in each round: a subject, and maybe with other requests. */
interface Row {
  readonly name: string;
  readonly subject: Subject;
  readonly chat: Target;
  /** Another row of the same subject has the figures that do not depend on the requests. */
  readonly isVariant?: boolean;
}

/** What has to be ended or removed, the latest first, however the run ends. */
const undo: (() => unknown)[] = [];

async function compare(upstream: Upstream, database: PostgresServer): Promise<void> {
  const onPostgres = await keypass(main, upstream, database.url, 50);
  const embedded = await keypass('KeyPass, embedded database', upstream, null, 1);
  const others = [direct(upstream), nginx(upstream), portkey('bun', upstream), portkey('node', upstream)];
  const subjects = [...others, onPostgres.subject, embedded.subject];
  undo.push(...subjects.map((subject) => () => subject.remove()));
  const own = subjects.map((subject) => ({ name: subject.name, subject, chat: subject.chat }));
  const variant = { name: `${main}, 50 connections`, subject: onPostgres.subject, chat: onPostgres.manyConnections };
  const rows: Row[] = [...own.slice(0, 5), { ...variant, isVariant: true }, ...own.slice(5)];

  const samples = new Samples();
  for (let round = 0; round < rounds; round += 1) await measureStarts(subjects, upstream, samples);
  const running = new Map<Subject, Running>();
  for (const subject of subjects) {
    const started = await start(subject, upstream);
    undo.push(() => started.stop());
    running.set(subject, started);
    await Bun.sleep(1000);
    if (started.pid !== undefined) samples.add(subject.name, 'rest', usageOf(started.pid).residentBytes / 1e6);
  }
  const pids = [database.pid, ...[...running.values()].map(({ pid }) => pid)];
  const othersBefore = busyWithOthers(pids);
  const startedAt = performance.now();
  for (let round = 1; round <= rounds; round += 1) {
    console.log(`round ${round} of ${rounds}`);
    for (const row of rows) await measure(row, running.get(row.subject)?.pid, database, samples);
  }
  const share = ((busyWithOthers(pids) - othersBefore) * 1000) / (performance.now() - startedAt);
  report(samples, rows, { Database: database.version, 'Other programs': `${Math.round(100 * share)} % of one core` });
}

/** CPU seconds that went to programs which are not measured here: more than a little spoils every figure but CPU's. */
function busyWithOthers(pids: readonly (number | undefined)[]): number {
  const { user, system } = process.cpuUsage();
  const measured = pids.reduce<number>((sum, pid) => sum + (pid === undefined ? 0 : usageOf(pid).cpu), 0);
  return busySeconds() - measured - (user + system) / 1e6;
}

async function measureStarts(subjects: readonly Subject[], upstream: Upstream, samples: Samples): Promise<void> {
  for (const subject of subjects) {
    if (subject.command === null) continue;
    const started = await start(subject, upstream);
    await started.stop();
    samples.add(subject.name, 'start', started.firstAnswerMs);
  }
}

async function measure(row: Row, pid: number | undefined, database: PostgresServer, samples: Samples): Promise<void> {
  const { name, subject, chat } = row;
  await saturate(chat, 256, warmUpSeconds);
  const before = [cpuOf(pid), cpuOf(database.pid)] as const;
  const few = await saturate(chat, 64, seconds);
  const perCall = (now: number, then: number): number => ((now - then) / few.calls) * 1e6;
  samples.add(name, 'calls64', few.callsPerSecond);
  samples.add(name, 'cpu', perCall(cpuOf(pid), before[0]));
  if (name.startsWith(main)) samples.add(name, 'databaseCpu', perCall(cpuOf(database.pid), before[1]));
  const many = await saturate(chat, 256, seconds);
  samples.add(name, 'calls256', many.callsPerSecond);
  if (pid !== undefined) samples.add(name, 'loaded', usageOf(pid).residentBytes / 1e6);
  const latency = await atRate(chat, rate, seconds);
  samples.add(name, 'p50', latency.p50);
  samples.add(name, 'p99', latency.p99);
  if (row.isVariant === true) return;
  const streamed = await streams(subject.stream, parallelStreams).catch((error: unknown) => {
    console.log(`${name} does not stream: ${error instanceof Error ? error.message : ''}`);
    return undefined;
  });
  samples.add(name, 'first', streamed?.first.p50 ?? NaN);
  samples.add(name, 'frame', streamed?.frame.p50 ?? NaN);
  samples.add(name, 'frameP99', streamed?.frame.p99 ?? NaN);
}

function cpuOf(pid: number | undefined): number {
  return pid === undefined ? NaN : usageOf(pid).cpu;
}

function report(samples: Samples, rows: readonly Row[], seen: Record<string, string>): void {
  const facts = {
    ...conditions(),
    ...seen,
    Rounds: `medians of ${rounds}, ${seconds} s a figure, each program under load for ${warmUpSeconds} s before`,
  };
  const listed = Object.entries(facts).map(([name, value]) => `- ${name}: ${value}`);
  const names = rows.map(({ name }) => name);
  const text = [listed.join('\n'), tablesOf(samples, names), goalsOf(samples, main)].join('\n\n');
  console.log(`\n${text}`);
  if (options.write) writeToPage('comparison', text);
}

async function measureSoak(upstream: Upstream, database: PostgresServer, calls: number): Promise<void> {
  const lines: string[] = [];
  for (const [name, url] of [
    [main, database.url],
    ['KeyPass, embedded database', null],
  ] as const) {
    const { subject } = await keypass(name, upstream, url, 1);
    undo.push(() => subject.remove());
    const resident = await soak(subject, upstream, calls);
    const shown = resident.map((megabytes) => Math.round(megabytes)).join(', ');
    lines.push(`- ${name}, ${calls.toLocaleString('en-US')} calls; MB before them and after each tenth: ${shown}`);
  }
  const { Date: date, Commit: commit } = conditions();
  const text = [`${date}, ${commit}:`, '', ...lines].join('\n');
  console.log(`\n${text}`);
  if (options.write) writeToPage('soak', text);
}

async function measureReceipts(upstream: Upstream, database: PostgresServer, count: number): Promise<void> {
  const { subject } = await keypass(main, upstream, database.url, 50);
  undo.push(() => subject.remove());
  const { few, many, tableBytes } = await withReceipts(subject, upstream, database.url, count, {
    rate,
    seconds,
    rounds,
  });
  const row = (name: string, seen: typeof few): string =>
    `| ${name} | ${median(seen.map(({ p50 }) => p50)).toFixed(2)} | ${median(seen.map(({ p99 }) => p99)).toFixed(2)} |`;
  const { Date: date, Commit: commit } = conditions();
  const size = `${count.toLocaleString('en-US')} more (${(tableBytes / 1e9).toFixed(1)} GB with indexes)`;
  const head = [`| ${rate} calls/s, receipts in the table | p50 ms | p99 ms |`, '|---|---:|---:|'];
  const text = [`${date}, ${commit}:`, '', ...head, row('few', few), row(size, many)].join('\n');
  console.log(`\n${text}`);
  if (options.write) writeToPage('receipts', text);
}

let cleaning: Promise<void> | undefined;

/** Once, also where a signal and the failure that it causes both ask for it. */
function cleanUp(): Promise<void> {
  cleaning ??= (async () => {
    for (const step of undo.toReversed()) await step();
  })();
  return cleaning;
}

pinSelf();
// PostgreSQL is no child of this process and would outlive it.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void cleanUp().finally(() => process.exit(1)));
try {
  const upstream = startUpstream();
  undo.push(() => upstream.stop());
  const database = startPostgres();
  undo.push(() => database.stop());
  if (options.soak !== undefined) await measureSoak(upstream, database, Number(options.soak));
  else if (options.receipts !== undefined) await measureReceipts(upstream, database, Number(options.receipts));
  else await compare(upstream, database);
} finally {
  await cleanUp();
}
