import { sha256, utf8 } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { sandboxHeaders } from '../http/security-headers.ts';
import type { KeyHeader, Provider } from '../providers/index.ts';
import type { PlainKey } from './ports.ts';

const decoder = new TextDecoder();

/** The client's headers that go up for every provider. Everything else stays here. */
export const idempotencyKey = 'idempotency-key';
const requestHeaders = ['accept', idempotencyKey];

/** The provider's headers that come back for every provider; `*` ends a prefix. */
const responseHeaders = [
  'content-type',
  'content-disposition',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'x-ratelimit-*',
];

/** What holds for all calls of a provider: to copy headers costs a fifth of writing them one by one. */
interface Rules {
  /** What KeyPass writes into every request. */
  readonly sent: Headers;
  /** The names that come back, and the beginnings of names. */
  readonly names: ReadonlySet<string>;
  readonly prefixes: readonly string[];
  /** The headers of requests of which not every value is passed on. */
  readonly listedValues: readonly (readonly [string, readonly string[]])[];
}

const known = new WeakMap<Provider, Rules>();

function rulesOf(provider: Provider): Rules {
  const found = known.get(provider);
  if (found !== undefined) return found;
  const rules = newRules(provider);
  known.set(provider, rules);
  return rules;
}

function newRules(provider: Provider): Rules {
  // Usage is read from the bytes as they pass, so they must not be packed.
  const sent = new Headers({ ...provider.defaultHeaders, 'accept-encoding': 'identity', 'user-agent': 'KeyPass' });
  const back = [...responseHeaders, ...provider.responseHeaders];
  const prefixes = back.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  return { sent, names: new Set(back), prefixes, listedValues: Object.entries(provider.listedValues) };
}

/**
 * The headers of the upstream request, the key among them: built last, so that neither the client nor what the owner
 * stored can replace it. As a string, the key lives only in these headers.
 */
export function upstreamHeaders(
  provider: Provider,
  client: Headers,
  key: PlainKey,
  contentType: string | null,
): Headers {
  const headers = new Headers(rulesOf(provider).sent);
  copyNamed(client, headers, requestHeaders);
  copyNamed(client, headers, provider.requestHeaders);
  for (const [name, value] of Object.entries(key.headers)) {
    if (provider.ownerHeaders.includes(name.toLowerCase())) headers.set(name, value);
  }
  if (contentType !== null) headers.set('content-type', contentType);
  const { keyHeader } = provider;
  if (keyHeader !== null) headers.set(keyHeader, keyValue(keyHeader, decoder.decode(key.secret)));
  return headers;
}

/**
 * Refuses the values that the provider's table does not list of a header that changes what a call may do: a larger
 * context or answer would break the bound that is held. Throws `unsupported_parameter` with the header's name.
 */
export function refuseUnlistedValues(provider: Provider, client: Headers): void {
  for (const [name, listed] of rulesOf(provider).listedValues) {
    const given = client.get(name);
    if (given === null) continue;
    const values = given.split(',').map((value) => value.trim());
    const unlisted = values.find((value) => value !== '' && !listed.includes(value));
    if (unlisted === undefined) continue;
    // A value is repeated only where it is built like the name of a beta, which is no secret.
    const shown = /^[a-z][a-z0-9-]{0,60}[-=](?:20\d\d-\d\d-\d\d|v\d+)$/.test(unlisted) ? ` (${unlisted})` : '';
    const message = `${name} has a value that KeyPass does not pass on${shown}. The coverage matrix in /docs lists those that it does.`;
    const details = provider.refusalDetails?.[unlisted];
    throw new KeyPassError('unsupported_parameter', message, { param: name, ...(details && { details }) });
  }
}

/**
 * The client's headers with an idempotency key that is the connection's own, in place of the client's: one provider
 * account has one namespace of them, in which no app may meet the calls of another.
 */
export async function withOwnIdempotencyKey(client: Headers, key: string, connectionId: string): Promise<Headers> {
  const own = new Headers(client);
  const hash = await sha256(utf8(`${connectionId}\n${key}`));
  own.set(idempotencyKey, [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join(''));
  return own;
}

/** What an answer's headers say, to the client and to whoever passes its body on. */
export interface AnswerHead {
  /** The provider's own by allow-list, and KeyPass's, which no provider's list names. */
  readonly headers: Headers;
  readonly isEventStream: boolean;
  /** The body can be passed on in one piece: a stream of its own costs more than all else of a small call. */
  readonly isShort: boolean;
}

/** Little enough to be there with its headers, or a moment after. */
const shortBytes = 64 * 1024;

/** Its `x-request-id` becomes `x-provider-request-id`, because every answer has an id of ours. */
export function answerHead(provider: Provider, upstream: Headers): AnswerHead {
  const headers = new Headers(sandboxHeaders);
  const { names, prefixes } = rulesOf(provider);
  const told = { type: '', length: '', coding: '', transfer: '', id: '' };
  // One walk costs less than to look for each name, and prefixes need one anyway.
  upstream.forEach((value, name) => {
    if (names.has(name) || prefixes.some((prefix) => name.startsWith(prefix))) headers.set(name, value);
    if (name === 'content-type') told.type = value;
    else if (name === 'content-length') told.length = value;
    else if (name === 'content-encoding') told.coding = value;
    else if (name === 'transfer-encoding') told.transfer = value;
    else if (name === 'x-request-id') told.id = value;
  });
  // The others `fetch` has undone: what was packed against the request's word comes out as it is.
  if (told.coding !== '' && !undone.has(told.coding.toLowerCase())) headers.set('content-encoding', told.coding);
  if (told.id !== '') headers.set('x-provider-request-id', told.id);
  const isStream = eventStream.test(told.type);
  // Reverse proxies such as nginx hold a stream back unless they are told not to.
  if (isStream) headers.set('x-accel-buffering', 'no');
  const isPlain = told.coding === '' && told.transfer === '' && !isStream;
  return {
    headers,
    isEventStream: isStream,
    isShort: isPlain && told.length !== '' && Number(told.length) <= shortBytes,
  };
}

/** Codings of an answer that `fetch` undoes. */
const undone = new Set(['identity', 'gzip', 'x-gzip', 'deflate', 'br', 'zstd']);

const eventStream = /^text\/event-stream\b/i;

export function isEventStream(headers: Headers): boolean {
  return eventStream.test(headers.get('content-type') ?? '');
}

function copyNamed(from: Headers, to: Headers, names: readonly string[]): void {
  for (const name of names) {
    const value = from.get(name);
    if (value !== null) to.set(name, value);
  }
}

function keyValue(header: KeyHeader, secret: string): string {
  // Said here, because a runtime that refuses a header repeats its value in the error.
  if (!/^[\x21-\x7e]+$/.test(secret)) {
    throw new KeyPassError(
      'provider_key_rejected',
      'The stored key has characters that no key has. Its owner must replace it.',
    );
  }
  return header === 'authorization' ? `Bearer ${secret}` : secret;
}
