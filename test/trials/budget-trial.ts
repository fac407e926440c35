import { createPostgresDatabase } from '../harness/postgres.ts';
import { type Account, audit } from './audit.ts';
import { Chance } from './chance.ts';
import { attempt, type Outcome } from './client.ts';
import { approve, capOf, capsOf, deploy, type Subject } from './deployment.ts';
import { type Fault, type TrialResult, withCleanup } from './faults.ts';
import { deathsOf, type Instance, loggedBy } from './instance.ts';
import { type Plan, Plans, type Size, sizes } from './plans.ts';
import { startTrialProvider } from './provider.ts';
import { faultsOf, Observer, openReader, readRows, readStandings } from './reader.ts';
import { faultsOfRefusal } from './refusals.ts';

export interface BudgetTrial {
  readonly seed: number;
  readonly processes: number;
  /** Calls at a time on the one budget that most of them share. */
  readonly clients: number;
  readonly capCents: number;
  /** Further connections, each with a budget and two clients of its own. */
  readonly others: number;
  readonly otherCents: number;
  /** After so long it has failed. */
  readonly limitMs: number;
}

/** Spends budgets to their end through several instances at once, and holds every figure against its own. */
export function runBudgetTrial(trial: BudgetTrial): Promise<TrialResult> {
  return withCleanup((onEnd) => run(trial, onEnd));
}

async function run(trial: BudgetTrial, onEnd: (cleanup: () => unknown) => void): Promise<TrialResult> {
  const plans = new Plans(new Chance(trial.seed));
  const provider = await startTrialProvider(plans);
  onEnd(() => provider.stop());
  const database = await createPostgresDatabase();
  onEnd(() => database.drop());
  const instances = await deploy({
    count: trial.processes,
    onEnd,
    provider: provider.origin,
    databaseUrl: database.url,
  });
  const [first] = instances;
  if (first === undefined) throw new Error('a trial needs a process');
  const subjects = await approve(first, [
    trial.capCents,
    ...Array.from({ length: trial.others }, () => trial.otherCents),
  ]);
  const reader = openReader(database.url);
  onEnd(() => reader.close());
  const observer = new Observer(async () => faultsOf(await readStandings(reader.query), capsOf(subjects)));

  const spending = new Spending(trial, plans, instances);
  const startedAt = performance.now();
  await spending.spend(subjects);
  const seconds = (performance.now() - startedAt) / 1000;
  // Stopped as an operator stops them: what has ended is booked before the process is gone.
  await Promise.all(instances.map((instance) => instance.end('SIGTERM')));
  await observer.stop();

  const states = await readStandings(reader.query);
  const rows = await readRows(reader.query);
  const evidence = { accounts: spending.accounts, served: provider.served, rows, isSwept: true };
  const { faults: booked, counts } = audit(evidence);
  const ended = states.flatMap((state) => faultsOfEnd(state, subjects, plans));
  const [main] = states.filter(({ connectionId }) => connectionId === subjects[0]?.id);
  const faults = [...observer.faults, ...spending.faults, ...booked, ...faultsOf(states, capsOf(subjects)), ...ended];
  return {
    faults: [...faults, ...deathsOf(instances)],
    figures: {
      processes: trial.processes,
      seconds: seconds.toFixed(1),
      'calls granted': provider.served.size,
      'granted/s': Math.round(provider.served.size / seconds),
      ...Object.fromEntries(spending.counts),
      'attempts/s': Math.round(spending.attempts / seconds),
      observations: observer.observations,
      'left unspent': `$${Number(BigInt(trial.capCents) * 10_000_000_000n - (main?.spent ?? 0n)) / 1e12}`,
      'smallest bound': `$${Number(closingBound(plans)) / 1e12}`,
      receipts: [...counts].map(([name, count]) => `${count} ${name}`).join(', '),
      'errors logged': loggedBy(instances),
    },
  };
}

