import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { Badge, Empty, Notice } from '../ui/card.tsx';
import { useTask } from '../ui/failure.ts';
import { Money } from '../ui/money.tsx';
import { Progress } from '../ui/progress.tsx';
import { language, texts } from '../ui/texts.ts';
import { sayMoment } from '../ui/time.ts';
import type { Store } from '../vault/store.ts';
import { type Receipt, receiptOf } from './rows.ts';

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
      receipts.value = [...(receipts.peek() ?? []), ...page.items.map(receiptOf)];
      cursor.value = page.nextCursor;
    });
  useEffect(more, []);
  const list = receipts.value;
  return (
    <section class="stack" aria-label={texts.usage.receipts}>
      {list === undefined && task.busy.value && <Progress text={texts.loading} />}
      {list?.length === 0 && <Empty title={texts.usage.emptyTitle} text={texts.usage.empty} />}
      {list !== undefined && list.length > 0 && <Table receipts={list} />}
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

function Table({ receipts }: { receipts: readonly Receipt[] }) {
  const { usage } = texts;
  return (
    <div class="card table">
      <table>
        <caption>{usage.receipts}</caption>
        <thead>
          <tr>
            <th scope="col">{usage.when}</th>
            <th scope="col">{usage.who}</th>
            <th scope="col">{usage.what}</th>
            <th scope="col">{usage.tokens}</th>
            <th scope="col">{usage.cost}</th>
          </tr>
        </thead>
        <tbody>
          {receipts.map((receipt) => (
            <tr key={receipt.id}>
              <td class="muted">{receipt.at === '' ? '' : sayMoment(receipt.at)}</td>
              <td>{receipt.app ?? usage.own}</td>
              <td>
                <span class="mono">{receipt.model}</span>
              </td>
              <td class="muted">{saysTokens(receipt)}</td>
              <td class="cost">
                {receipt.cost === null ? '–' : <Money usd={receipt.cost} exact />}
                <Badge tone={receipt.quality === 'measured' ? 'plain' : 'warn'}>
                  {usage.quality[receipt.quality] ?? receipt.quality}
                </Badge>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function saysTokens({ inputTokens, outputTokens }: Receipt): string {
  if (inputTokens === null && outputTokens === null) return '–';
  return texts.usage.inOut(count.format(inputTokens ?? 0), count.format(outputTokens ?? 0));
}
