import { audit } from './audit.ts';
import { Chance } from './chance.ts';
import { Cluster } from './cluster.ts';
import { approve, capsOf, deploy } from './deployment.ts';
import { type Fault, type TrialResult, withCleanup } from './faults.ts';
import { deathsOf, type Instance, loggedBy } from './instance.ts';
import { Plans } from './plans.ts';
import { startTrialProvider } from './provider.ts';
import { faultsOf, Observer, openReader, type Query, readRows, readStandings } from './reader.ts';
import { Traffic } from './traffic.ts';

export interface CrashTrial {
  readonly seed: number;
  readonly processes: number;
  readonly workers: number;
  /** How often an instance is killed, and the database. */
  readonly kills: number;
  readonly databaseKills: number;
  /** The longest wait before a kill. */
  readonly calmMs: number;
  /** Waits at the end until the calls of dead instances are resolved. Without, they may still be held. */
  readonly sweeps: boolean;
}

/** US cents: budgets that hold out, and some that do not. */
export const crashBudgets = [1_000_000, 1_000_000, 1_000_000, 300, 100];

const recoveryMs = 30_000;
/** Half a minute of silence, the heartbeat that notices it, and time to spare. */
const sweepMs = 60_000;

/** Kills instances and their PostgreSQL under load, and holds the ledger against the provider's own count. */
export function runCrashTrial(trial: CrashTrial): Promise<TrialResult> {
  return withCleanup((onEnd) => run(trial, onEnd));
}

async function run(trial: CrashTrial, onEnd: (cleanup: () => unknown) => void): Promise<TrialResult> {
  const chance = new Chance(trial.seed);
  // Slow answers, so that every kill meets many calls at every stage.
  const plans = new Plans(chance, 4);
  const provider = await startTrialProvider(plans);
  onEnd(() => provider.stop());
  const cluster = new Cluster();
  onEnd(() => cluster.remove());
  await cluster.start();
  const instances = await deploy({
    count: trial.processes,
    onEnd,
    provider: provider.origin,
    databaseUrl: cluster.url,
  });
  const [first] = instances;
  if (first === undefined) throw new Error('a trial needs a process');
  const subjects = await approve(first, crashBudgets);
  const reader = openReader(cluster.url);
  onEnd(() => reader.close());
  const observer = new Observer(async () => faultsOf(await readStandings(reader.query), capsOf(subjects)));

  const traffic = new Traffic({ plans, instances, subjects, chance, workers: trial.workers });
  const startedAt = performance.now();
  const storm = new Storm(trial, instances, cluster, traffic);
  await storm.rage();
  await Bun.sleep(trial.calmMs);
  await traffic.stop();
  const unresolved = trial.sweeps ? await untilNothingIsHeld(reader.query) : [];
  await Promise.all(instances.map((instance) => instance.end('SIGTERM')));
  await observer.stop();

  const rows = await readRows(reader.query);
  const evidence = { accounts: traffic.accounts(), served: provider.served, rows, isSwept: trial.sweeps };
  const { faults: booked, counts } = audit(evidence);
  const states = faultsOf(await readStandings(reader.query), capsOf(subjects));
  const seen = [...observer.faults, ...traffic.faults(provider.served), ...storm.faults, ...deathsOf(instances)];
  return {
    faults: [...seen, ...unresolved, ...booked, ...states],
    figures: {
      seconds: Math.round((performance.now() - startedAt) / 1000),
      'instances killed': storm.kills,
      'PostgreSQL killed': traffic.absences.length,
      'calls made': traffic.size,
      'calls that arrived': provider.served.size,
      ...Object.fromEntries(traffic.counts()),
      observations: `${observer.observations} (and ${observer.misses} without a server)`,
      receipts: [...counts].map(([name, count]) => `${count} ${name}`).join(', '),
      'errors logged': loggedBy(instances),
    },
  };
}

/** Resolves when the ledger has no hold left; whatever it still has after a while is told. */
async function untilNothingIsHeld(query: Query): Promise<Fault[]> {
  for (const deadline = Date.now() + sweepMs; ;) {
    const held = (await readRows(query)).filter(({ kind }) => kind === 'hold');
    if (held.length === 0) return [];
    if (Date.now() > deadline) return [{ rule: 'holds that nobody resolves', detail: `${held.length} of them` }];
    await Bun.sleep(200);
  }
}

/** The kills, in an order and at moments that chance decides. */
class Storm {
  readonly faults: Fault[] = [];
  kills = 0;
  readonly #trial: CrashTrial;
  readonly #chance: Chance;
  readonly #instances: readonly Instance[];
  readonly #cluster: Cluster;
  readonly #traffic: Traffic;

  constructor(trial: CrashTrial, instances: readonly Instance[], cluster: Cluster, traffic: Traffic) {
    this.#trial = trial;
    // Of its own, so that the moments do not depend on how fast the calls are drawn.
    this.#chance = new Chance(trial.seed + 1);
    this.#instances = instances;
    this.#cluster = cluster;
    this.#traffic = traffic;
  }

  async rage(): Promise<void> {
    let [kills, databaseKills] = [this.#trial.kills, this.#trial.databaseKills];
    while (kills + databaseKills > 0) {
      await Bun.sleep(this.#chance.int(100, this.#trial.calmMs));
      const isDatabase = this.#chance.is(databaseKills / (kills + databaseKills));
      if (isDatabase) databaseKills -= 1;
      else kills -= 1;
      await (isDatabase ? this.#killDatabase() : this.#killInstance());
    }
  }

  async #killInstance(): Promise<void> {
    const instance = this.#chance.pick(this.#instances);
    await this.#end(instance);
    await Bun.sleep(this.#chance.int(0, this.#trial.calmMs));
    await instance.start();
  }

  async #end(instance: Instance): Promise<void> {
    await instance.end('SIGKILL');
    this.kills += 1;
  }

  /** Now and then an instance dies in the same moment, with whatever it could not book. */
  async #killDatabase(): Promise<void> {
    const killedAt = performance.now();
    await this.#cluster.kill();
    const absence = { killedAt, from: performance.now(), restartedAt: Infinity, to: Infinity };
    this.#traffic.absences.push(absence);
    await Bun.sleep(this.#chance.int(200, this.#trial.calmMs));
    const dead = this.#chance.is(0.4) ? this.#chance.pick(this.#instances) : undefined;
    if (dead !== undefined) await this.#end(dead);
    absence.restartedAt = performance.now();
    await this.#cluster.start();
    await dead?.start();
    const deadline = performance.now() + recoveryMs;
    for (const instance of this.#instances) {
      while (!(await instance.isReady()) && performance.now() < deadline) await Bun.sleep(20);
    }
    absence.to = performance.now();
    const detail = `not ready ${recoveryMs} ms after the database was`;
    if (absence.to > deadline) this.faults.push({ rule: 'no recovery', detail });
  }
}
