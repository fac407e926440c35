import type { Outcome } from './client.ts';
import type { Fault } from './faults.ts';
import { markerOf, type Plan } from './plans.ts';
import type { Served } from './provider.ts';
import type { Row } from './reader.ts';

/** All that is known of a call outside of the ledger. */
export interface Account {
  readonly plan: Plan;
  /** What became of its last attempt. */
  readonly outcome: Outcome;
  /** The instance that it went through was killed later, or under it. */
  readonly wasKilled: boolean;
}

interface Evidence {
  readonly accounts: ReadonlyMap<string, Account>;
  readonly served: ReadonlyMap<string, Served>;
  readonly rows: readonly Row[];
  /** The calls of dead instances have been resolved: nothing may be held any more. */
  readonly isSwept: boolean;
}

export interface Verdict {
  readonly faults: readonly Fault[];
  /** Receipts by what they say. */
  readonly counts: ReadonlyMap<string, number>;
}

/**
 * Holds the ledger against the provider's own count: each call that reached the provider stands in it once, at what it
 * cost or flagged with a charge that covers it, and nothing else claims to have been made.
 */
export function audit({ accounts, served, rows, isSwept }: Evidence): Verdict {
  const faults: Fault[] = [];
  const counts = new Map<string, number>();
  const byMarker = Map.groupBy(rows, ({ model }) => markerOf(model));
  for (const [marker, found] of byMarker) {
    const account = accounts.get(marker);
    const say = (rule: string) => faults.push({ rule, detail: describe(marker, found, account, served.get(marker)) });
    if (account === undefined) say('in the ledger, but never made');
    if (found.length > 1) say('more than one row of a call');
    for (const row of found) {
      const name = row.kind === 'hold' ? 'held' : [row.quality, ...row.flags].join(' ');
      counts.set(name, (counts.get(name) ?? 0) + 1);
      if (row.kind === 'hold' && (isSwept || account?.wasKilled !== true)) say('still held');
      if (row.kind === 'receipt' && account !== undefined)
        faultsOfReceipt(row, account, served.get(marker)).forEach(say);
    }
  }
  for (const [marker, bill] of served) {
    const say = (rule: string) => faults.push({ rule, detail: describe(marker, [], accounts.get(marker), bill) });
    if (!byMarker.has(marker)) say('served by the provider and not in the ledger');
    if (bill.arrivals > 1) say('reached the provider more than once');
  }
  return { faults, counts };
}

function faultsOfReceipt(row: Row, account: Account, bill: Served | undefined): string[] {
  const { outcome } = account;
  const faults: string[] = [];
  if (row.flags.includes('overrun')) faults.push('it cost more than was held');
  if (outcome.kind === 'answered' && outcome.callId !== row.callId) faults.push('the client was told another id');
  return [...faults, ...(bill === undefined ? faultsOfUnserved(row, account) : faultsOfServed(row, account, bill))];
}

function faultsOfServed(row: Row, { plan, outcome, wasKilled }: Account, bill: Served): string[] {
  const { cost, quality, flags } = row;
  const faults: string[] = [];
  if (cost > bill.bound) faults.push('booked above the bound of what was sent');
  if (quality === 'measured') {
    if (cost !== (plan.status === 200 ? bill.cost : 0n)) faults.push('not booked at what it cost');
    if (row.status !== plan.status) faults.push('booked with another status');
    return faults;
  }
  const isLost = flags.includes('instance_lost');
  const isExplained = isLost ? wasKilled : plan.status === null || outcome.kind === 'left' || wasKilled;
  if (!isExplained) faults.push('not measured, without a reason');
  if (quality === 'unknown' && cost < bill.cost) faults.push('charged less than it cost');
  if (quality === 'estimated' && cost === 0n) faults.push('estimated at nothing');
  return faults;
}

/** What never reached the provider may be charged only where nobody could know that, and says so. */
function faultsOfUnserved({ cost, quality, flags }: Row, { plan, outcome, wasKilled }: Account): string[] {
  if (quality === 'measured' && cost === 0n) return [];
  if (cost > plan.bound) return ['charged above the bound'];
  const isLost = quality === 'unknown' && flags.includes('instance_lost') && wasKilled;
  const isCutOff = quality === 'unknown' && flags.includes('no_answer') && outcome.kind === 'left';
  return isLost || isCutOff ? [] : ['charged for a call that never arrived'];
}

function describe(
  marker: string,
  rows: readonly Row[],
  account: Account | undefined,
  bill: Served | undefined,
): string {
  const ledger = rows.map(({ kind, callId, cost, quality, flags }) =>
    [kind, callId, cost, quality, ...flags].join(' '),
  );
  const provider =
    bill === undefined ? 'never arrived' : `arrived ×${bill.arrivals}, cost ${bill.cost}, bound ${bill.bound}`;
  const client = account === undefined ? '' : clientOf(account);
  return [`call ${marker}`, ...ledger, provider, client].join('; ');
}

function clientOf({ outcome, plan, wasKilled }: Account): string {
  const planned = `${plan.size}, planned ${plan.status ?? 'to break'}${plan.leaves === null ? '' : ', client to leave'}`;
  return `${planned}, client saw ${outcome.kind} ${outcome.status} ${outcome.code}${wasKilled ? ', killed' : ''}`;
}
