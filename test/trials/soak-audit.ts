import type { Receipt } from '../../sdk/vault/src/usage.ts';
import type { Fault } from './faults.ts';
import type { Followed } from './soak-client.ts';
import { type Source, usedTokens } from './soak-plans.ts';

/** All that is known of the streams when they have ended. */
export interface Evidence {
  readonly clients: readonly Followed[];
  readonly sources: ReadonlyMap<string, Source>;
  readonly receipts: readonly Receipt[];
}

/** Each call that reached the provider has one receipt, which says how it ended. */
export function audit({ clients, sources, receipts }: Evidence): Fault[] {
  const faults: Fault[] = [];
  const byId = Map.groupBy(receipts, ({ id }) => id);
  // Of a client that leaves while its call goes out, nobody here knows whether it arrived.
  const unseen = receipts.filter(({ flags }) => flags.includes('no_answer')).length;
  if (receipts.length < sources.size || receipts.length > sources.size + unseen)
    faults.push({ rule: 'not one receipt for each call', detail: `${receipts.length} for ${sources.size}` });
  for (const client of clients) {
    const { plan, callId, end, status } = client;
    const say = (rule: string) =>
      faults.push({ rule, detail: `${plan.marker} ${plan.kind}, ${end} with ${status}, call ${callId}` });
    if (end !== 'left' && (end !== 'whole' || status !== 200)) say('broke off by itself');
    if (callId === null) continue;
    const [receipt, ...more] = byId.get(callId) ?? [];
    if (receipt === undefined || more.length > 0) say('not one receipt');
    else for (const rule of faultsOfReceipt(receipt, client)) say(rule);
  }
  return faults;
}

function faultsOfReceipt({ quality, flags, usage, cost }: Receipt, { end }: Followed): string[] {
  if (end === 'whole') {
    const isRight = quality === 'measured' && flags.length === 0 && usage?.['output'] === usedTokens;
    return isRight ? [] : [`whole, and booked as ${quality} [${flags.join(' ')}]`];
  }
  const isMeasured = quality === 'measured' && usage?.['output'] === usedTokens;
  const isFlagged = isMeasured || flags.includes('ended_left') || flags.includes('no_answer');
  return isFlagged && Number(cost) > 0 ? [] : [`left, and booked as ${quality} [${flags.join(' ')}] at ${cost}`];
}
