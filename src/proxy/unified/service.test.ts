import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { LLMock } from '@copilotkit/aimock';
import OpenAI, { APIError } from 'openai';
import { providerKey, type ProxyHarness } from '../../../test/harness/proxy.ts';
import { ask, startUnified, type UnifiedHarness, type UnifiedOptions } from '../../../test/harness/unified.ts';
import { startRecorder, type Recorder } from '../../../test/harness/upstream.ts';

const messages = [{ role: 'user' as const, content: 'hello' }];
const reply = 'Grüße 🙂, how are you?';
const models = [
  ['openai', 'gpt-4o-mini'],
  ['anthropic', 'claude-opus-4-8'],
  ['google', 'gemini-2.5-flash'],
  ['groq', 'llama-3.3-70b-versatile'],
] as const;

async function lastSettlement({ proxy, ledger }: ProxyHarness) {
  await proxy.settled();
  return ledger.settlements.at(-1);
}

describe('with the providers that aimock plays', () => {
  let mock: LLMock;
  let unified: UnifiedHarness;
  let client: OpenAI;

  beforeAll(async () => {
    mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent' });
    mock.onMessage('hello', { content: reply, usage: { prompt_tokens: 9, completion_tokens: 6 } });
    await mock.start();
    unified = startUnified({ origin: mock.url });
    client = new OpenAI({ baseURL: `${unified.url}/openai/v1`, apiKey: unified.keypass.token, maxRetries: 0 });
  });

  afterAll(async () => {
    await unified.stop();
    await mock.stop();
  });

  describe.each(models)("%s, asked by OpenAI's own client", (provider, name) => {
    const model = `${provider}/${name}`;

    test('answers', async () => {
      const answer = await client.chat.completions.create({ model, messages, max_tokens: 100 });
      expect(answer).toMatchObject({
        object: 'chat.completion',
        model: name,
        choices: [{ index: 0, message: { role: 'assistant', content: reply }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 9, completion_tokens: 6, total_tokens: 15 },
      });
      expect(await lastSettlement(unified.keypass)).toMatchObject({ quality: 'measured', flags: [] });
    });

    test('streams, and the client puts the same answer together', async () => {
      const stream = client.chat.completions.stream({
        model,
        messages,
        max_tokens: 100,
        stream_options: { include_usage: true },
      });
      let parts = 0;
      for await (const _ of stream) parts += 1;
      expect(parts).toBeGreaterThan(2);
      const whole = await stream.finalChatCompletion();
      expect(whole.choices[0]).toMatchObject({ message: { content: reply }, finish_reason: 'stop' });
      expect(whole.usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 6, total_tokens: 15 });
      expect(await lastSettlement(unified.keypass)).toMatchObject({ quality: 'measured', flags: [] });
    });

    test('is asked in the envelope too', async () => {
      const response = await ask(unified, { provider, model: name, messages, max_tokens: 100 });
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        success: true,
        data: { object: 'chat.completion', choices: [{ message: { content: reply } }] },
      });
      const streamed = await ask(unified, { provider, model: name, messages, max_tokens: 100, stream: true });
      expect(streamed.headers.get('content-type')).toStartWith('text/event-stream');
      expect(streamed.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
      expect(await streamed.text()).toEndWith('data: [DONE]\n\n');
    });
  });

  test('a bare name is OpenAI, untouched', async () => {
    const answer = await client.chat.completions.create({ model: 'gpt-4o-mini', messages, max_tokens: 100 });
    expect(answer.choices[0]?.message.content).toBe(reply);
    expect(unified.keypass.ledger.requests.at(-1)).toMatchObject({ provider: 'openai', model: 'gpt-4o-mini' });
    // Beside it the base URL is OpenAI's as ever.
    expect((await client.embeddings.create({ model: 'text-embedding-3-small', input: 'hello' })).data).toHaveLength(1);
  });

  test("a refusal of KeyPass reaches OpenAI's client with its code and parameter", async () => {
    const seeded = client.chat.completions.create({ model: 'anthropic/claude-opus-4-8', messages, seed: 1 });
    const error = await seeded.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'seed' });
  });
});

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

