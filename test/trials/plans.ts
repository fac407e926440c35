import type { Chance } from './chance.ts';

/**
 * Pico-dollars a token, by hand from the price list, nothing of it from the product. Each call has a model of its own, a
 * fine-tune or a snapshot that the list knows by the start of its name: a row of the ledger says which call it is of,
 * whoever wrote it and whether or not the client ever saw an id. A fine-tune has no cached price, so none is given.
 */
const families = {
  large: { stem: 'ft:gpt-4o-2024-08-06:trial::', input: 3_750_000n, cached: 3_750_000n, output: 15_000_000n },
  small: { stem: 'ft:gpt-4o-mini-2024-07-18:trial::', input: 300_000n, cached: 300_000n, output: 1_200_000n },
  caching: { stem: 'gpt-5-nano-', input: 50_000n, cached: 5_000n, output: 400_000n },
} as const;

/** What the fine-tuned models may write when no limit is named. */
const mostOutput = 16_384;
/** Beside the bytes of the body: KeyPass's allowance for what a chat template adds. */
const templateTokens = 512;
/** KeyPass lowers a limit to no less than this. */
const usefulOutput = 1024;
/** At most this many bytes are added to a body that does not say its usage, tier, state and limit by itself. */
const addedBytes = 120;

/** Kinds of calls, from dear to cheap; `closing` is the smallest, and the same every time. */
export const sizes = ['open', 'large', 'exact', 'twice', 'medium', 'small', 'caching', 'closing'] as const;
export type Size = (typeof sizes)[number];

interface Shape {
  readonly family: keyof typeof families;
  readonly limits: readonly [number, number] | null;
  readonly share: readonly [number, number];
  readonly choices?: number;
}

const shapes: Record<Size, Shape> = {
  open: { family: 'large', limits: null, share: [0.005, 0.03] },
  large: { family: 'large', limits: [2000, 6000], share: [0.01, 0.1] },
  exact: { family: 'large', limits: [1500, 4000], share: [0.01, 0.1] },
  twice: { family: 'large', limits: [1100, 2000], share: [0.01, 0.1], choices: 2 },
  medium: { family: 'large', limits: [100, 1000], share: [0.05, 0.5] },
  small: { family: 'small', limits: [200, 900], share: [0.3, 1] },
  caching: { family: 'caching', limits: [1000, 5000], share: [0.1, 1] },
  closing: { family: 'small', limits: [64, 64], share: [0.5, 1] },
};

/** One call: what the client sends and when it leaves, what the provider does with it. */
export interface Plan {
  readonly marker: string;
  readonly size: Size;
  readonly body: string;
  readonly isStream: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** The provider's status; null if it breaks the connection off without an answer. */
  readonly status: number | null;
  /** Before the answer, and between the chunks of a stream. */
  readonly delayMs: number;
  readonly chunks: number;
  /** When the client leaves, if it does: so long after it has asked, or after the first bytes of the answer. */
  readonly leaves: { readonly after: 'asking' | 'first bytes'; readonly ms: number } | null;
  /** The part of its limit that the answer uses. */
  readonly share: number;
  /** Bounds in pico-dollars: of the call as it is, and of the smallest part that KeyPass may lower it to. */
  readonly bound: bigint;
  readonly usefulBound: bigint;
}

/** Draws calls one after the other, each with a marker of its own. */
export class Plans {
  readonly byMarker = new Map<string, Plan>();
  readonly #chance: Chance;
  readonly #pace: number;

  /** `pace` stretches the provider's delays. */
  constructor(chance: Chance, pace = 1) {
    this.#chance = chance;
    this.#pace = pace;
  }

