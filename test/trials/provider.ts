import { chunk, eventStreamHead, type RawExchange, startRawUpstream } from '../harness/upstream.ts';
import { isPlainObject } from '../../src/crypto/index.ts';
import { type Bill, billOf, markerOf, type Plan, type Plans } from './plans.ts';

/** What the provider itself knows of a call. */
export interface Served extends Bill {
  /** How often a request with this marker came. */
  arrivals: number;
  /** `performance.now()` of the first. */
  readonly arrivedAt: number;
}

export interface TrialProvider {
  readonly origin: string;
  readonly served: ReadonlyMap<string, Served>;
  stop(): Promise<void>;
}

/** Stands for OpenAI on a bare socket: counts what comes, and does with each call what its plan says. */
export async function startTrialProvider(plans: Plans): Promise<TrialProvider> {
  const served = new Map<string, Served>();
  const upstream = await startRawUpstream((exchange) => {
    const parsed: unknown = JSON.parse(exchange.body);
    const body = isPlainObject(parsed) ? parsed : {};
    const marker = markerOf(String(body['model']));
    const plan = plans.byMarker.get(marker);
    if (plan === undefined) throw new Error(`a call that nobody planned: ${marker}`);
    const known = served.get(marker);
    const bill = known ?? billOf(plan, body, exchange.body.length);
    if (known === undefined) served.set(marker, { ...bill, arrivals: 1, arrivedAt: performance.now() });
    else known.arrivals += 1;
    void answer(exchange, plan, bill);
  });
  return { origin: upstream.origin, served, stop: () => upstream.stop() };
}

async function answer(exchange: RawExchange, plan: Plan, { usage }: Bill): Promise<void> {
  if (plan.delayMs > 0) await Bun.sleep(plan.delayMs);
  if (plan.status === null) return exchange.reset();
  if (plan.status !== 200) return writeJson(exchange, plan.status, { error: { message: 'No.', type: 'trial' } });
  const { prompt, cached, completion } = usage;
  const stated = {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
  };
  const text = 'word '.repeat(plan.chunks);
  const common = { id: `chatcmpl-${plan.marker}`, created: 1, model: 'trial' };
  if (plan.isStream) return writeStream(exchange, plan, common, stated);
  const choices = [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }];
  return writeJson(exchange, 200, { ...common, object: 'chat.completion', choices, usage: stated });
}

async function writeJson(exchange: RawExchange, status: number, body: object): Promise<void> {
  const text = JSON.stringify(body);
  const head = `HTTP/1.1 ${status} Trial\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n`;
  await exchange.write(head + text);
}

async function writeStream(exchange: RawExchange, plan: Plan, common: object, usage: object): Promise<void> {
  const event = (choices: object[], extra: object = {}) =>
    chunk(`data: ${JSON.stringify({ ...common, object: 'chat.completion.chunk', choices, ...extra })}\n\n`);
  await exchange.write(eventStreamHead);
  for (let index = 0; index < plan.chunks; index += 1) {
    const choice = { index: 0, delta: { content: 'word ' }, finish_reason: null };
    await exchange.write(event([choice], { usage: null }));
    if (plan.delayMs > 0) await Bun.sleep(plan.delayMs / 4);
  }
  await exchange.write(event([{ index: 0, delta: {}, finish_reason: 'stop' }], { usage: null }));
  await exchange.write(event([], { usage }));
  await exchange.write(chunk('data: [DONE]\n\n'));
  await exchange.write(chunk(''));
}
