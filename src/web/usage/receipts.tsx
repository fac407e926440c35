import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { Empty, Notice } from '../ui/card.tsx';
import { Check } from '../ui/choice.tsx';
import { useTask } from '../ui/failure.ts';
import { Progress } from '../ui/progress.tsx';
import { texts } from '../ui/texts.ts';
import type { Store } from '../vault/store.ts';
import type { CallFilters, Receipt } from '../vault.ts';
import { Downloads } from './downloads.tsx';
import type { Month } from './months.ts';
import { ReceiptRow } from './receipt.tsx';

const pageSize = 25;

interface ReceiptsProps {
  store: Store;
  month: Month;
  filters: CallFilters;
}

/** The calls of a month, newest first; those that cost nothing, such as lists of models, when they are asked for. */
export function Receipts({ store, month, filters }: ReceiptsProps) {
  const unmeasured = useSignal(false);
  const showsFree = useSignal(false);
  const wanted: CallFilters = {
    ...filters,
    ...(unmeasured.value ? { quality: 'unmeasured' } : {}),
    ...(showsFree.value ? {} : { free: false }),
  };
  return (
    <section class="stack" aria-label={texts.usage.receipts}>
      <div class="row between">
        <h2>{texts.usage.receipts}</h2>
        <div class="row receipt-tools">
          <Check on={showsFree.value} onChange={(on) => (showsFree.value = on)}>
            {texts.usage.showFree}
          </Check>
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
  const title = filters.free === false ? texts.usage.emptyBilledTitle : texts.usage.emptyTitle;
  return { title: title(month.name), text: texts.usage.empty };
}
