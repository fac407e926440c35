/** Something that contradicts a promise of KeyPass. */
export interface Fault {
  /** What was broken, in the same words each time. */
  readonly rule: string;
  /** Where, with the figures. */
  readonly detail: string;
}

export interface TrialResult {
  /** Empty if every promise was kept. */
  readonly faults: readonly Fault[];
  readonly figures: Readonly<Record<string, string | number>>;
}

/** Runs a trial with a way to say what has to be undone after it, the last first. */
export async function withCleanup<T>(run: (onEnd: (cleanup: () => unknown) => void) => Promise<T>): Promise<T> {
  const cleanups: (() => unknown)[] = [];
  try {
    return await run((cleanup) => cleanups.push(cleanup));
  } finally {
    for (const cleanup of cleanups.toReversed()) await cleanup();
  }
}
