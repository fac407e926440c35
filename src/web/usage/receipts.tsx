import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { nameOf } from '../keys/add-key.tsx';
import { Button } from '../ui/button.tsx';
import { Badge, Empty, Notice } from '../ui/card.tsx';
import { Check } from '../ui/choice.tsx';
import { useTask } from '../ui/failure.ts';
import { Money } from '../ui/money.tsx';
import { Progress } from '../ui/progress.tsx';
import { peekShelf } from '../ui/shelf.tsx';
import { language, texts } from '../ui/texts.ts';
import { sayMoment } from '../ui/time.ts';
import type { Store } from '../vault/store.ts';
import type { CallFilters, Receipt, ReceiptLine } from '../vault.ts';
import { Downloads } from './downloads.tsx';
import type { Month } from './months.ts';

const count = new Intl.NumberFormat(language);
const pageSize = 25;

interface ReceiptsProps {
  store: Store;
  month: Month;
  filters: CallFilters;
}

/** The calls of a month, newest first. */
export function Receipts({ store, month, filters }: ReceiptsProps) {
  const unmeasured = useSignal(false);
  const wanted: CallFilters = { ...filters, ...(unmeasured.value ? { quality: 'unmeasured' } : {}) };
  return (
    <section class="stack" aria-label={texts.usage.receipts}>
      <div class="row between">
        <h2>{texts.usage.receipts}</h2>
        <div class="row receipt-tools">
          <Check on={unmeasured.value} onChange={(on) => (unmeasured.value = on)}>
            {texts.usage.unmeasured}
          </Check>
          <Downloads
            what={texts.usage.receipts}
            url={(format) => store.vault.exportUrl({ ...wanted, of: 'calls', format })}
          />
        </div>
      </div>
      <ReceiptList key={JSON.stringify(wanted)} store={store} month={month} filters={wanted} />
    </section>
  );
}

/** A page at a time. */
function ReceiptList({ store, month, filters }: ReceiptsProps) {
  const receipts = useSignal<Receipt[] | undefined>(undefined);
  const cursor = useSignal<string | null>(null);
  const task = useTask();
  const more = (): void =>
    task.run(async () => {
      const from = cursor.peek();
      const page = await store.vault.calls({ ...filters, limit: pageSize, ...(from === null ? {} : { cursor: from }) });
      receipts.value = [...(receipts.peek() ?? []), ...page.items];
      cursor.value = page.nextCursor;
    });
  useEffect(more, []);
  const list = receipts.value;
  return (
    <>
      {list === undefined && task.busy.value && <Progress text={texts.loading} />}
      {list?.length === 0 && <Empty {...emptiness(month, filters)} />}
      {list !== undefined && list.length > 0 && (
        <ul class="card rows">
          {list.map((receipt) => (
            <ReceiptRow key={receipt.id} receipt={receipt} store={store} />
          ))}
        </ul>
      )}
      {task.fault.value !== undefined && <Notice tone="bad">{task.fault.value}</Notice>}
      {cursor.value !== null && (
        <div class="row">
          <Button busy={task.busy.value} onClick={more}>
            {texts.usage.more}
          </Button>
        </div>
      )}
    </>
  );
}

function emptiness(month: Month, filters: CallFilters): { title: string; text: string } {
  if (filters.quality !== undefined) return { title: texts.usage.allMeasuredTitle, text: texts.usage.allMeasured };
  return { title: texts.usage.emptyTitle(month.name), text: texts.usage.empty };
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
          {receipt.flags.length > 0 && (
            <li>
              <span>{texts.usage.flags}</span>
              <span>{receipt.flags.join(', ')}</span>
            </li>
          )}
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
