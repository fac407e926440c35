import { computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { Check } from '../ui/choice.tsx';
import { Field } from '../ui/field.tsx';
import { texts } from '../ui/texts.ts';
import { type Policy, type PolicyScope, requestableScopes, usualScopes } from '../vault.ts';

type Limits = Policy['limits'];
type LimitName = keyof Limits;

const limitNames: readonly LimitName[] = ['rpm', 'tpm', 'parallel'];

/** The choice of kinds of calls and of limits while it is being made. */
export interface ExtrasDraft {
  scopes: Signal<readonly PolicyScope[]>;
  limitTexts: Readonly<Record<LimitName, Signal<string>>>;
  /** Undefined while a field holds no limit. */
  limits: ReadonlySignal<Limits | undefined>;
}

/** What the choice starts from: a policy, or what was asked for. */
export interface ExtrasStart {
  scopes?: readonly PolicyScope[] | undefined;
  limits?: Limits | undefined;
}

export function createExtras({ scopes = usualScopes, limits }: ExtrasStart = {}): ExtrasDraft {
  const textOf = (name: LimitName) => signal(String(limits?.[name] ?? ''));
  const limitTexts = { rpm: textOf('rpm'), tpm: textOf('tpm'), parallel: textOf('parallel') };
  return {
    scopes: signal(scopes),
    limitTexts,
    limits: computed(() => {
      const [rpm, tpm, parallel] = limitNames.map((name) => parseLimit(limitTexts[name].value));
      return rpm === undefined || tpm === undefined || parallel === undefined ? undefined : { rpm, tpm, parallel };
    }),
  };
}

/** A whole number, null for an empty field, undefined for anything else. */
function parseLimit(text: string): number | null | undefined {
  const digits = text.replaceAll(/[\s,.'’_]/g, '');
  if (digits === '') return null;
  const limit = /^\d{1,10}$/.test(digits) ? Number(digits) : 0;
  return limit >= 1 && limit <= 1_000_000_000 ? limit : undefined;
}

/**
 * Kinds of calls and limits: folded away, as most people need neither, unless there is something to decide. Kinds that
 * cannot be chosen here stay as the connection has them.
 */
export function Extras({ draft, open = false }: { draft: ExtrasDraft; open?: boolean }) {
  const toggle = (scope: PolicyScope, on: boolean): void => {
    const rest = draft.scopes.value.filter((chosen) => chosen !== scope);
    draft.scopes.value = on ? [...rest, scope].toSorted() : rest;
  };
  return (
    <details class="fold" open={open}>
      <summary>{texts.connections.more}</summary>
      <div class="stack">
        <fieldset class="stack tight">
          <legend class="label">{texts.connections.uses}</legend>
          {requestableScopes.map((scope) => (
            <Check key={scope} on={draft.scopes.value.includes(scope)} onChange={(on) => toggle(scope, on)}>
              {texts.link.scopes[scope]}
              <br />
              <span class="muted small">{texts.link.scopeTexts[scope]}</span>
            </Check>
          ))}
          {draft.scopes.value.length === 0 && (
            <div class="fault" role="alert">
              {texts.connections.usesFault}
            </div>
          )}
        </fieldset>
        {limitNames.map((name) => (
          <Field
            key={name}
            label={texts.connections.limits[name]}
            value={draft.limitTexts[name]}
            inputMode="decimal"
            placeholder={texts.connections.noLimit}
            fault={parseLimit(draft.limitTexts[name].value) === undefined ? texts.connections.limitFault : undefined}
          />
        ))}
      </div>
    </details>
  );
}

/** "May call: Chat, Embeddings". */
export function saysScopes(scopes: readonly PolicyScope[]): string {
  if (scopes.length === 0) return texts.connections.mayCallNothing;
  return texts.connections.mayCall(scopes.map((scope) => texts.link.scopes[scope]).join(', '));
}

/** "60 requests a minute, 3 calls at one time"; empty without any limit. */
export function saysLimits(limits: Limits): string {
  return limitNames
    .flatMap((name) => {
      const limit = limits[name];
      return limit === null ? [] : [texts.connections.limitedTo[name](limit.toLocaleString())];
    })
    .join(', ');
}
