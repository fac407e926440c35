import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { nameOf } from '../keys/add-key.tsx';
import { exactUsd, parseUsd, share } from '../ui/amount.ts';
import { Intro } from '../ui/card.tsx';
import { Segmented, Select } from '../ui/choice.tsx';
import { Money } from '../ui/money.tsx';
import { createShelf, peekShelf, Shown } from '../ui/shelf.tsx';
import { language, texts } from '../ui/texts.ts';
import type { Store } from '../vault/store.ts';
import type { CallFilters, Connection, Provider, Total } from '../vault.ts';
import { Downloads } from './downloads.tsx';
import { lastMonths, type Month } from './months.ts';
import { Receipts } from './receipts.tsx';

type By = 'app' | 'provider' | 'model';

/** A month in sums, then call by call. */
export function Usage({ store }: { store: Store }) {
  const by = useSignal<By>('app');
  const months = useMemo(() => lastMonths(12, language), []);
  const chosen = useSignal(months[0]);
  const connectionId = useSignal('');
  const month = chosen.value;
  const ofConnection = connectionId.value === '' ? {} : { connectionId: connectionId.value };
  const filters: CallFilters = { from: month.from, to: month.to, ...ofConnection };
  const query = { ...filters, by: by.value };
  const totals = useMemo(() => {
    const shelf = createShelf(() => store.vault.usage(query));
    void shelf.reload();
    return shelf;
  }, [JSON.stringify(query)]);
  return (
    <div class="stack loose">
      <div class="row between">
        <Intro title={texts.vault.usage}>{texts.usage.text(month.name)}</Intro>
        <Segmented
          label={texts.usage.by}
          value={by}
          options={[
            { value: 'app', text: texts.usage.byApp },
            { value: 'provider', text: texts.usage.byProvider },
            { value: 'model', text: texts.usage.byModel },
          ]}
        />
      </div>
      <div class="usage-filters">
        <Select
          label={texts.usage.month}
          value={month.from}
          options={months.map(({ name, from }) => ({ value: from, text: name }))}
          onChange={(value) => (chosen.value = months.find(({ from }) => from === value) ?? months[0])}
        />
        <Select
          label={texts.usage.connection}
          value={connectionId.value}
          options={[{ value: '', text: texts.usage.allConnections }, ...connectionOptions(store)]}
          onChange={(value) => (connectionId.value = value)}
        />
      </div>
      <Shown of={totals}>
        {(rows) => (
          <Totals rows={rows} by={by.value} store={store} month={month}>
            <Downloads
              what={texts.usage.totals}
              url={(format) => store.vault.exportUrl({ ...query, of: 'totals', format })}
            />
          </Totals>
        )}
      </Shown>
      <Receipts store={store} month={month} filters={filters} />
    </div>
  );
}

function connectionOptions(store: Store) {
  return (peekShelf(store.connections) ?? []).map(({ id, name, app }) => ({
    value: id,
    text: name ?? app?.name ?? texts.usage.own,
  }));
}

interface TotalsProps {
  rows: readonly Total[];
  by: By;
  store: Store;
  month: Month;
  children: ComponentChildren;
}

function Totals({ rows, by, store, month, children }: TotalsProps) {
  const providers = peekShelf(store.providers) ?? [];
  const amounts = rows.map(({ cost }) => parseUsd(cost));
  const sum = amounts.reduce((total, amount) => total + amount, 0n);
  const most = amounts.reduce((max, amount) => (amount > max ? amount : max), 0n);
  const sorted = rows.toSorted((a, b) => (parseUsd(b.cost) > parseUsd(a.cost) ? 1 : -1));
  return (
    <section class="card">
      <div class="pad stack loose">
        <div class="row between">
          <p class="sum money">{exactUsd(sum, language)}</p>
          {children}
        </div>
        {rows.length === 0 && <p class="muted">{texts.usage.none(month.name)}</p>}
        {rows.length > 0 && (
          <ul class="totals">
            {sorted.map((row) => (
              <li key={row.key ?? ''}>
                <span class="total-name">{titleOf(row, by, providers, peekShelf(store.connections))}</span>
                <span class="muted small">{texts.usage.calls(row.calls)}</span>
                <Money usd={row.cost} />
                <svg viewBox="0 0 1000 4" preserveAspectRatio="none" aria-hidden="true">
                  <rect class="track" width="1000" height="4" />
                  <rect class="used" width={share(parseUsd(row.cost), most) * 1000} height="4" />
                </svg>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

/** Only this vault knows what its owner called a connection; the server knows apps by their names. */
function titleOf({ key, name }: Total, by: By, providers: readonly Provider[], connections: Connection[] = []): string {
  if (by === 'provider') return nameOf(providers, key ?? '');
  if (by === 'model') return key ?? texts.usage.noModel;
  return connections.find(({ id }) => id === key)?.name ?? name ?? texts.usage.own;
}
