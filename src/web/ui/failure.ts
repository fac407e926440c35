import { useSignal, type ReadonlySignal } from '@preact/signals';
import { painted } from './progress.tsx';
import { texts } from './texts.ts';

/** The stable code of whatever was thrown. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return 'unknown';
  return typeof error.code === 'string' ? error.code : 'unknown';
}

/** A failure in the person's language; what has no words of its own says what KeyPass said. */
export function sayFailure(error: unknown): string {
  const known = texts.errors[codeOf(error)];
  if (known !== undefined) return known;
  const fallback = texts.errors['unknown'] ?? '';
  return codeOf(error) !== 'unknown' && error instanceof Error && error.message !== '' ? error.message : fallback;
}

/** One thing that a screen does at a time: whether it runs, and how it failed. */
export interface Task {
  busy: ReadonlySignal<boolean>;
  fault: ReadonlySignal<string | undefined>;
  /** Runs unless the last one still does. `recognise` may handle a failure itself by returning true. */
  run(work: () => Promise<void>, recognise?: (error: unknown) => boolean): void;
  clear(): void;
}

export function useTask(): Task {
  const busy = useSignal(false);
  const fault = useSignal<string | undefined>(undefined);
  const start = async (work: () => Promise<void>, recognise?: (error: unknown) => boolean): Promise<void> => {
    busy.value = true;
    fault.value = undefined;
    try {
      await painted();
      await work();
    } catch (error) {
      if (recognise?.(error) !== true) fault.value = sayFailure(error);
    } finally {
      busy.value = false;
    }
  };
  return {
    busy,
    fault,
    run: (work, recognise) => {
      if (!busy.peek()) void start(work, recognise);
    },
    clear: () => (fault.value = undefined),
  };
}
