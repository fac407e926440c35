import { computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { nameOf } from '../keys/add-key.tsx';
import { budgetText, parseBudget } from '../ui/amount.ts';
import { Notice } from '../ui/card.tsx';
import { Check, Segmented, Select } from '../ui/choice.tsx';
import { Field } from '../ui/field.tsx';
import { Monogram } from '../ui/monogram.tsx';
import { texts } from '../ui/texts.ts';
import { sayMoment } from '../ui/time.ts';
import type { Key, Policy, Provider } from '../vault.ts';
import { createExtras, type ExtrasDraft, type ExtrasStart } from './extras.tsx';

/** The choice of one provider while it is being made. */
interface ProviderDraft {
  id: string;
  on: Signal<boolean>;
  keyId: Signal<string>;
  scope: Signal<'all' | 'some'>;
  models: Signal<string>;
}

/** What somebody is about to allow: read by every form that ends in a policy. */
export interface Draft extends ExtrasDraft {
  providers: ProviderDraft[];
  budget: Signal<string>;
  /** Whole cents; undefined while the field holds no amount. */
  cents: ReadonlySignal<number | undefined>;
}

/** A draft from a policy, or from what was asked for; `models` null means all of them. */
export function createDraft(
  providers: readonly { id: string; keyId?: string | undefined; models?: readonly string[] | null; on?: boolean }[],
  budgetCents: number,
  extras?: ExtrasStart,
): Draft {
  const budget = signal(budgetText(budgetCents));
  return {
    providers: providers.map(({ id, keyId, models, on }) => ({
      id,
      on: signal(on ?? true),
      keyId: signal(keyId ?? ''),
      scope: signal(models === null || models === undefined ? 'all' : 'some'),
      models: signal((models ?? []).join('\n')),
    })),
    budget,
    cents: computed(() => parseBudget(budget.value)),
    ...createExtras(extras),
  };
}

/** The keys of a provider, its default first. */
export function keysOf(keys: readonly Key[], provider: string): Key[] {
  return keys.filter((key) => key.provider === provider).toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault));
}

/** The chosen providers as the client takes them; undefined while a choice is incomplete. */
export function chosenProviders(draft: Draft, keys: readonly Key[]): Policy['providers'] | undefined {
  const chosen = draft.providers.filter(({ on }) => on.value);
  if (chosen.length === 0) return undefined;
  const complete: Policy['providers'] = [];
  for (const { id, keyId, scope, models } of chosen) {
    const own = keysOf(keys, id);
    const key = own.find((candidate) => candidate.id === keyId.value) ?? own[0];
    const names = modelNames(models.value);
    if (key === undefined || (scope.value === 'some' && names.length === 0)) return undefined;
    complete.push({ id, keyId: key.id, models: scope.value === 'all' ? null : names });
  }
  return complete;
}

function modelNames(text: string): string[] {
  const names = text.split(/[\n,]/).map((name) => name.trim());
  return [...new Set(names)].filter((name) => name !== '').toSorted();
}

interface ChoiceProps {
  draft: ProviderDraft;
  keys: readonly Key[];
  providers: readonly Provider[];
  checked: boolean;
}

/** A provider that has a key: whether, with which key, and which models. */
export function ProviderChoice({ draft, keys, providers, checked }: ChoiceProps) {
  const name = nameOf(providers, draft.id);
  const own = keysOf(keys, draft.id);
  const chosen = own.find(({ id }) => id === draft.keyId.value) ?? own[0];
  const unnamed = checked && draft.scope.value === 'some' && modelNames(draft.models.value).length === 0;
  return (
    <li class="choice">
      <div class="row between">
        <Check on={draft.on.value} off={own.length === 0} onChange={(on) => (draft.on.value = on)}>
          <span class="row">
            <Monogram name={name} />
            <strong>{name}</strong>
            {own.length === 0 && <span class="muted small">{texts.connections.noKey}</span>}
          </span>
        </Check>
        {draft.on.value && (
          <Segmented
            label={texts.connections.modelsLabel(name)}
            value={draft.scope}
            options={[
              { value: 'all', text: texts.connections.allModels },
              { value: 'some', text: texts.connections.onlyModels },
            ]}
          />
        )}
      </div>
      {draft.on.value && own.length > 1 && (
        <Select
          label={texts.keys.secret}
          value={draft.keyId.value === '' ? (own[0]?.id ?? '') : draft.keyId.value}
          options={own.map((key) => ({ value: key.id, text: choiceName(key) }))}
          onChange={(value) => (draft.keyId.value = value)}
        />
      )}
      {draft.on.value && chosen !== undefined && chosen.refusal !== null && (
        <Notice tone="warn">{texts.checks.since[chosen.refusal.verdict](name, sayMoment(chosen.refusal.at))}</Notice>
      )}
      {draft.on.value && draft.scope.value === 'some' && (
        <Field
          label={texts.connections.modelsLabel(name)}
          value={draft.models}
          hint={texts.connections.modelsHint}
          fault={unnamed ? texts.connections.modelsFault : undefined}
          rows={3}
          mono
        />
      )}
    </li>
  );
}

function choiceName(key: Key): string {
  return key.refusal === null ? keyName(key) : texts.checks.refusedChoice(keyName(key));
}

export function keyName(key: Key): string {
  const ending = key.hint === '' ? '' : ` …${key.hint}`;
  return `${key.label === '' ? texts.keys.untitled : key.label}${ending}`;
}

/** The budget as an amount in dollars. */
export function BudgetField({ draft, period }: { draft: Draft; period: Policy['period'] }) {
  return (
    <Field
      label={period === 'month' ? texts.connections.budget : texts.connections.budgetTotal}
      value={draft.budget}
      prefix="$"
      inputMode="decimal"
      hint={texts.connections.budgetHint}
      fault={draft.cents.value === undefined ? texts.connections.budgetFault : undefined}
    />
  );
}
