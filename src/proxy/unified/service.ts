import type { Clock } from '../../clock.ts';
import { idempotencyKeyOf } from '../../http/idempotency.ts';
import { success } from '../../http/envelope.ts';
import { isObject, parseBytes } from '../../money/json.ts';
import { isEventStream } from '../headers.ts';
import { refuseKeyInQuery, targetOf } from '../paths.ts';
import type { Limits } from '../ports.ts';
import { readContent } from '../prepare.ts';
import { contentOf } from '../pricing.ts';
import type { Answer } from '../dispatch.ts';
import type { Caller, Proxy } from '../service.ts';
import { readAddress, readModelName } from './address.ts';
import type { NumberedCalls } from './calls.ts';
import type { CallFacts } from './completion.ts';
import { exchangeFor, type Exchange } from './exchange.ts';
import { readWhole, refusalOf, unreadable } from './failures.ts';
import { malformed } from './refusal.ts';
import { chatStream } from './stream.ts';

interface Parts {
  readonly proxy: Proxy;
  readonly numbered: Pick<NumberedCalls, 'once'>;
  readonly limits: Limits;
  readonly clock: Clock;
}

/** Whose call it is, and where its answer goes. */
interface Call {
  readonly callId: string;
  readonly caller: Caller;
  readonly request: Request;
  /** `envelope` for KeyPass's own path, `plain` for OpenAI's own clients. */
  readonly shape: 'envelope' | 'plain';
}

/**
 * OpenAI's chat for every provider: a body is translated, called through the proxy like any other (policy, hold, key,
 * receipt), and its answer translated back. One that goes to a provider of that shape is passed on as it is.
 */
export class UnifiedChat {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers `POST /v1/proxy/chat/completions`. Throws KeyPassError; a provider's own refusal as ProviderRefusal. */
  async chat(request: Request, callId: string): Promise<Response> {
    const { call, content } = await this.#receive(request, callId, 'envelope');
    const { body } = content;
    const exchange = exchangeFor(readAddress(body));
    const key = idempotencyKeyOf(request);
    if (key === null) return this.#converse(call, exchange);
    const { connectionId } = call.caller.grantee;
    return this.#parts.numbered.once({ connectionId, key, body, callId }, () => this.#converse(call, exchange));
  }

  /**
   * Answers `POST /openai/v1/chat/completions`: a model such as `anthropic/claude-opus-4-8` goes to that provider, any
   * other name to OpenAI, byte for byte as on the passthrough. An `Idempotency-Key` is handed on, not acted on.
   */
  async dropIn(request: Request, callId: string): Promise<Response> {
    const { call, content, route } = await this.#receive(request, callId, 'plain');
    const address = readModelName(content.body);
    if (address !== undefined) return this.#converse(call, exchangeFor(address));
    const { headers, signal } = request;
    const sent = { callId, route, headers, content, signal, tellsErrors: true };
    const answer = await this.#parts.proxy.callAs(call.caller, sent);
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  }

  /** Who calls comes before what is sent: a stranger's body is not read. `route` is OpenAI's own. */
  async #receive(request: Request, callId: string, shape: Call['shape']) {
    const { proxy, limits } = this.#parts;
    const { query } = targetOf(request.url);
    refuseKeyInQuery(query);
    const caller = await proxy.caller(request.headers);
    const route = proxy.route('openai', 'POST', '/v1/chat/completions', query);
    const content = await readContent(request, route.endpoint, limits.maxJsonBytes);
    if (content === null) throw malformed('body', 'a JSON object');
    const call: Call = { callId, caller, request, shape };
    return { call, content, route };
  }

  async #converse(call: Call, exchange: Exchange): Promise<Response> {
    const { proxy } = this.#parts;
    const { callId, caller, request } = call;
    const answer = await proxy.callAs(caller, {
      callId,
      route: proxy.route(exchange.provider, 'POST', exchange.path, exchange.query),
      headers: sentHeaders(call),
      content: contentOf(exchange.body),
      signal: request.signal,
      tellsErrors: exchange.translation === undefined,
    });
    if (answer.status < 200 || answer.status >= 300) throw await refusalOf(answer);
    const facts = { id: `chatcmpl-${callId}`, created: this.#now(), model: exchange.model };
    return exchange.isStream ? this.#stream(answer, exchange, facts) : this.#whole(answer, exchange, facts, call.shape);
  }

  async #whole(answer: Answer, { translation }: Exchange, facts: CallFacts, shape: Call['shape']): Promise<Response> {
    const body = parseBytes(await readWhole(answer.body, this.#parts.limits.maxCopyBytes));
    if (!isObject(body)) throw unreadable();
    const completion = translation === undefined ? body : translation.whole(body, facts);
    const headers = headersOf(answer, 'application/json');
    return Response.json(shape === 'envelope' ? success(completion) : completion, { headers });
  }

  async #stream(answer: Answer, { translation }: Exchange, facts: CallFacts): Promise<Response> {
    const { body } = answer;
    if (!(body instanceof ReadableStream) || !isEventStream(answer.headers)) {
      if (body instanceof ReadableStream) await body.cancel();
      throw unreadable();
    }
    const { maxCopyBytes } = this.#parts.limits;
    const stream = translation === undefined ? body : chatStream(body, translation.stream(facts), maxCopyBytes);
    return new Response(stream, { headers: headersOf(answer, 'text/event-stream; charset=utf-8') });
  }

  #now(): number {
    return Math.floor(this.#parts.clock.now().getTime() / 1000);
  }
}

/** A client speaks to KeyPass: of its headers only those pass that are about the call and not about OpenAI's API. */
function sentHeaders({ request, shape }: Call): Headers {
  const names = shape === 'envelope' ? ['x-keypass-exact'] : ['x-keypass-exact', 'idempotency-key'];
  const given = names.map((name) => [name, request.headers.get(name)] as const);
  return new Headers(
    given.flatMap(([name, value]) => (value === null ? [] : [[name, value] satisfies [string, string]])),
  );
}

function headersOf({ headers }: Answer, contentType: string): Headers {
  const sent = new Headers(headers);
  sent.set('content-type', contentType);
  return sent;
}
