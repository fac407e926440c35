import { afterEach, describe, expect, test } from 'bun:test';
import OpenAI, { APIError } from 'openai';
import { until } from '../../../test/harness/proxy.ts';
import { ask, startUnified } from '../../../test/harness/unified.ts';
import {
  chunk,
  eventStreamHead,
  startRawUpstream,
  startRecorder,
  type RawExchange,
} from '../../../test/harness/upstream.ts';
import { KeyPassError } from '../../errors.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

function startWith(answer: () => Response) {
  const recorder = startRecorder(answer);
  const unified = startUnified({ origin: recorder.origin });
  running.push(unified, recorder);
  return unified;
}

async function startRaw(respond: (exchange: RawExchange) => unknown) {
  const upstream = await startRawUpstream(respond);
  const unified = startUnified({ origin: upstream.origin });
  running.push(unified, upstream);
  return { upstream, unified };
}

const messages = [{ role: 'user' as const, content: 'Hi' }];
const claude = { provider: 'anthropic', model: 'claude-opus-4-8', messages, max_tokens: 500 };
const gemini = { ...claude, provider: 'google', model: 'gemini-2.5-flash' };
const groq = { ...claude, provider: 'groq', model: 'llama-3.3-70b-versatile' };

const started = {
  type: 'message_start',
  message: { id: 'msg_1', model: 'claude-opus-4-8', usage: { input_tokens: 9, output_tokens: 1 } },
};
const said = { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hello there' } };
const event = (data: { type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const begun = Buffer.concat([Buffer.from(eventStreamHead), chunk(event(started) + event(said))]);

describe("a provider's refusal", () => {
  test.each([
    [claude, 401, 502, { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } }],
    [groq, 403, 403, { error: { message: 'No.', type: 'permissions_error', code: 'blocked' } }],
    [gemini, 400, 502, { error: { code: 400, message: 'No.', details: [{ reason: 'API_KEY_INVALID' }] } }],
  ])('of the key is one that no repeat can help: %#', async (body, status, told, failure) => {
    const response = await ask(
      startWith(() => Response.json(failure, { status })),
      body,
    );
    expect(response.status).toBe(told);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(response.headers.get('x-keypass-error')).toBe('provider_key_rejected');
    expect(await response.json()).toMatchObject({
      success: false,
      error: { type: 'provider_error', code: 'provider_key_rejected', details: { status } },
    });
  });

  test('of the rate is a 429 with the time to wait', async () => {
    const failure = { type: 'error', error: { type: 'rate_limit_error', message: 'Slow down.' } };
    const headers = { 'retry-after': '7', 'anthropic-ratelimit-requests-remaining': '0', 'set-cookie': 'a=b' };
    const response = await ask(
      startWith(() => Response.json(failure, { status: 429, headers })),
      claude,
    );
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(response.headers.get('anthropic-ratelimit-requests-remaining')).toBe('0');
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(response.headers.get('x-keypass-error')).toBeNull();
    expect(await response.json()).toMatchObject({
      error: { code: 'provider_rate_limited', message: 'The provider limits the rate: Slow down.' },
    });
  });

  test.each([claude, gemini, groq])('of anything else keeps its status, streamed or not: $provider', async (body) => {
    for (const stream of [false, true]) {
      const unified = startWith(() => Response.json({ error: { message: 'Too odd.' } }, { status: 422 }));
      const response = await ask(unified, { ...body, stream });
      expect(response.status).toBe(422);
      expect(await response.json()).toMatchObject({
        success: false,
        error: { code: 'provider_error', message: 'The provider refused the call: Too odd.', details: { status: 422 } },
      });
      await unified.keypass.proxy.settled();
      expect(unified.keypass.ledger.settlements).toMatchObject([{ cost: 0n, status: 422 }]);
    }
  });

  test("reaches OpenAI's own client as its own error", async () => {
    const unified = startWith(() => Response.json({ error: { message: 'Too odd.' } }, { status: 422 }));
    const client = new OpenAI({ baseURL: `${unified.url}/openai/v1`, apiKey: unified.keypass.token, maxRetries: 0 });
    const call = client.chat.completions.create({ model: 'anthropic/claude-opus-4-8', messages });
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: 422, code: 'provider_error', type: 'provider_error' });
  });
});

