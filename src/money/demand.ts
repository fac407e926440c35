import { KeyPassError } from '../errors.ts';
import { isAbsent, isObject, type JsonObject, memberAt } from './json.ts';
import type { Reasoning } from './reasoning.ts';
import type { Fees } from './usage.ts';

/** What a request asks for, as far as it decides what the call can cost at most. Tokens, unless said otherwise. */
export interface Demand {
  /** Answers to one prompt: `n`, `candidateCount`. */
  choices: number;
  /** The app's own limit for each choice. */
  requestedOutput: number | undefined;
  /** The limit cannot hold back what is billed, or no limit can be set: it counts as not asked for. */
  outputFixed: boolean;
  /** Billed as output beside what the limit covers, for each choice. */
  addedOutput: number;
  /** The answer is no text: nothing is billed as output. */
  noOutput: boolean;
  thinkingBudget: number;
  reasoning: Reasoning;
  /** Bytes of the body that are inline media and so no text, and the documented most that these media can be. */
  mediaBytes: number;
  mediaTokens: number;
  /** Something is in the prompt by reference, or has no documented maximum: the model's whole context window. */
  wholeContext: boolean;
  /** `certain`: the prompt has audio, so audio must have a price. `possible`: it may be in what is not seen. */
  audio: 'none' | 'possible' | 'certain';
  /** Images or video, inline or perhaps behind a reference. */
  pictures: boolean;
  spokenOutput: boolean;
  cacheWrites: 'none' | '5m' | '1h';
  /** What the provider adds to the prompt for tools and schemas. */
  toolTokens: number;
  /** How often the provider may run the prompt in one call: each result of a tool of its own starts another pass. */
  passes: number;
  fees: Fees;
}

export function plainDemand(): Demand {
  return {
    choices: 1,
    requestedOutput: undefined,
    outputFixed: false,
    addedOutput: 0,
    noOutput: false,
    thinkingBudget: 0,
    reasoning: 'unsaid',
    mediaBytes: 0,
    mediaTokens: 0,
    wholeContext: false,
    audio: 'none',
    pictures: false,
    spokenOutput: false,
    cacheWrites: 'none',
    toolTokens: 0,
    passes: 1,
    fees: {},
  };
}

/** Instructions that providers put before a prompt that has tools: none documented is near this. */
const toolsPreamble = 2048;
const encoder = new TextEncoder();

/** The definitions are in the body already; once more for a provider that sets them out in a longer notation. */
export function toolOverhead(definitions: unknown): number {
  return toolsPreamble + encoder.encode(JSON.stringify(definitions) ?? '').length;
}

/** The prompt has something whose kind and size are not seen. */
export function addReference(demand: Demand): void {
  demand.wholeContext = true;
  demand.pictures = true;
  if (demand.audio === 'none') demand.audio = 'possible';
}

/** An inline image; `most` is the documented maximum, undefined when there is none. */
export function addImage(demand: Demand, base64: string, most: number | undefined): void {
  demand.pictures = true;
  if (most === undefined) {
    demand.wholeContext = true;
    return;
  }
  demand.mediaBytes += base64.length;
  demand.mediaTokens += most;
}

/** What a limit may be. `most`: absent, it is what providers can read. */
export interface Range {
  readonly least: number;
  readonly most?: number;
  readonly nullIsAbsent: boolean;
}

/** Providers read limits as 32-bit integers. */
const mostOfAnyLimit = 2 ** 31 - 1;

/**
 * A member that limits cost: a whole number within `range`, or absent. Anything else is refused with `invalid_request`,
 * as a provider might read it in another way than KeyPass does.
 */
export function limitMember(body: unknown, name: string, range: Range): number | undefined {
  const value = memberAt(body, name);
  if (value === undefined || (value === null && range.nullIsAbsent)) return undefined;
  const most = range.most ?? mostOfAnyLimit;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < range.least || value > most) {
    const message = `${name} must be a whole number from ${range.least} to ${most}.`;
    throw new KeyPassError('invalid_request', message, { param: name });
  }
  return value;
}

/** Members of a body that are not known may cost what is not known: refused by name, unless they are null. */
export function refuseUnknownMembers(body: JsonObject, known: ReadonlySet<string>): void {
  for (const name of Object.keys(body)) {
    if (known.has(name) || body[name] === null) continue;
    throw unboundedCost(name, 'KeyPass does not know it here: check its name, or leave it out.');
  }
}

/** The parameter's name comes from the request and is cut to what names look like. */
export function unboundedCost(param: string, hint = ''): KeyPassError {
  const name = param.replace(/[^\w.[\]-]/g, '?').slice(0, 64);
  const message = `What ${name} may cost has no limit that KeyPass could hold against the budget.`;
  return new KeyPassError('unbounded_cost', hint === '' ? message : `${message} ${hint}`, { param: name });
}

/**
 * The objects that a member lists. One object where a list is expected is taken as a list of one, as a lenient provider
 * would; what else is in a list is left to the provider to refuse.
 */
export function objectsIn(value: unknown): readonly JsonObject[] {
  if (isObject(value)) return [value];
  if (!Array.isArray(value)) return none;
  const items: readonly unknown[] = value;
  return areObjects(items) ? items : items.filter(isObject);
}

const none: readonly JsonObject[] = [];

function areObjects(list: readonly unknown[]): list is readonly JsonObject[] {
  for (const item of list) if (!isObject(item)) return false;
  return true;
}

export function isEmpty(value: unknown): boolean {
  return isAbsent(value) || (Array.isArray(value) && value.length === 0);
}
