import type { Account } from './audit.ts';
import type { Chance } from './chance.ts';
import { attempt, type Outcome } from './client.ts';
import type { Subject } from './deployment.ts';
import type { Fault } from './faults.ts';
import type { Instance } from './instance.ts';
import { type Plan, type Plans, sizes } from './plans.ts';
import type { Served } from './provider.ts';

/** While the database was away; times are of `performance.now()`. */
export interface Absence {
  readonly killedAt: number;
  /** No process of it was left. */
  readonly from: number;
  /** It began to start again. */
  restartedAt: number;
  /** Every instance was ready again. */
  to: number;
}

interface Options {
  readonly plans: Plans;
  readonly instances: readonly Instance[];
  readonly subjects: readonly Subject[];
  readonly chance: Chance;
  readonly workers: number;
}

interface Attempt {
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly instance: Instance;
  /** Of the instance, when the attempt began. */
  readonly life: number;
}

const mostPauseMs = 250;

/** Clients that call through whatever instance is up, one call after the other, until they are stopped. */
export class Traffic {
  readonly absences: Absence[] = [];
  readonly #options: Options;
  readonly #attempts: Attempt[] = [];
  readonly #workers: Promise<void>[];
  #isStopping = false;

  constructor(options: Options) {
    this.#options = options;
    this.#workers = Array.from({ length: options.workers }, () => this.#work());
  }

  /** Resolves when the last call has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#workers);
  }

  get size(): number {
    return this.#attempts.length;
  }

  /** What every client knows of its calls; to be asked when nothing is killed any more. */
  accounts(): Map<string, Account> {
    const entries = this.#attempts.map(({ plan, outcome, instance, life }) => {
      return [plan.marker, { plan, outcome, wasKilled: instance.life !== life }] as const;
    });
    return new Map(entries);
  }

  /** How the calls ended, as their clients saw it. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { outcome } of this.#attempts) {
      const name = outcome.kind === 'refused' ? outcome.code : outcome.kind;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  /** What no client may see: failures that no kill explains, and calls that went up while nothing could be booked. */
  faults(served: ReadonlyMap<string, Served>): Fault[] {
    return this.#attempts.flatMap((each) => {
      const rule = this.#brokenRule(each, served.get(each.plan.marker));
      if (rule === undefined) return [];
      const { kind, status, code, startedAt, endedAt } = each.outcome;
      const times = `${Math.round(startedAt)}–${Math.round(endedAt)} ms`;
      return [{ rule, detail: `call ${each.plan.marker}: ${kind} ${status} ${code}, ${times}, ${this.#when(each)}` }];
    });
  }

  #brokenRule({ plan, outcome, instance, life }: Attempt, bill: Served | undefined): string | undefined {
    const { startedAt, endedAt, kind, code, status } = outcome;
    const isLost = instance.life !== life && kind === 'failed';
    const inAbsence = this.absences.find(({ from, restartedAt }) => startedAt > from && startedAt < restartedAt);
    if (inAbsence !== undefined && bill !== undefined && bill.arrivedAt < inAbsence.restartedAt)
      return 'forwarded while the database was away';
    if (isExpected(plan, outcome) || isLost) return undefined;
    const isAway = this.absences.some(({ killedAt, to }) => startedAt < to && endedAt > killedAt);
    if (!isAway) return 'a call failed that no kill explains';
    return status === 503 && code === 'database_unavailable' ? undefined : 'no 503 while the database was away';
  }

  #when({ outcome }: Attempt): string {
    const spans = this.absences.map(({ from, restartedAt, to }) => [from, restartedAt, to].map(Math.round).join('–'));
    return spans.length === 0 ? `of ${Math.round(outcome.endedAt)}` : `absences ${spans.join(', ')}`;
  }

  async #work(): Promise<void> {
    const { plans, instances, subjects, chance } = this.#options;
    while (!this.#isStopping) {
      await Bun.sleep(chance.int(0, mostPauseMs));
      const up = instances.filter(({ isUp }) => isUp);
      if (up.length === 0) continue;
      const plan = plans.draw(chance.pick(sizes));
      const instance = chance.pick(up);
      const { life } = instance;
      const outcome = await attempt(instance.url, chance.pick(subjects).token, plan);
      this.#attempts.push({ plan, outcome, instance, life });
    }
  }
}

/** As the plan has it, or for want of budget. */
function isExpected(plan: Plan, { kind, status, code }: Outcome): boolean {
  if (kind === 'left') return plan.leaves !== null;
  if (code === 'budget_exceeded' || code === 'budget_held') return true;
  if (plan.status === null) return code === 'provider_unreachable';
  if (plan.status === 401) return code === 'provider_key_rejected';
  return kind === 'answered' && status === plan.status;
}
