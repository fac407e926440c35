import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/card.tsx';
import { useTask } from '../ui/failure.ts';
import { Progress } from '../ui/progress.tsx';
import { texts } from '../ui/texts.ts';
import type { CheckedBy, KeyVerdict, Provider } from '../vault.ts';

interface CheckKeyProps {
  provider: Provider;
  ask: (by: CheckedBy) => Promise<KeyVerdict>;
  /** Begins by itself, as far as the browser may ask. */
  atOnce?: boolean;
}

/** Asks whether a key is taken: from the browser where the provider allows it, else by the server, if the person agrees. */
export function CheckKey({ provider, ask, atOnce = false }: CheckKeyProps) {
  const verdict = useSignal<KeyVerdict | undefined>(undefined);
  const isOffered = useSignal(false);
  const hasTried = useSignal(false);
  const task = useTask();
  const askBy = (by: CheckedBy): void => {
    verdict.value = undefined;
    isOffered.value = false;
    task.run(async () => {
      const told = await ask(by);
      // Whether the provider or the network said nothing, a browser cannot tell: the server may get further.
      hasTried.value = by === 'browser' && told === 'unknown';
      isOffered.value = hasTried.value;
      if (!hasTried.value) verdict.value = told;
    });
  };
  const begin = (): void => {
    if (provider.asksDirectly) askBy('browser');
    else isOffered.value = true;
  };
  useEffect(() => {
    if (atOnce) begin();
  }, []);
  return (
    <div class="stack">
      {task.busy.value && <Progress text={texts.checks.asking(provider.name)} />}
      <div class="spoken" role="status">
        {verdict.value !== undefined && (
          <Notice tone={tones[verdict.value]}>{texts.checks.verdicts[verdict.value](provider.name)}</Notice>
        )}
      </div>
      {task.fault.value !== undefined && <Notice tone="bad">{task.fault.value}</Notice>}
      {isOffered.value ? (
        <Offer provider={provider} hasTried={hasTried.value} onAgree={() => askBy('server')} />
      ) : (
        <div class="row">
          <Button size="small" busy={task.busy.value} onClick={begin}>
            {verdict.value === undefined ? texts.checks.title : texts.checks.again}
          </Button>
          {provider.asksDirectly && verdict.value === undefined && (
            <span class="muted small">{texts.checks.direct(provider.name)}</span>
          )}
        </div>
      )}
    </div>
  );
}

const tones = { works: 'good', rejected: 'bad', restricted: 'warn', unknown: 'warn' } as const;

/** What the server would see, before it sees it. */
function Offer({ provider, hasTried, onAgree }: { provider: Provider; hasTried: boolean; onAgree: () => void }) {
  const { name, origin, expectedOrigin } = provider;
  const elsewhere = origin === expectedOrigin ? texts.checks.notDirect(name) : texts.checks.elsewhere(name, origin);
  return (
    <Notice>
      <p>
        {hasTried ? texts.checks.unread(name) : elsewhere} {texts.checks.byServer}
      </p>
      <div class="row">
        <Button size="small" onClick={onAgree}>
          {texts.checks.agree}
        </Button>
      </div>
    </Notice>
  );
}
