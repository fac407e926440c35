import { nameOf } from '../keys/add-key.tsx';
import { parseUsd } from '../ui/amount.ts';
import { Badge } from '../ui/card.tsx';
import { Money } from '../ui/money.tsx';
import { peekShelf } from '../ui/shelf.tsx';
import { language, texts } from '../ui/texts.ts';
import { sayMoment } from '../ui/time.ts';
import type { Store } from '../vault/store.ts';
import type { Receipt, ReceiptLine } from '../vault.ts';
import { isFree, kindOf } from './kinds.ts';

const count = new Intl.NumberFormat(language);

interface ReceiptProps {
  receipt: Receipt;
  store: Store;
}

/** A call in one line; opened, it says how its cost came about. */
export function ReceiptRow({ receipt, store }: ReceiptProps) {
  const { endpoint, lines, flags } = receipt;
  const connection = peekShelf(store.connections)?.find(({ id }) => id === receipt.connectionId);
  const model = receipt.servedModel ?? receipt.model;
  const kind = kindOf(endpoint);
  return (
    <li>
      <details class="receipt">
        <summary>
          <span class="receipt-app">{connection?.name ?? receipt.appName ?? texts.usage.own}</span>
          <span class="receipt-call muted">
            {model === null ? nameOf(peekShelf(store.providers) ?? [], receipt.provider) : <code>{model}</code>}
            <span class="small">{kind === undefined ? endpoint : texts.usage.kinds[kind]}</span>
          </span>
          <time class="muted small" dateTime={receipt.startedAt}>
            {sayMoment(receipt.startedAt)}
          </time>
          <span class="receipt-quality">
            <Quality receipt={receipt} />
          </span>
          <span class="receipt-cost">
            <Money usd={receipt.cost} />
          </span>
        </summary>
        <div class="receipt-body muted small">
          {lines.length === 0 && <p>{saysNoLines(receipt)}</p>}
          {lines.length > 0 && (
            <ul class="receipt-lines">
              {lines.map((line) => (
                <LineRow key={line.bucket} line={line} />
              ))}
            </ul>
          )}
          {flags.length > 0 && (
            <ul class="bullets">
              {flags.map((flag) => (
                <li key={flag}>{texts.usage.flags[flag] ?? flag}</li>
              ))}
            </ul>
          )}
          <Origin receipt={receipt} />
        </div>
      </details>
    </li>
  );
}

function Quality({ receipt: { endpoint, quality } }: { receipt: Receipt }) {
  if (isFree(endpoint)) return <Badge>{texts.usage.free}</Badge>;
  return <Badge tone={quality === 'measured' ? 'plain' : 'warn'}>{texts.usage.quality[quality] ?? quality}</Badge>;
}

/** Which request it was, and where the words of a receipt are explained. */
function Origin({ receipt: { endpoint, status } }: { receipt: Receipt }) {
  return (
    <p class="row between">
      <span>
        <code>{endpoint}</code>, {status === null ? texts.usage.notAnswered : texts.usage.answered(status)}
      </span>
      <a href="/docs/usage#receipts">{texts.usage.about}</a>
    </p>
  );
}

function saysNoLines({ cost, endpoint, status }: Receipt): string {
  if (parseUsd(cost) > 0n) return texts.usage.held;
  if (status !== null && (status < 200 || status > 299)) return texts.usage.failed(status);
  return isFree(endpoint) ? texts.usage.freeCall : texts.usage.noLines;
}

function LineRow({ line: { bucket, variant, quantity, usd, per, cost } }: { line: ReceiptLine }) {
  const name = texts.usage.buckets[bucket] ?? bucket;
  return (
    <li>
      <span>{variant === null ? name : `${name}, ${variant}`}</span>
      <span class="tabular">{texts.usage.times(count.format(quantity), `$${usd}`, count.format(per))}</span>
      <Money usd={cost} />
    </li>
  );
}