function startWith(answer: Parameters<typeof startRecorder>[0], options: Partial<UnifiedOptions> = {}) {
  const recorder: Recorder = startRecorder(answer);
  const unified = startUnified({ ...options, origin: recorder.origin });
  running.push(unified, recorder);
  return { recorder, unified };
}

const claude = { provider: 'anthropic', model: 'claude-opus-4-8', messages };
const claudeSays = {
  id: 'msg_1',
  type: 'message',
  model: 'claude-opus-4-8',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 9, output_tokens: 3 },
};

describe('what goes up', () => {
  test("is the provider's body, with its key and none of the client's headers", async () => {
    const { recorder, unified } = startWith(() => Response.json(claudeSays));
    const own = {
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'x',
      'openai-beta': 'x',
      'idempotency-key': 'k1',
    };
    expect((await ask(unified, claude, { headers: own })).status).toBe(200);
    const [request] = recorder.requests;
    expect(request?.path).toBe('/v1/messages');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      model: 'claude-opus-4-8',
      max_tokens: 16_384,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }],
    });
    expect(request?.headers.get('x-api-key')).toBe(`${providerKey}-anthropic`);
    expect(request?.headers.get('anthropic-version')).toBe('2023-06-01');
    for (const name of ['anthropic-beta', 'openai-beta', 'idempotency-key', 'authorization']) {
      expect(request?.headers.get(name)).toBeNull();
    }
    expect(unified.numbered.given).toEqual(['k1']);
  });

  test('has tools as they are, where the provider speaks this shape', async () => {
    const { recorder, unified } = startWith(() => Response.json({ choices: [] }));
    const tools = [{ type: 'function', function: { name: 'f' } }];
    await ask(unified, { provider: 'groq', model: 'openai/gpt-oss-120b', messages, tools, max_tokens: 50 });
    expect(JSON.parse(recorder.requests[0]?.body ?? '')).toEqual({
      model: 'openai/gpt-oss-120b',
      messages,
      tools,
      max_tokens: 50,
    });
  });

  test('is less output where the budget covers no more, and the answer says so', async () => {
    // 2,000 tokens at $25 for a million, and a little for the prompt.
    const { recorder, unified } = startWith(() => Response.json(claudeSays), { budget: 60_000_000_000n });
    const response = await ask(unified, claude);
    const most = Number(response.headers.get('x-keypass-max-tokens'));
    expect(most).toBeGreaterThan(1_024);
    expect(JSON.parse(recorder.requests[0]?.body ?? '')).toMatchObject({ max_tokens: most });
    const exact = await ask(unified, claude, { headers: { 'x-keypass-exact': 'true' } });
    expect(exact.headers.get('x-keypass-error')).toBe('budget_exceeded');
  });

  test.each([
    [{ ...claude, seed: 1 }, 'unsupported_parameter', 'seed'],
    [{ ...claude, provider: 'nobody' }, 'provider_unknown', 'provider'],
    [{ ...claude, model: 'claude-of-tomorrow' }, 'price_unknown', 'model'],
    [{ ...claude, provider: 'google', model: 'a/../b' }, 'invalid_request', 'model'],
    [{ ...claude, messages: [] }, 'invalid_request', 'messages'],
  ])('is nothing, where KeyPass refuses: %#', async (body, code, param) => {
    const { recorder, unified } = startWith(() => Response.json(claudeSays));
    const response = await ask(unified, body);
    expect(await response.json()).toMatchObject({ success: false, error: { code, param } });
    expect(response.headers.get('x-keypass-error')).toBe(code);
    expect(recorder.requests).toEqual([]);
    expect(unified.keypass.ledger.held).toBe(0n);
  });

  test("is held against the owner's models by the provider's own name", async () => {
    const provider = { id: 'anthropic', keyId: crypto.randomUUID(), models: ['claude-haiku-4-5'] };
    const { unified } = startWith(() => Response.json(claudeSays), { policy: { providers: [provider] } });
    const response = await ask(unified, claude);
    expect(await response.json()).toMatchObject({ error: { code: 'model_not_allowed' } });
  });

  test('is nothing of a stranger', async () => {
    const { recorder, unified } = startWith(() => Response.json(claudeSays));
    const response = await ask(unified, claude, { headers: { authorization: 'Bearer nobody' } });
    expect(response.status).toBe(401);
    expect(recorder.requests).toEqual([]);
  });
});
