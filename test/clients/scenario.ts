import type { Answer, StandIn } from '../harness/providers.ts';

/** The rows of the matrix, in its order. */
export const features = [
  'chat',
  'system prompt',
  'several turns',
  'image in the prompt',
  'stream, event by event',
  'stream through its helper',
  'usage in a stream',
  'tool call',
  'parallel tool calls',
  'streamed tool call',
  'tool runner',
  'tool runner on a thread',
  'JSON schema',
  'parsed by a schema',
  'streamed object',
  'reasoning',
  'embedding',
  'several embeddings',
  'token count',
  'list of models',
  'one model',
  'picture made',
  'picture edited',
  'speech',
  'transcription',
  'translation',
  'moderation',
  'files',
  'stored answers',
  'response headers',
  'error 400',
  'error 401',
  'error 404',
  'error 429',
  'error 429, then repeated',
  'error 500',
  'error 529',
  'error in mid-stream',
  'abort in mid-stream',
  'budget used up',
  'token revoked',
] as const;

export type Feature = (typeof features)[number];

/** Where a client is pointed: at the provider itself, or at KeyPass. */
export interface Target {
  /** What stands before the provider's own full path. */
  readonly root: string;
  readonly apiKey: string;
  /** Who answers in the end. */
  readonly asked: StandIn;
}

/** Makes the calls and returns what the app sees of them: anything that can be compared. A throw is a result too. */
export type Run = (target: Target) => Promise<unknown>;

/** An answer that the provider gives in place of its usual one, and a promise of what has to happen beside. */
export interface Planned {
  readonly answer: Answer;
  readonly done?: Promise<unknown>;
}

/** How KeyPass refuses: a call of any connection, of one without a budget, or of one that was revoked. */
export interface Refusal {
  readonly by: 'any' | 'no budget' | 'revoked';
  /** Only once the provider has answered. */
  readonly isLate?: true;
  /** What the client's error must have, its class among it. */
  readonly error: object;
  /** For the matrix, where the refusal is no feature of its own. */
  readonly reason?: string;
}

export interface Scenario {
  readonly run: Run;
  /** The provider's answers to the first requests, made anew for each of the two ways. */
  readonly plan?: (asked: StandIn) => readonly Planned[];
  /**
   * Set where the two ways must differ: KeyPass refuses, without a request to the provider unless said otherwise, and
   * this is what the client makes of it.
   */
  readonly refusal?: Refusal;
  /** Set where the call must fail, directly too. */
  readonly throws?: true;
  /** Set where what arrives at the provider differs by design: only the results are compared. */
  readonly comparesResultsOnly?: true;
}

/** A client and what it is tried with: a column of the matrix. */
export interface Client {
  /** The heading, in short. */
  readonly name: string;
  /** Packages whose versions the matrix states. */
  readonly packages: readonly string[];
  /** Whose API it speaks. */
  readonly provider: StandIn;
  /** Whose models it asks for through KeyPass, where that is another. */
  readonly translatedTo?: StandIn;
  readonly scenarios: Partial<Readonly<Record<Feature, Scenario | Run>>>;
}

export function scenarioOf(client: Client, feature: Feature): Scenario | undefined {
  const scenario = client.scenarios[feature];
  return typeof scenario === 'function' ? { run: scenario } : scenario;
}

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
