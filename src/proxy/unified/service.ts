import type { Clock } from '../../clock.ts';
import { idempotencyKeyOf } from '../../http/idempotency.ts';
import { success } from '../../http/envelope.ts';
import { isObject, type JsonObject, parseBytes } from '../../money/json.ts';
import type { Catalogue } from '../../providers/index.ts';
import type { Answer } from '../dispatch.ts';
import { isEventStream } from '../headers.ts';
import type { Limits } from '../ports.ts';
import { contentOf } from '../pricing.ts';
import type { Proxy } from '../service.ts';
import { type Addressed, readAddress, readModelName } from './address.ts';
import type { NumberedCalls } from './calls.ts';
import type { CallFacts } from './completion.ts';
import { embeddingsFor } from './embeddings.ts';
import { exchangeFor, type Exchange } from './exchange.ts';
import { readWhole, refusalOf, unreadable } from './failures.ts';
import { headersAbout, headersOf, passOn, receive, type Received } from './reception.ts';
import { chatStream } from './stream.ts';

interface Parts {
  readonly proxy: Proxy;
  readonly providers: Catalogue;
  readonly numbered: Pick<NumberedCalls, 'once'>;
  readonly limits: Limits;
  readonly clock: Clock;
}

/** Where an answer goes: `envelope` for KeyPass's own path, `plain` for OpenAI's own clients. */
type Shape = 'envelope' | 'plain';

/**
 * OpenAI's chat and embeddings for every provider: a body is translated, called through the proxy like any other (policy,
 * hold, key, receipt), and its answer translated back.
 */
export class Unified {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers `POST /v1/proxy/chat/completions`. Throws KeyPassError; a provider's own refusal as ProviderRefusal. */
  async chat(request: Request, callId: string): Promise<Response> {
    const received = await this.#receive(request, callId, '/v1/chat/completions');
    const { body } = received.content;
    const exchange = exchangeFor(readAddress(this.#parts.providers, body));
    const key = idempotencyKeyOf(request);
    if (key === null) return this.#converse(received, exchange, 'envelope');
    const { connectionId } = received.caller.grantee;
    const number = { connectionId, key, body, callId };
    return this.#parts.numbered.once(number, () => this.#converse(received, exchange, 'envelope'));
  }

  /**
   * Answers `POST /openai/v1/chat/completions`: a model such as `anthropic/claude-opus-4-8` goes to that provider, any
   * other name to OpenAI, byte for byte as on the passthrough. An `Idempotency-Key` is handed on, not acted on.
   */
  async dropInChat(request: Request, callId: string): Promise<Response> {
    const received = await this.#receive(request, callId, '/v1/chat/completions');
    const address = this.#addressOf(received);
    if (address === undefined) return passOn(this.#parts.proxy, received);
    return this.#converse(received, exchangeFor(address), 'plain');
  }

  /** Answers `POST /openai/v1/embeddings`, by the model's name as above. */
  async dropInEmbeddings(request: Request, callId: string): Promise<Response> {
    const received = await this.#receive(request, callId, '/v1/embeddings');
    const address = this.#addressOf(received);
    if (address === undefined) return passOn(this.#parts.proxy, received);
    const exchange = embeddingsFor(address);
    const target = { provider: address.provider, query: '', ...exchange };
    const answer = await this.#call(received, target, 'plain', false);
    // A thousand vectors are longer than any chat.
    const body = await this.#read(answer, this.#parts.limits.maxJsonBytes);
    return Response.json(exchange.whole(body), { headers: headersOf(answer, 'application/json') });
  }

  #receive(request: Request, callId: string, path: string): Promise<Received> {
    const { proxy, limits } = this.#parts;
    return receive(proxy, { request, callId, path, limit: limits.maxJsonBytes });
  }

  #addressOf({ content }: Received): Addressed | undefined {
    return readModelName(this.#parts.providers, content.body);
  }

  async #converse(received: Received, exchange: Exchange, shape: Shape): Promise<Response> {
    const answer = await this.#call(received, exchange, shape, exchange.translation === undefined);
    const facts = { id: `chatcmpl-${received.callId}`, created: this.#now(), model: exchange.model };
    return exchange.isStream ? this.#stream(answer, exchange, facts) : this.#whole(answer, exchange, facts, shape);
  }

  /** A success of the provider's. Its refusal is thrown as ProviderRefusal. */
  async #call(
    { callId, caller, request }: Received,
    { provider, path, query, body }: Pick<Exchange, 'provider' | 'path' | 'query' | 'body'>,
    shape: Shape,
    tellsErrors: boolean,
  ): Promise<Answer> {
    const { proxy } = this.#parts;
    // A client that was made for OpenAI may name its call, which is handed on.
    const names = shape === 'envelope' ? ['x-keypass-exact'] : ['x-keypass-exact', 'idempotency-key'];
    const answer = await proxy.callAs(caller, {
      callId,
      route: proxy.route(provider.id, 'POST', path, query),
      headers: headersAbout(request, names),
      content: contentOf(body),
      signal: request.signal,
      tellsErrors,
    });
    if (answer.status < 200 || answer.status >= 300) throw await refusalOf(answer);
    return answer;
  }

  async #whole(answer: Answer, { translation }: Exchange, facts: CallFacts, shape: Shape): Promise<Response> {
    const body = await this.#read(answer, this.#parts.limits.maxCopyBytes);
    const completion = translation === undefined ? body : translation.whole(body, facts);
    const headers = headersOf(answer, 'application/json');
    return Response.json(shape === 'envelope' ? success(completion) : completion, { headers });
  }

  async #read(answer: Answer, longest: number): Promise<JsonObject> {
    const body = parseBytes(await readWhole(answer.body, longest));
    if (!isObject(body)) throw unreadable();
    return body;
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
