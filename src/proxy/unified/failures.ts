import { concat } from '../../crypto/index.ts';
import { KeyPassError, type ErrorCode } from '../../errors.ts';
import { listAt, memberAt, parseBytes, textAt } from '../../money/json.ts';
import { onceOnly, type Answer } from '../dispatch.ts';
import { codeOf, detailIn, failureIn, messageIn, safeText } from '../failure-text.ts';

const longestBody = 64 * 1024;

/** A provider's own refusal of a call, in KeyPass's words; `status` and `headers` are what the answer gets. */
export class ProviderRefusal extends KeyPassError {
  readonly status: number;
  readonly headers: Headers;

  constructor(code: ErrorCode, message: string, answer: RefusedAnswer) {
    const { status, providerCode, param, retryAfter, headers } = answer;
    super(code, message, {
      details: { status, ...(providerCode === undefined ? {} : { providerCode }) },
      ...(param === undefined ? {} : { param }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
    this.status = status;
    this.headers = headers;
  }
}

interface RefusedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly providerCode?: string | undefined;
  readonly param?: string | undefined;
  readonly retryAfter?: number | undefined;
}

/** Reads an answer that is no success. It is read up to a limit; what is no JSON tells its status alone. */
export async function refusalOf(answer: Answer): Promise<ProviderRefusal> {
  const bytes = await readWhole(answer.body, longestBody).catch(() => new Uint8Array());
  return refusalFrom(answer.status, answer.headers, parseBytes(bytes));
}

/**
 * A provider's failure: `provider_rate_limited` for 429, else `provider_error` with the provider's own text. What is about
 * the owner's key has been told before.
 */
export function refusalFrom(status: number, headers: Headers, body: unknown): ProviderRefusal {
  // Google streams its failures as a list of one.
  const holder: unknown = Array.isArray(body) ? body[0] : body;
  const failure = failureIn(holder);
  const details = { status, headers, providerCode: codeOf(failure), param: placeOf(failure) };
  const text = safeText(messageIn(failure));
  if (status === 429) {
    const retryAfter = retryAfterOf(headers, failure);
    return new ProviderRefusal('provider_rate_limited', `The provider limits the rate: ${text}`, {
      ...details,
      retryAfter,
    });
  }
  return new ProviderRefusal('provider_error', `The provider refused the call: ${text}`, details);
}

/** A failure that the provider itself told of, and ended its answer with. */
export class ToldFailure extends KeyPassError {}

/** The failure that an event of a stream tells of, in any provider's shape. */
export function failureInStream(event: unknown): ToldFailure {
  const failure = failureIn(event);
  const providerCode = codeOf(failure);
  return new ToldFailure('provider_error', `The provider ended the answer: ${safeText(messageIn(failure))}`, {
    isFinal: true,
    ...(providerCode === undefined ? {} : { details: { providerCode } }),
  });
}

/** A success that cannot be read. The provider bills it, so a client must not repeat it by itself. */
export function unreadable(why = 'The provider answered in a form that KeyPass cannot read.'): KeyPassError {
  return new KeyPassError('provider_error', why, { isFinal: true });
}

/** A stream that ended without its end. */
export function brokenOff(): KeyPassError {
  return new KeyPassError('provider_unreachable', 'The provider broke the answer off.');
}

/**
 * A body as a whole; throws what the body fails with, and `provider_error` where it is longer than `limit`. Neither is to
 * be repeated: what has begun is billed.
 */
export async function readWhole(body: Answer['body'], limit: number): Promise<Uint8Array> {
  if (!(body instanceof ReadableStream)) {
    if (body !== null && body.length > limit) throw unreadable();
    return body ?? new Uint8Array();
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      // Leaving the loop cancels the body.
      if (length > limit) throw unreadable();
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof KeyPassError ? onceOnly(error) : error;
  }
  return concat(...chunks);
}

function placeOf(failure: unknown): string | undefined {
  const place = listAt(detailIn(failure), 'loc').filter((step) => step !== 'body');
  const param = textAt(failure, 'param') ?? (place.length === 0 ? undefined : place.join('.'));
  return param !== undefined && /^[\w.[\]-]{1,100}$/.test(param) && safeText(param) === param ? param : undefined;
}

/** Seconds: from the header, or from Google's RetryInfo (`"34s"`). */
function retryAfterOf(headers: Headers, failure: unknown): number | undefined {
  const header = headers.get('retry-after');
  if (header !== null && /^\d{1,9}$/.test(header)) return Number(header);
  const delay = listAt(failure, 'details').map((detail) => memberAt(detail, 'retryDelay'));
  const seconds = delay.map((value) => /^(\d{1,9}(?:\.\d+)?)s$/.exec(String(value))?.[1]).find(isGiven);
  return seconds === undefined ? undefined : Math.ceil(Number(seconds));
}

function isGiven<T>(value: T | undefined): value is T {
  return value !== undefined;
}
