import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { nameOf } from '../keys/add-key.tsx';
import { Button } from '../ui/button.tsx';
import { Badge, Empty, Notice } from '../ui/card.tsx';
import { useTask } from '../ui/failure.ts';
import { Money } from '../ui/money.tsx';
import { Progress } from '../ui/progress.tsx';
import { peekShelf } from '../ui/shelf.tsx';
import { language, texts } from '../ui/texts.ts';
import { sayMoment } from '../ui/time.ts';
import type { Store } from '../vault/store.ts';
import type { Receipt, ReceiptLine } from '../vault.ts';

const count = new Intl.NumberFormat(language);
const pageSize = 25;

/** Every call, newest first, a page at a time. */
export function Receipts({ store }: { store: Store }) {
  const receipts = useSignal<Receipt[] | undefined>(undefined);
  const cursor = useSignal<string | null>(null);
  const task = useTask();
  const more = (): void =>
    task.run(async () => {
      const from = cursor.peek();
      const page = await store.vault.calls({ limit: pageSize, ...(from === null ? {} : { cursor: from }) });
      receipts.value = [...(receipts.peek() ?? []), ...page.items];
      cursor.value = page.nextCursor;
    });
  useEffect(more, []);
  const list = receipts.value;
  return (
    <section class="stack" aria-label={texts.usage.receipts}>
      {list === undefined && task.busy.value && <Progress text={texts.loading} />}
      {list?.length === 0 && <Empty title={texts.usage.emptyTitle} text={texts.usage.empty} />}
      {list !== undefined && list.length > 0 && (
        <>
          <h2>{texts.usage.receipts}</h2>
          <ul class="card rows">
            {list.map((receipt) => (
              <ReceiptRow key={receipt.id} receipt={receipt} store={store} />
            ))}
          </ul>
        </>
      )}
      {task.fault.value !== undefined && <Notice tone="bad">{task.fault.value}</Notice>}
      {cursor.value !== null && (
        <div class="row">
          <Button busy={task.busy.value} onClick={more}>
            {texts.usage.more}
          </Button>
        </div>
      )}
    </section>
  );
}

/** A call in one line; opened, it says how its cost came about. */
function ReceiptRow({ receipt, store }: { receipt: Receipt; store: Store }) {
  const provider = nameOf(peekShelf(store.providers) ?? [], receipt.provider);
  const connection = peekShelf(store.connections)?.find(({ id }) => id === receipt.connectionId);
  return (
    <li>
      <details class="receipt">
        <summary>
          <span class="receipt-app">{connection?.name ?? receipt.appName ?? texts.usage.own}</span>
          <code class="receipt-model muted">{receipt.servedModel ?? receipt.model ?? provider}</code>
          <time class="muted small" dateTime={receipt.startedAt}>
            {sayMoment(receipt.startedAt)}
          </time>
          <span class="receipt-quality">
            <Badge tone={receipt.quality === 'measured' ? 'plain' : 'warn'}>
              {texts.usage.quality[receipt.quality] ?? receipt.quality}
            </Badge>
          </span>
          <span class="receipt-cost">
            <Money usd={receipt.cost} />
          </span>
        </summary>
        <ul class="receipt-lines muted small">
          {receipt.lines.length === 0 && <li>{texts.usage.noLines}</li>}
          {receipt.lines.map((line) => (
            <LineRow key={line.bucket} line={line} />
          ))}
        </ul>
      </details>
    </li>
  );
}

function LineRow({ line }: { line: ReceiptLine }) {
  return (
    <li>
      <span>{texts.usage.buckets[line.bucket] ?? line.bucket}</span>
      <span class="tabular">
        {texts.usage.times(count.format(line.quantity), `$${line.usd}`, count.format(line.per))}
      </span>
      <Money usd={line.cost} />
    </li>
  );
}
