import { Extras } from '../connections/extras.tsx';
import { budgetText, fromCents, exactUsd } from '../ui/amount.ts';
import { Button } from '../ui/button.tsx';
import { Intro, Notice } from '../ui/card.tsx';
import { Field } from '../ui/field.tsx';
import { Steps } from '../ui/progress.tsx';
import { language, texts } from '../ui/texts.ts';
import { requestableScopes, usualScopes } from '../vault.ts';
import { periodWord, type ScreenProps } from './screen.ts';
import { consentSteps, Footer } from './who.tsx';

/** Stops of the slider in cents: fine where budgets usually are, coarse above. */
const stops = [100, 200, 300, 500, 800, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 7500, 10_000, 15_000, 20_000];
const high = 10_000;

export function BudgetScreen({ asked, draft, had, period, onNext, onBack, onDeny }: ScreenProps) {
  const cents = draft.cents.value;
  const suggested = asked.request.budgetSuggestionCents;
  const valid = cents !== undefined && cents > 0;
  const complete = valid && draft.limits.value !== undefined && draft.scopes.value.length > 0;
  const slide = (event: Event): void => {
    const { currentTarget } = event;
    if (!(currentTarget instanceof HTMLInputElement)) return;
    const stop = stops[Number(currentTarget.value)];
    if (stop !== undefined) draft.budget.value = budgetText(stop);
  };
  return (
    <>
      <Steps total={consentSteps} current={4} />
      <Intro title={texts.link.budgetTitle} focus>
        {texts.link.budgetText}
      </Intro>
      <div class="stack">
        <Field
          label={periodWord(period)}
          value={draft.budget}
          prefix="$"
          inputMode="decimal"
          fault={valid ? undefined : texts.connections.budgetFault}
        />
        <input
          class="range"
          type="range"
          min={0}
          max={stops.length - 1}
          step={1}
          value={nearest(cents ?? 0)}
          aria-label={texts.link.slider}
          aria-valuetext={exactUsd(fromCents(cents ?? 0), language)}
          onInput={slide}
        />
        {suggested !== null && (
          <p class="muted small">{texts.link.suggestion(exactUsd(fromCents(suggested), language))}</p>
        )}
        {cents !== undefined && cents > high && <Notice tone="warn">{texts.link.high}</Notice>}
        <Uses asked={asked} draft={draft} had={had} />
      </div>
      <Footer>
        <Button kind="plain" onClick={onBack}>
          {texts.back}
        </Button>
        <Button kind="plain" onClick={onDeny}>
          {texts.link.deny}
        </Button>
        <Button kind="primary" size="large" disabled={!complete} onClick={onNext}>
          {texts.next}
        </Button>
      </Footer>
    </>
  );
}

/** What the app asks to call, in words; with the choice of it unfolded where that is more than usual, or than it has. */
function Uses({ asked: { request }, draft, had }: Pick<ScreenProps, 'asked' | 'draft' | 'had'>) {
  const { app, mode, requestedScopes } = request;
  const added = requestableScopes.filter((scope) => requestedScopes.includes(scope) && !had.includes(scope));
  const says = mode === 'update' ? texts.link.asksAlso : texts.link.asks;
  const usual: readonly string[] = usualScopes;
  const open = (mode === 'update' && added.length > 0) || requestedScopes.some((scope) => !usual.includes(scope));
  return (
    <>
      {added.length > 0 && <p>{says(app.name, added.map((scope) => texts.link.scopes[scope]).join(', '))}</p>}
      {added.includes('stateful') && <Notice tone="warn">{texts.link.statefulRisk}</Notice>}
      <Extras draft={draft} open={open} />
    </>
  );
}

function nearest(cents: number): number {
  return stops.reduce((best, stop, index) => {
    const current = stops[best] ?? 0;
    return Math.abs(stop - cents) < Math.abs(current - cents) ? index : best;
  }, 0);
}
