import { exactUsd, fromCents, parseUsd, share } from './amount.ts';
import { language, texts } from './texts.ts';

/** A decimal amount, to its last digit: what was spent is never rounded. */
export function Money({ usd }: { usd: string }) {
  return <span class="money">{exactUsd(parseUsd(usd), language)}</span>;
}

/** What of a budget is spent, held by running calls, and left. */
export function SpendBar({ spent, held, limitCents }: { spent: string; held: string; limitCents: number }) {
  const limit = fromCents(limitCents);
  const used = parseUsd(spent);
  const reserved = parseUsd(held);
  const rest = limit - used - reserved;
  const left = rest > 0n ? rest : 0n;
  const usedShare = share(used, limit);
  const bothShare = share(used + reserved, limit);
  return (
    <div class={usedShare >= 1 ? 'spend full' : 'spend'}>
      <svg viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="1000" height="6" />
        <rect class="reserved" width={bothShare * 1000} height="6" />
        <rect class="used" width={usedShare * 1000} height="6" />
      </svg>
      <dl>
        <Part name={texts.spent} kind="used" amount={used} />
        <Part name={texts.held} kind="held" amount={reserved} />
        <Part name={texts.left} kind="left" amount={left} />
      </dl>
    </div>
  );
}

function Part({ name, kind, amount }: { name: string; kind: 'used' | 'held' | 'left'; amount: bigint }) {
  return (
    <div>
      <dt>
        <i class={`is-${kind}`} />
        {name}
      </dt>
      <dd class="money">{exactUsd(amount, language)}</dd>
    </div>
  );
}