  draw(size: Size): Plan {
    const marker = String(this.byMarker.size).padStart(7, '0');
    const isStream = size !== 'closing' && this.#chance.is(0.5);
    const plan: Plan = { marker, size, isStream, ...this.#request(size, marker, isStream), ...this.#course(size) };
    this.byMarker.set(marker, plan);
    return plan;
  }

  #request(size: Size, marker: string, isStream: boolean) {
    const chance = this.#chance;
    const { family, limits, choices = 1 } = shapes[size];
    const limit = limits === null ? null : chance.int(...limits);
    // Half of the calls say themselves what KeyPass would add for them.
    const isExplicit = size === 'closing' || chance.is(0.5);
    const words = size === 'closing' ? 4 : chance.int(2, 150);
    const body = JSON.stringify({
      model: families[family].stem + marker,
      messages: [{ role: 'user', content: 'word '.repeat(words) }],
      user: marker,
      ...(limit === null ? {} : { [family === 'caching' ? 'max_completion_tokens' : 'max_tokens']: limit }),
      ...(choices === 1 ? {} : { n: choices }),
      stream: isStream,
      ...(isExplicit ? { service_tier: 'default', store: false } : {}),
      ...(isExplicit && isStream ? { stream_options: { include_usage: true } } : {}),
    });
    const bytes = body.length + (isExplicit && limit !== null ? 0 : addedBytes);
    const most = limit ?? mostOutput;
    const useful = size === 'exact' ? most : Math.min(most, usefulOutput);
    const headers: Record<string, string> = size === 'exact' ? { 'x-keypass-exact': 'true' } : {};
    const boundAt = (tokens: number) => boundOf(family, bytes, tokens * choices);
    return { body, headers, bound: boundAt(most), usefulBound: boundAt(useful) };
  }

  #course(size: Size): Pick<Plan, 'status' | 'delayMs' | 'chunks' | 'leaves' | 'share'> {
    const chance = this.#chance;
    const [least, most] = shapes[size].share;
    const share = least + chance.next() * (most - least);
    const delayMs = Math.round((chance.is(0.1) ? chance.int(100, 600) : chance.int(0, 20)) * this.#pace);
    const chunks = chance.int(1, 8);
    const fate = size === 'closing' ? 1 : chance.next();
    const status = fate < 0.02 ? null : fate < 0.08 ? chance.pick([400, 401, 404, 429, 500, 503]) : 200;
    const after = chance.is(0.5) ? ('asking' as const) : ('first bytes' as const);
    const leaves = fate > 0.08 && fate < 0.13 ? { after, ms: chance.int(0, 60) } : null;
    return { status, delayMs, chunks, leaves, share };
  }
}

/** The most that a call with a body of so many bytes and so much output can cost: a token has at least one byte. */
function boundOf(family: keyof typeof families, bytes: number, outputTokens: number): bigint {
  const { input, output } = families[family];
  return BigInt(bytes + templateTokens) * input + BigInt(outputTokens) * output;
}

/** What a provider reads of a request as it arrived, and what it bills for the answer. */
export interface Bill {
  readonly usage: { prompt: number; cached: number; completion: number };
  readonly cost: bigint;
  /** The most that may be held for it. */
  readonly bound: bigint;
}

/** The bill of a plan whose body came as `body`, with the limit that it then had. */
export function billOf(plan: Plan, body: Record<string, unknown>, bytes: number): Bill {
  const { family, choices = 1 } = shapes[plan.size];
  const named = body['max_completion_tokens'] ?? body['max_tokens'];
  const limit = typeof named === 'number' ? named : mostOutput;
  const prompt = Math.floor(bytes / 4);
  const cached = family === 'caching' ? Math.floor(prompt / 2) : 0;
  const completion = Math.max(1, Math.floor(limit * choices * plan.share));
  const price = families[family];
  const cost =
    BigInt(prompt - cached) * price.input + BigInt(cached) * price.cached + BigInt(completion) * price.output;
  // Of a budget that runs out the last pico is held: less than a further token of each choice, and than the digit of a
  // limit that is written with fewer of them.
  const held = boundOf(family, bytes + 1, (limit + 1) * choices);
  return { usage: { prompt, cached, completion }, cost, bound: held };
}

/** The marker in a model's name. */
export function markerOf(model: string): string {
  return /\d{7}$/.exec(model)?.[0] ?? '';
}

/** The exact amount of a decimal of US dollars. */
export function picoOf(usd: string): bigint {
  const [whole = '', fraction = ''] = usd.split('.');
  return BigInt(whole + fraction.padEnd(12, '0'));
}
