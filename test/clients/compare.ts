import { isPlainObject } from '../../src/crypto/index.ts';
import { providers } from '../../src/providers/index.ts';
import type { RecordedRequest } from '../harness/providers.ts';
import type { Target } from './scenario.ts';

/** What the two ways may differ in, with the reason. docs/clients.md repeats these lists. */
export const mayDiffer = {
  /** Members of results: made anew for every answer. */
  members: ['created', 'created_at', 'completed_at', 'timestamp', '_request_id', 'requestID', 'request_id'],
  /** Headers of answers that stop at KeyPass, and those that it adds. */
  answerHeaders: [
    'date',
    'connection',
    'transfer-encoding',
    'content-length',
    'access-control-*',
    'x-request-id',
    'x-provider-request-id',
    'x-keypass-*',
    'content-security-policy',
    'x-content-type-options',
    'x-accel-buffering',
    'cache-control',
    'cross-origin-resource-policy',
    'permissions-policy',
    'referrer-policy',
    'openai-organization',
    'anthropic-organization-id',
    'set-cookie',
    'server',
    'cf-*',
    'via',
    'alt-svc',
  ],
  /** Headers of requests that stop at KeyPass, or say who sends the request. */
  requestHeaders: [
    'host',
    'connection',
    'content-length',
    'user-agent',
    'accept-encoding',
    'x-stainless-*',
    'authorization',
    'x-api-key',
    'x-goog-api-key',
  ],
  /** Members of request bodies that KeyPass adds: to be told the usage, and to hold the list price. */
  bodyMembers: ['stream_options', 'service_tier'],
} as const;

/** Ids that aimock and the clients make up anew for every call. */
const madeUp =
  /\b(?:chatcmpl|msg|resp|rs|fc|ws|req|file|toolu|aitxt|aiobj|call)[-_](?!paris|rome|of_)[A-Za-z0-9_-]{12,}|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

/** Everything of a value that can be compared, as plain JSON: ids by the order of their appearance. */
export class Canon {
  readonly #root: string;
  readonly #ids: string[] = [];

  constructor({ root }: Pick<Target, 'root'>) {
    this.#root = root;
  }

  of(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
    if (value instanceof Uint8Array) return `bytes ${value.toHex()}`;
    if (value instanceof ArrayBuffer) return this.of(new Uint8Array(value));
    if (value instanceof Headers) return this.of(namedLess(Object.fromEntries(value), mayDiffer.answerHeaders));
    if (value instanceof Response) return { status: value.status, headers: this.of(value.headers) };
    if (value instanceof Date) return 'a date';
    if (Array.isArray(value)) return value.map((item: unknown) => this.of(item));
    const members = this.#membersOf(value);
    return value instanceof Error ? { class: value.constructor.name, ...this.#errorOf(value), ...members } : members;
  }

  /** A text without the origin that it was asked at and without made-up ids. */
  text(text: string): string {
    return text.replaceAll(this.#root, '‹root›').replaceAll(madeUp, (id) => this.#named(id));
  }

  #named(id: string): string {
    if (!this.#ids.includes(id)) this.#ids.push(id);
    return `‹id ${this.#ids.indexOf(id)}›`;
  }

  #errorOf({ name, message, cause }: Error): object {
    return { name, message: this.text(message), ...(cause === undefined ? {} : { cause: this.of(cause) }) };
  }

  #membersOf(value: object): object {
    const entries = Object.entries(value).filter(([name]) => !isListed(name, mayDiffer.members));
    return Object.fromEntries(
      entries.map(([name, member]: [string, unknown]) => {
        const isHeaders = /headers$/i.test(name) && isPlainObject(member);
        return [name, this.of(isHeaders ? namedLess(member, mayDiffer.answerHeaders) : member)];
      }),
    );
  }
}

/**
 * What arrived at the provider, as far as both ways must agree on it. `direct`: what came the other way; members that
 * KeyPass adds are left out only where they are not in there.
 */
export async function requestsOf(
  requests: readonly RecordedRequest[],
  canon: Canon,
  direct: readonly RecordedRequest[] = requests,
): Promise<unknown[]> {
  return Promise.all(
    requests.map(async (request, index) => {
      const { method, query } = request;
      const path = canon.text(request.path);
      const headers = sentHeaders(request);
      const body = isBodiless(method) ? null : await bodyOf(request, canon, direct[index]);
      return { method, path, query, headers, body };
    }),
  );
}

/** The key as each way sent it: where the provider takes it and nowhere else, or how that fails. */
export function keyFault({ provider, headers }: RecordedRequest, secret: string): string | undefined {
  const keyHeader = providers.find(({ id }) => id === provider)?.keyHeader ?? 'authorization';
  const expected = keyHeader === 'authorization' ? `Bearer ${secret}` : secret;
  const all = ['authorization', 'x-api-key', 'x-goog-api-key'];
  const wrong = all.filter((name) => headers.get(name) !== (name === keyHeader ? expected : null));
  return wrong.length === 0 ? undefined : `key in ${wrong.join(', ')}`;
}

/** Where a body means nothing (RFC 9110, 9.3): `@google/genai` sends `{}` all the same, and KeyPass leaves it out. */
function isBodiless(method: string): boolean {
  return method === 'GET' || method === 'DELETE';
}

function sentHeaders({ method, headers }: RecordedRequest): object {
  const { 'content-type': type = '', ...sent } = namedLess(Object.fromEntries(headers), mayDiffer.requestHeaders);
  // The boundary is made up for every form.
  return isBodiless(method) ? sent : { ...sent, 'content-type': String(type).replace(/boundary=.*/, 'boundary=…') };
}

async function bodyOf({ headers, body }: RecordedRequest, canon: Canon, direct?: RecordedRequest): Promise<unknown> {
  const type = headers.get('content-type') ?? '';
  if (type.startsWith('multipart/form-data')) return formOf(new Response(body, { headers: { 'content-type': type } }));
  const text = canon.text(new TextDecoder().decode(body));
  const json = objectIn(text);
  if (json === undefined) return text;
  const asked = objectIn(new TextDecoder().decode(direct?.body)) ?? {};
  const added = mayDiffer.bodyMembers.filter((name) => !Object.hasOwn(asked, name));
  // Written anew in its own order, so that nothing but white space and the listed members can differ unseen.
  return JSON.stringify(namedLess(json, added));
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return isPlainObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** The fields in their order. KeyPass names files anew, by their kind. */
async function formOf(form: Response): Promise<unknown> {
  return Promise.all(
    [...(await form.formData())].map(async ([name, value]) =>
      typeof value === 'string' ? { name, value } : { name, bytes: (await value.bytes()).toHex() },
    ),
  );
}

function namedLess(members: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !isListed(name, names)));
}

function isListed(name: string, names: readonly string[]): boolean {
  return names.some((listed) => (listed.endsWith('*') ? name.startsWith(listed.slice(0, -1)) : name === listed));
}

/** Where two canonical values differ: paths with both sides, in short. */
export function differences(direct: unknown, through: unknown, at = ''): string[] {
  if (isContainer(direct) && isContainer(through)) {
    const names = new Set([...Object.keys(direct), ...Object.keys(through)]);
    return [...names].flatMap((name) => differences(memberOf(direct, name), memberOf(through, name), `${at}.${name}`));
  }
  return Object.is(direct, through) ? [] : [`${at}: ${shown(direct)} ≠ ${shown(through)}`];
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function memberOf(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : 'absent';
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