describe('a success that is none', () => {
  test.each([
    ['no JSON', () => new Response('<html>'), claude],
    ['another shape', () => Response.json({ hello: 'world' }), claude],
    ['nothing', () => new Response(null), claude],
    ['too much', () => Response.json({ content: 'x'.repeat(1_100_000) }), claude],
    ['a picture', () => Response.json({ candidates: [{ content: { parts: [{ inlineData: {} }] } }] }), gemini],
    ['a failure', () => Response.json({ error: { message: 'Overloaded.' } }), groq],
  ])('%s', async (_, answer, body) => {
    const response = await ask(startWith(answer), body);
    expect(response.status).toBe(502);
    expect(response.headers.get('x-should-retry'), 'it is billed, and a repeat would be billed again').toBe('false');
    expect(await response.json()).toMatchObject({ success: false, error: { code: 'provider_error' } });
  });

  test('a part of one', async () => {
    const { unified } = await startRaw(async (exchange) => {
      await exchange.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n');
      await exchange.write(chunk('{"content":['));
      exchange.reset();
    });
    const response = await ask(unified, claude);
    expect(response.status).toBe(502);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(await response.json()).toMatchObject({ success: false, error: { code: 'provider_unreachable' } });
  });

  test.each([claude, groq])('a stream was asked for and none came: $provider', async (body) => {
    const response = await ask(
      startWith(() => Response.json({})),
      { ...body, stream: true },
    );
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(await response.json()).toMatchObject({ success: false, error: { code: 'provider_error' } });
  });
});

/** What a stream said until it broke. */
async function untilBroken(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes, { stream: true });
  } catch {
    return text;
  }
  throw new Error(`it ended well: ${text}`);
}

describe('a stream that does not end well', () => {
  test('because the owner revoked the connection: says so, and the provider is let go', async () => {
    const { unified, upstream } = await startRaw((exchange) => exchange.write(begun));
    const response = await ask(unified, { ...claude, stream: true });
    const text = untilBroken(response);
    await until(() => unified.keypass.access.listeners === 1);
    unified.keypass.access.cut(new KeyPassError('connection_revoked', 'Revoked.'));
    expect(await text).toEndWith(
      'data: {"error":{"message":"Revoked.","type":"permission_error","code":"connection_revoked"}}\n\n',
    );
    await upstream.exchanges[0]?.closed;
    await unified.keypass.proxy.settled();
    expect(unified.keypass.ledger.settlements).toMatchObject([{ quality: 'estimated' }]);
  });

  test('because the provider fell: never looks whole', async () => {
    const { unified } = await startRaw(async (exchange) => {
      await exchange.write(begun);
      exchange.reset();
    });
    const text = await untilBroken(await ask(unified, { ...claude, stream: true }));
    expect(text).toContain('"code":"provider_unreachable"');
    expect(text).not.toContain('[DONE]');
  });

  test('because the provider said so', async () => {
    const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const { unified } = await startRaw((exchange) => exchange.write(Buffer.concat([begun, chunk(event(overloaded))])));
    const text = await (await ask(unified, { ...claude, stream: true })).text();
    expect(text).toContain('Hello there');
    expect(text).toContain('The provider ended the answer: Overloaded');
    expect(text).not.toContain('[DONE]');
  });

  test('because the client left: the provider sees it, and what came is booked', async () => {
    const { unified, upstream } = await startRaw((exchange) => exchange.write(begun));
    const leaving = new AbortController();
    const response = await ask(unified, { ...claude, stream: true }, { signal: leaving.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    leaving.abort();
    await upstream.exchanges[0]?.closed;
    await until(() => unified.keypass.ledger.settlements.length === 1);
    expect(unified.keypass.ledger.settlements).toMatchObject([{ quality: 'estimated', status: 200 }]);
    expect(unified.keypass.ledger.held).toBe(0n);
    expect(unified.keypass.access.listeners).toBe(0);
  });
});
