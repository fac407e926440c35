import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { Badge, Notice } from '../ui/card.tsx';
import { useTask } from '../ui/failure.ts';
import { texts } from '../ui/texts.ts';
import { sayMoment } from '../ui/time.ts';
import type { Delivery, DeliveryAttempt, Vault } from '../vault.ts';

const pageSize = 10;
/** An event leaves within a second or two, and its hook has ten seconds to answer. */
const looks = 30;
const lookMs = 500;

/** What an app was told, the newest first; a test event can be sent and any event sent again. */
export function Deliveries({ vault, appId }: { vault: Vault; appId: string }) {
  const list = useSignal<Delivery[] | undefined>(undefined);
  const cursor = useSignal<string | null>(null);
  const task = useTask();
  const read = async (from: string | null): Promise<void> => {
    const page = await vault.apps.deliveries(appId, { limit: pageSize, ...(from === null ? {} : { cursor: from }) });
    list.value = from === null ? page.items : [...(list.peek() ?? []), ...page.items];
    cursor.value = page.nextCursor;
  };
  /** Looks until one more attempt at an event is known. */
  const follow = async (eventId: string, attempts: number): Promise<void> => {
    for (let look = 0; look < looks; look++) {
      await read(null);
      const event = list.peek()?.find((delivery) => delivery.eventId === eventId);
      if (event === undefined || event.attempts.length > attempts) return;
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  };
  const test = (): void => task.run(async () => follow((await vault.apps.testWebhook(appId)).eventId, 0));
  const again = ({ eventId, attempts }: Delivery): void =>
    task.run(async () => {
      await vault.apps.redeliver(appId, eventId);
      await follow(eventId, attempts.length);
    });
  useEffect(() => task.run(() => read(null)), []);
  return (
    <section class="stack" aria-label={texts.webhooks.deliveries}>
      <div class="row between">
        <h3>{texts.webhooks.deliveries}</h3>
        <div class="row">
          <Button kind="plain" size="small" disabled={task.busy.value} onClick={() => task.run(() => read(null))}>
            {texts.webhooks.refresh}
          </Button>
          <Button size="small" busy={task.busy.value} onClick={test}>
            {texts.webhooks.test}
          </Button>
        </div>
      </div>
      {list.value?.length === 0 && <p class="muted">{texts.webhooks.empty}</p>}
      {list.value !== undefined && list.value.length > 0 && (
        <ul class="deliveries" aria-live="polite">
          {list.value.map((delivery) => (
            <DeliveryRow key={delivery.eventId} delivery={delivery} onAgain={() => again(delivery)} />
          ))}
        </ul>
      )}
      {task.fault.value !== undefined && <Notice tone="bad">{task.fault.value}</Notice>}
      {cursor.value !== null && (
        <div class="row">
          <Button size="small" disabled={task.busy.value} onClick={() => task.run(() => read(cursor.peek()))}>
            {texts.webhooks.more}
          </Button>
        </div>
      )}
    </section>
  );
}

const tones = { delivered: 'good', failed: 'bad' } as const;

function DeliveryRow({ delivery, onAgain }: { delivery: Delivery; onAgain: () => void }) {
  const { type, state, createdAt, nextAttemptAt, attempts } = delivery;
  const when = sayMoment(createdAt);
  const last = attempts.at(-1);
  const named = state === 'pending' && last !== undefined ? 'again' : state;
  const tone = state === 'delivered' || state === 'failed' ? tones[state] : 'warn';
  return (
    <li class="delivery">
      <div class="stack tight">
        <div class="row">
          <code>{type}</code>
          <Badge tone={tone}>{texts.webhooks.state[named] ?? named}</Badge>
        </div>
        <p class="muted small">
          <time dateTime={createdAt}>{when}</time>
          {last !== undefined && ` · ${sayAttempt(last)}`}
          {attempts.length > 1 && ` · ${texts.webhooks.attempts(attempts.length)}`}
          {last !== undefined && nextAttemptAt !== null && ` · ${texts.webhooks.next(sayMoment(nextAttemptAt))}`}
        </p>
      </div>
      <Button kind="plain" size="small" label={texts.webhooks.againLabel(type, when)} onClick={onAgain}>
        {texts.webhooks.again}
      </Button>
    </li>
  );
}

function sayAttempt({ status, failure, durationMs }: DeliveryAttempt): string {
  if (status !== null) return texts.webhooks.answered(status, durationMs);
  return texts.webhooks.failures[failure ?? ''] ?? failure ?? '';
}
