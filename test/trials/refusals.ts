import type { Outcome } from './client.ts';
import type { Fault } from './faults.ts';
import { picoOf, type Plan } from './plans.ts';

/**
 * What is wrong with a refusal for want of budget. The figures that it carries are those it was decided on: no call is
 * refused while what is left covers the smallest useful part of it; it is "held" only if it can fit when the running
 * calls have cost nothing, and "exceeded" only if not even then.
 */
export function faultsOfRefusal(plan: Plan, outcome: Outcome, cap: bigint): Fault[] {
  const { status, code, retryAfter, details } = outcome;
  const [spent, held, needed] = ['spent', 'held', 'needed'].map((name) => amountIn(details, name));
  if (spent === undefined || held === undefined || needed === undefined)
    return [{ rule: 'a refusal without its figures', detail: `${status} ${code}` }];
  const faults: Fault[] = [];
  const figures = `cap ${cap}, spent ${spent}, held ${held}, needed ${needed}`;
  const call = `${plan.size} call ${plan.marker}: ${code}, bound ${plan.bound}, smallest useful ${plan.usefulBound}`;
  const say = (rule: string) => faults.push({ rule, detail: `${call}, ${figures}` });
  if (needed > plan.bound) say('more is said to be needed than the call can cost');
  if (spent + held > cap) say('above the cap');
  if (cap - spent - held >= plan.usefulBound) say('refused although a useful part fits');
  if (code === 'budget_exceeded') {
    if (status !== 402) say('a refusal with a wrong status');
    if (cap - spent >= plan.usefulBound) say('exceeded, although it fits when the running calls end');
  } else {
    if (status !== 429) say('a refusal with a wrong status');
    if (retryAfter === null || !(retryAfter >= 1)) say('held without a retry-after');
    if (plan.usefulBound === plan.bound && cap - spent < needed) say('held, although it can never fit');
  }
  return faults;
}

function amountIn(details: Readonly<Record<string, unknown>>, name: string): bigint | undefined {
  const text = details[name];
  return typeof text === 'string' && /^\d+(\.\d+)?$/.test(text) ? picoOf(text) : undefined;
}
