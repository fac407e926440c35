import type { Feature, Run, Scenario } from './scenario.ts';
import { fails } from './upstream.ts';

interface Calls {
  /** One call that is not repeated. */
  readonly once: Run;
  /** One that the client may repeat. */
  readonly repeated: Run;
}

/** What providers refuse: all of a client's error must be the same both ways. */
export function failing({ once, repeated }: Calls) {
  return {
    'error 400': { run: once, plan: (asked) => [fails(asked, 400)], throws: true },
    'error 404': { run: once, plan: (asked) => [fails(asked, 404)], throws: true },
    'error 429': { run: once, plan: (asked) => [fails(asked, 429)], throws: true },
    'error 429, then repeated': {
      run: repeated,
      plan: (asked) => [fails(asked, 429, { 'retry-after': '0', 'retry-after-ms': '1', 'x-should-retry': 'true' })],
    },
    'error 500': { run: once, plan: (asked) => [fails(asked, 500)], throws: true },
    'error 529': { run: once, plan: (asked) => [fails(asked, 529)], throws: true },
  } satisfies Partial<Record<Feature, Scenario>>;
}

/**
 * A key that the provider does not take is its owner's business: the app can't have sent a better one. `run` makes one call
 * that is not repeated.
 */
export function keyRejected(run: Run, error: object): Scenario {
  return {
    run,
    plan: (asked) => [fails(asked, 401)],
    refusal: { by: 'any', isLate: true, error, reason: 'told as `provider_key_rejected`' },
  };
}

/** The same where the run has made a result of the failure by itself. */
export function alike(scenarios: ReturnType<typeof failing>): Partial<Record<Feature, Scenario>> {
  return Object.fromEntries(Object.entries(scenarios).map(([feature, { run, plan }]) => [feature, { run, plan }]));
}

/** At this header the clients do not repeat a call. */
export const isFinal = { headers: { 'x-should-retry': 'false' } };

/** What KeyPass refuses by itself, and what the client makes of it. `once` would be repeated if it could help. */
export function refused(once: Run, budget: object, token: object) {
  return {
    'budget used up': { run: once, refusal: { by: 'no budget', error: budget } },
    'token revoked': { run: once, refusal: { by: 'revoked', error: token } },
  } satisfies Partial<Record<Feature, Scenario>>;
}

/** Every item of a stream and how it ended. */
export async function readToTheEnd<T>(stream: AsyncIterable<T>): Promise<{ items: T[]; failure: unknown }> {
  const items: T[] = [];
  try {
    for await (const item of stream) items.push(item);
  } catch (failure) {
    return { items, failure };
  }
  return { items, failure: null };
}

/** The first item of a stream, and what came after it once `abort` was called. */
export async function abortAfterFirst<T>(
  stream: AsyncIterable<T>,
  abort: () => void,
): Promise<{ items: T[]; failure: unknown }> {
  const items: T[] = [];
  try {
    for await (const item of stream) {
      if (items.push(item) === 1) abort();
    }
  } catch (failure) {
    return { items, failure };
  }
  return { items, failure: null };
}
