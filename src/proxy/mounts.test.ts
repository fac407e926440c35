import { afterEach, describe, expect, test } from 'bun:test';
import { createToken } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { startUnified, type UnifiedHarness } from '../../test/harness/unified.ts';
import { startRecorder } from '../../test/harness/upstream.ts';

/** Everything that takes an access token on the proxy, with the member of a failure where its API has the code. */
const passthrough = '/v1/proxy/passthrough';
const chat = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 9 };
const mounts: [string, string, string, object?][] = [
  ['POST', '/v1/proxy/chat/completions', 'envelope', { provider: 'groq', model: 'llama-3.1-8b-instant', ...chat }],
  ['POST', '/openai/v1/chat/completions', 'openai', { model: 'groq/llama-3.1-8b-instant', ...chat }],
  ['POST', '/openai/v1/embeddings', 'openai', { model: 'google/gemini-embedding-001', input: 'x' }],
  ['POST', '/openai/v1/responses', 'openai', { model: 'gpt-4o-mini', input: 'x' }],
  ['GET', '/openai/v1/models', 'openai'],
  ['GET', '/openai/v1/models/groq%2Fllama-3.1-8b-instant', 'openai'],
  ['POST', '/anthropic/v1/messages', 'anthropic', { model: 'claude-opus-4-8', ...chat }],
  ['GET', '/google/v1beta/models', 'google'],
  ['GET', '/groq/openai/v1/models', 'openai'],
  ['GET', `${passthrough}/groq/openai/v1/models`, 'envelope'],
  ['GET', `${passthrough}/google/v1beta/models`, 'envelope'],
];

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

function start(answer: () => Response = () => Response.json({ data: [], models: [] })) {
  const recorder = startRecorder(answer);
  const unified = startUnified({ origin: recorder.origin });
  running.push(unified, recorder);
  return { recorder, unified };
}

function send({ url }: UnifiedHarness, method: string, path: string, headers: object, body?: object) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  return fetch(url + path, { method, headers: { 'content-type': 'application/json', ...headers }, ...sent });
}

/** The code, from where each API's client reads it. */
const readers: Record<string, (body: unknown) => unknown> = {
  envelope: (body) => expect(body).toMatchObject({ success: false, error: { docUrl: expect.anything() } }),
  openai: (body) => expect(body).toMatchObject({ error: { type: expect.anything(), message: expect.anything() } }),
  anthropic: (body) => expect(body).toMatchObject({ type: 'error', error: { type: expect.anything() } }),
  google: (body) =>
    expect(body).toMatchObject({ error: { status: 'INVALID_ARGUMENT', details: [{ domain: 'keypass' }] } }),
};

describe.each(mounts)('%s %s', (method, path, shape, body) => {
  async function refusal(response: Response): Promise<string | null> {
    readers[shape]?.(await response.json());
    return response.headers.get('x-keypass-error');
  }

  test('takes the token from any of the three headers', async () => {
    const { recorder, unified } = start();
    const { token } = unified.keypass;
    for (const headers of [{ authorization: `Bearer ${token}` }, { 'x-api-key': token }, { 'x-goog-api-key': token }]) {
      const response = await send(unified, method, path, headers, body);
      expect(['access_token_invalid', 'credentials_missing', 'not_a_keypass_token']).not.toContain(
        response.headers.get('x-keypass-error'),
      );
    }
    expect(recorder.requests.length).toBeGreaterThan(0);
    for (const { headers } of recorder.requests) expect(JSON.stringify([...headers])).not.toContain(token);
  });

  test('refuses one in the URL, and says where it belongs', async () => {
    const { recorder, unified } = start();
    const { token } = unified.keypass;
    for (const headers of [{}, { 'x-goog-api-key': token }]) {
      const response = await send(unified, method, `${path}?key=${token}`, headers, body);
      const text = await response.clone().text();
      expect(text).toContain('x-goog-api-key');
      expect(text).not.toContain(token);
      expect(await refusal(response)).toBe('token_in_url');
    }
    expect(recorder.requests).toEqual([]);
  });

  test('refuses two that differ', async () => {
    const { recorder, unified } = start();
    const headers = { authorization: `Bearer ${unified.keypass.token}`, 'x-api-key': createToken('access') };
    expect(await refusal(await send(unified, method, path, headers, body))).toBe('ambiguous_credentials');
    expect(recorder.requests).toEqual([]);
  });
});

describe('a stream that the owner cuts', () => {
  const chunk = { choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: null }] };
  const event = `data: ${JSON.stringify(chunk)}\n\n`;
  const streams: [string, object][] = [
    ['/v1/proxy/chat/completions', { provider: 'groq', model: 'llama-3.1-8b-instant', ...chat }],
    ['/openai/v1/chat/completions', { model: 'groq/llama-3.1-8b-instant', ...chat }],
    ['/openai/v1/chat/completions', { model: 'gpt-4o-mini', ...chat }],
    ['/groq/openai/v1/chat/completions', { model: 'llama-3.1-8b-instant', ...chat }],
  ];

  test.each(streams)("tells it in OpenAI's shape, and does not end as if it were whole: %s %j", async (path, body) => {
    const { unified } = start(() => {
      const stream = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode(event)),
      });
      return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
    });
    const headers = { authorization: `Bearer ${unified.keypass.token}` };
    const response = await send(unified, 'POST', path, headers, { ...body, stream: true });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader?.read())?.value ?? '';
    unified.keypass.access.cut(new KeyPassError('connection_revoked', 'The owner has revoked this connection.'));
    let isTorn = false;
    try {
      for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) text += next.value;
    } catch {
      isTorn = true;
    }
    expect(isTorn).toBe(true);
    const [first, last] = text.trimEnd().split('\n\n');
    expect(first).toContain('"content":"Hi"');
    expect(JSON.parse(last?.slice('data: '.length) ?? '')).toEqual({
      error: {
        message: 'The owner has revoked this connection.',
        type: 'permission_error',
        code: 'connection_revoked',
      },
    });
    expect(text).not.toContain('[DONE]');
  });
});