/** The bound of the call that every client ends with, the smallest there is. */
function closingBound(plans: Plans): bigint {
  return [...plans.byMarker.values()].find(({ size }) => size === 'closing')?.bound ?? 0n;
}

function faultsOfEnd(
  { connectionId, spent, held }: { connectionId: string; spent: bigint; held: bigint },
  subjects: readonly Subject[],
  plans: Plans,
): Fault[] {
  const subject = subjects.find(({ id }) => id === connectionId);
  const left = (subject === undefined ? 0n : capOf(subject)) - spent;
  const detail = `${connectionId}: left ${left}, held ${held}, smallest bound ${closingBound(plans)}`;
  const rules: string[] = [];
  if (held !== 0n) rules.push('something is held at the end');
  if (left >= closingBound(plans)) rules.push('what is left unspent covers another call');
  return rules.map((rule) => ({ rule, detail }));
}

/** The clients: each calls until not even the smallest call fits its budget. */
class Spending {
  readonly accounts = new Map<string, Account>();
  readonly faults: Fault[] = [];
  readonly counts = new Map<string, number>();
  attempts = 0;
  readonly #trial: BudgetTrial;
  readonly #plans: Plans;
  readonly #instances: readonly Instance[];
  readonly #deadline: number;

  constructor(trial: BudgetTrial, plans: Plans, instances: readonly Instance[]) {
    this.#trial = trial;
    this.#plans = plans;
    this.#instances = instances;
    this.#deadline = Date.now() + trial.limitMs;
  }

  async spend([main, ...others]: readonly Subject[]): Promise<void> {
    if (main === undefined) return;
    const clients = Array.from({ length: this.#trial.clients }, () => main);
    const all = [...clients, ...others, ...others];
    await Promise.all(all.map((subject, index) => this.#client(subject, new Chance(this.#trial.seed * 7919 + index))));
    if (Date.now() > this.#deadline)
      this.faults.push({ rule: 'not done in time', detail: `${this.#trial.limitMs} ms` });
  }

  async #client(subject: Subject, chance: Chance): Promise<void> {
    const fitting = new Set<Size>(sizes);
    while (fitting.size > 0) {
      const open = [...fitting].filter((size) => size !== 'closing' || fitting.size === 1);
      const plan = this.#plans.draw(chance.pick(open));
      const outcome = await this.#callUntilDecided(subject, plan, chance);
      if (outcome === undefined) return;
      if (outcome.code === 'budget_exceeded') fitting.delete(plan.size);
    }
  }

  /** Repeats a call that is refused because of running ones. Nothing once the time is up. */
  async #callUntilDecided(subject: Subject, plan: Plan, chance: Chance): Promise<Outcome | undefined> {
    while (Date.now() < this.#deadline) {
      const outcome = await attempt(chance.pick(this.#instances).url, subject.token, plan);
      this.attempts += 1;
      this.accounts.set(plan.marker, { plan, outcome, wasKilled: false });
      this.#judge(plan, outcome, capOf(subject));
      if (outcome.code !== 'budget_held') return outcome;
      await Bun.sleep((outcome.retryAfter ?? 1) * 1000 * (0.5 + chance.next()));
    }
    return undefined;
  }

  #judge(plan: Plan, outcome: Outcome, cap: bigint): void {
    const { kind, code, status } = outcome;
    const name = kind === 'refused' ? code : kind;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    if (code === 'budget_exceeded' || code === 'budget_held') {
      this.faults.push(...faultsOfRefusal(plan, outcome, cap));
      return;
    }
    const isBrokenOff = plan.status === null && code === 'provider_unreachable';
    const isAnswered =
      plan.status === 401 ? code === 'provider_key_rejected' : kind === 'answered' && status === plan.status;
    if (isAnswered || isBrokenOff || kind === 'left') return;
    const detail = `call ${plan.marker}: ${kind} ${status} ${code}, planned ${plan.status ?? 'to break'}`;
    this.faults.push({ rule: 'a call failed that should not', detail });
  }
}
