import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { isPlainObject } from '../../src/crypto/index.ts';
import { audit } from './audit.ts';
import { Chance } from './chance.ts';
import { type CrashTrial, crashBudgets } from './crash-trial.ts';
import { approve, capOf, capsOf, deploy, type Subject } from './deployment.ts';
import { type Fault, type TrialResult, withCleanup } from './faults.ts';
import { deathsOf, type Instance, loggedBy } from './instance.ts';
import { picoOf, Plans } from './plans.ts';
import { startTrialProvider } from './provider.ts';
import { faultsOf, Observer, type Query, readRows, readStandings } from './reader.ts';
import { Traffic } from './traffic.ts';

export type EmbeddedTrial = Pick<CrashTrial, 'seed' | 'workers' | 'kills' | 'calmMs'>;

/** Longer than a dead instance's calls stay open. */
const sweepMs = 60_000;
/** Between two looks: they go through the one connection that all calls share. */
const restMs = 100;

/** Kills the only instance of an embedded database under load and starts it again on the same folder. */
export function runEmbeddedTrial(trial: EmbeddedTrial): Promise<TrialResult> {
  return withCleanup((onEnd) => run(trial, onEnd));
}

async function run(trial: EmbeddedTrial, onEnd: (cleanup: () => unknown) => void): Promise<TrialResult> {
  const chance = new Chance(trial.seed);
  // Slow answers, so that every kill meets many calls at every stage.
  const plans = new Plans(chance, 4);
  const provider = await startTrialProvider(plans);
  onEnd(() => provider.stop());
  const [instance] = await deploy({ count: 1, onEnd, provider: provider.origin });
  if (instance === undefined) throw new Error('a trial needs a process');
  const subjects = await approve(instance, crashBudgets);
  // Nobody else can open the folder while the instance runs: what can be seen of it is what it tells.
  const observer = new Observer(async () => {
    await Bun.sleep(restMs);
    return (await Promise.all(subjects.map((each) => told(instance, each)))).flat();
  });

  const traffic = new Traffic({ plans, instances: [instance], subjects, chance, workers: trial.workers });
  const startedAt = performance.now();
  await killRepeatedly(trial, instance);
  await traffic.stop();
  await untilNothingIsHeld(instance, subjects);
  await observer.stop();
  await instance.end('SIGTERM');

  const [rows, states] = await inFolder(instance, async (query) => [await readRows(query), await readStandings(query)]);
  const { faults: booked, counts } = audit({
    accounts: traffic.accounts(),
    served: provider.served,
    rows,
    isSwept: true,
  });
  const seen = [...observer.faults, ...traffic.faults(provider.served), ...deathsOf([instance])];
  return {
    faults: [...seen, ...booked, ...faultsOf(states, capsOf(subjects))],
    figures: {
      seconds: Math.round((performance.now() - startedAt) / 1000),
      'instance killed': instance.life,
      'calls made': traffic.size,
      'calls that arrived': provider.served.size,
      ...Object.fromEntries(traffic.counts()),
      observations: `${observer.observations} (and ${observer.misses} without a server)`,
      receipts: [...counts].map(([name, count]) => `${count} ${name}`).join(', '),
      'errors logged': loggedBy([instance]),
    },
  };
}

async function killRepeatedly({ seed, kills, calmMs }: EmbeddedTrial, instance: Instance): Promise<void> {
  const chance = new Chance(seed + 1);
  for (let kill = 0; kill < kills; kill += 1) {
    await Bun.sleep(chance.int(300, calmMs));
    await instance.end('SIGKILL');
    await instance.start();
  }
  await Bun.sleep(calmMs);
}

/** The budget of a connection as its app is told of it. */
async function told(instance: Instance, subject: Subject): Promise<Fault[]> {
  const { spent, held } = await standingOf(instance, subject);
  if (spent + held <= capOf(subject)) return [];
  return [{ rule: 'spent + held above the cap', detail: `${subject.id}: spent ${spent}, held ${held}` }];
}

async function standingOf({ url }: Instance, { token }: Subject): Promise<{ spent: bigint; held: bigint }> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/v1/connection`, { headers, keepalive: false });
  const body: unknown = await response.json();
  const data = isPlainObject(body) && isPlainObject(body['data']) ? body['data'] : {};
  return { spent: picoOf(String(data['spent'])), held: picoOf(String(data['held'])) };
}

/** Until nothing is held, or for so long that whatever still is will be found by the audit. */
async function untilNothingIsHeld(instance: Instance, subjects: readonly Subject[]): Promise<void> {
  for (const deadline = Date.now() + sweepMs; Date.now() < deadline;) {
    const states = await Promise.all(subjects.map((subject) => standingOf(instance, subject)));
    if (states.every(({ held }) => held === 0n)) return;
    await Bun.sleep(200);
  }
}

/** Opens the database in the folder of an instance that does not run. */
async function inFolder<T>({ folder }: Instance, work: (query: Query) => Promise<T>): Promise<T> {
  const database = await PGlite.create(join(folder, 'database'));
  try {
    return await work(async (statement) => (await database.query<Record<string, unknown>>(statement)).rows);
  } finally {
    await database.close();
  }
}
