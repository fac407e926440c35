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

/** A piece of code under its title, to be copied as a whole. */
export function Code({ title, text }: { title: string; text: string }) {
  return (
    <figure class="code">
      <figcaption class="row between">
        <h3>{title}</h3>
        <CopyButton text={text} label={title} />
      </figcaption>
      <pre tabIndex={0} aria-label={title}>
        <code translate={false}>{text}</code>
      </pre>
    </figure>
  );
}
