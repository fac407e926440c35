import { useSignal } from '@preact/signals';
import { Button } from './button.tsx';
import { texts } from './texts.ts';

function CopyButton({ text, label }: { text: string; label: string }) {
  const state = useSignal<'idle' | 'done' | 'failed'>('idle');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      state.value = 'done';
    } catch {
      state.value = 'failed';
    }
    setTimeout(() => (state.value = 'idle'), 2000);
  };
  const word = { idle: texts.copy, done: texts.copied, failed: texts.copyFailed }[state.value];
  return (
    <Button size="small" label={state.value === 'idle' ? `${texts.copy} ${label}` : word} onClick={() => void copy()}>
      <span aria-live="polite">{word}</span>
    </Button>
  );
}

/** A value to take away: selectable, with one button to copy it. */
export function Secret({ label, value }: { label: string; value: string }) {
  return (
    <div class="field">
      <span class="label">{label}</span>
      <div class="secret">
        <code translate={false}>{value}</code>
        <CopyButton text={value} label={label} />
      </div>
    </div>
  );
}

export function Code({ label, text }: { label: string; text: string }) {
  return (
    <figure class="code" aria-label={label}>
      <pre tabIndex={0}>
        <code translate={false}>{text}</code>
      </pre>
      <CopyButton text={text} label={label} />
    </figure>
  );
}
