import { signal, type ReadonlySignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Button } from './button.tsx';
import { Notice } from './card.tsx';
import { codeOf, sayFailure } from './failure.ts';
import { Progress } from './progress.tsx';
import { texts } from './texts.ts';

type Loaded<T> = { state: 'loading' } | { state: 'failed'; error: unknown } | { state: 'ready'; data: T };

/** Something of the server's that screens show. A reload keeps what is shown until the new is there. */
export interface Shelf<T> {
  now: ReadonlySignal<Loaded<T>>;
  reload(): Promise<void>;
}

export function createShelf<T>(load: () => Promise<T>): Shelf<T> {
  const now = signal<Loaded<T>>({ state: 'loading' });
  let latest = 0;
  const reload = async (): Promise<void> => {
    const turn = ++latest;
    let next: Loaded<T>;
    try {
      next = { state: 'ready', data: await load() };
    } catch (error) {
      next = { state: 'failed', error };
    }
    if (turn === latest) now.value = next;
  };
  return { now, reload };
}

/** The data of a ready shelf, else undefined. */
export function peekShelf<T>(shelf: Shelf<T>): T | undefined {
  return shelf.now.value.state === 'ready' ? shelf.now.value.data : undefined;
}

interface ShelvesProps<T> {
  of: Shelf<T>;
  children: (data: T) => ComponentChildren;
}

/** Waits for a shelf, and says what went wrong with it. */
export function Shown<T>({ of, children }: ShelvesProps<T>) {
  const now = of.now.value;
  if (now.state === 'loading') return <Progress text={texts.loading} />;
  if (now.state === 'ready') return <>{children(now.data)}</>;
  if (codeOf(now.error) === 'vault_tampered') {
    return (
      <Notice tone="bad">
        <strong>{texts.vault.changedTitle}</strong>
        <p>{texts.vault.changed}</p>
      </Notice>
    );
  }
  return (
    <div class="stack">
      <Notice tone="bad">{sayFailure(now.error)}</Notice>
      <div class="row">
        <Button onClick={() => void of.reload()}>{texts.retry}</Button>
      </div>
    </div>
  );
}
