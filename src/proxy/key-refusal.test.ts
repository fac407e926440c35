import { afterEach, describe, expect, test } from 'bun:test';
import { post, providerKey, startProxy, type ProxyHarness, until } from '../../test/harness/proxy.ts';
import { startRawUpstream, startRecorder } from '../../test/harness/upstream.ts';
import type { RefusedKey, UsedKey } from './dispatch.ts';

const openaiChat = '/openai/v1/chat/completions';
const viaKeyPass = '/v1/proxy/passthrough/openai/v1/chat/completions';
const chat = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 9 };
const claude = { model: 'claude-sonnet-4-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hello' }] };
const gemini = '/google/v1beta/models/gemini-2.5-flash:generateContent';
const contents = { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] };
const quoted = `Incorrect API key provided: ${providerKey}-openai. Find yours at https://platform.openai.com.`;

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

interface Noted {
  readonly refused: RefusedKey[];
  readonly taken: UsedKey[];
}

function start(answer: () => Response): { keypass: ProxyHarness } & Noted {
  const upstream = startRecorder(answer);
  const { keypass, ...noted } = startAt(upstream.origin);
  running.push(upstream);
  return { keypass, ...noted };
}

function startAt(origin: string): { keypass: ProxyHarness } & Noted {
  const noted: Noted = { refused: [], taken: [] };
  const keypass = startProxy({
    origin,
    onKeyRefused: async (key) => void noted.refused.push(key),
    onKeyTaken: async (key) => void noted.taken.push(key),
  });
  running.push(keypass);
  return { keypass, ...noted };
}

describe('a key that the provider does not take', () => {
  test.each([openaiChat, viaKeyPass])('is told in words of KeyPass, of which none is its own: %s', async (path) => {
    const error = { message: quoted, type: 'invalid_request_error', param: null, code: 'invalid_api_key' };
    const { keypass, refused } = start(() =>
      Response.json({ error }, { status: 401, headers: { 'x-odd': providerKey } }),
    );
    const response = await post(keypass, path, chat);
    expect(response.status).toBe(502);
    expect(response.headers.get('x-keypass-error')).toBe('provider_key_rejected');
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(JSON.stringify([...response.headers])).not.toContain('canary');
    const text = await response.text();
    expect(text).not.toContain('canary');
    expect(text).not.toContain('Incorrect');
    expect(JSON.parse(text)).toMatchObject({
      error: {
        type: 'provider_error',
        code: 'provider_key_rejected',
        details: { verdict: 'rejected', status: 401, providerCode: 'invalid_api_key' },
      },
    });
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toMatchObject([{ status: 401, cost: 0n, quality: 'measured' }]);
    const { connectionId } = keypass.grantee;
    const [key] = refused;
    expect(refused).toHaveLength(1);
    expect(key).toMatchObject({ connectionId, keyVersion: 1, provider: 'openai', status: 401, verdict: 'rejected' });
    expect(JSON.stringify(keypass.log)).not.toContain('canary');
  });

  test('is told of a free call in the same way, and of it no client is told to try again', async () => {
    const { keypass, refused } = start(() => Response.json({}, { status: 401 }));
    const headers = { authorization: `Bearer ${keypass.token}` };
    const response = await fetch(`${keypass.url}/openai/v1/models`, { headers });
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([502, 'false']);
    expect(response.headers.get('x-keypass-error')).toBe('provider_key_rejected');
    expect(refused).toHaveLength(1);
  });

  test('is told in the shape of each API', async () => {
    const { keypass } = start(() => Response.json({ message: 'No.' }, { status: 401 }));
    const told = await post(keypass, '/anthropic/v1/messages', claude);
    expect(await told.json()).toMatchObject({ type: 'error', error: { code: 'provider_key_rejected' } });
    const toldByGoogle = await post(keypass, gemini, contents);
    expect(await toldByGoogle.json()).toMatchObject({
      error: { code: 502, details: [{ reason: 'provider_key_rejected', metadata: { verdict: 'rejected' } }] },
    });
  });

  test.each([
    ['without a body', () => new Response(null, { status: 401 })],
    ['with a page', () => new Response('<html>', { status: 401, headers: { 'content-type': 'text/html' } })],
    [
      'as a stream',
      () => new Response('data: no\n\n', { status: 401, headers: { 'content-type': 'text/event-stream' } }),
    ],
  ])('%s', async (_, answer) => {
    const { keypass, refused } = start(answer);
    const response = await post(keypass, openaiChat, { ...chat, stream: true });
    expect(response.headers.get('x-keypass-error')).toBe('provider_key_rejected');
    expect(await response.json()).toMatchObject({ error: { details: { status: 401 } } });
    await keypass.proxy.settled();
    expect(refused).toHaveLength(1);
    expect(keypass.ledger.held).toBe(0n);
  });

  test("is Google's 400 of that reason, and no other of its 400s", async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }];
    const invalid = { error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT', details } };
    const dead = start(() => Response.json(invalid, { status: 400 }));
    const response = await post(dead.keypass, gemini, contents);
    expect(response.headers.get('x-keypass-error')).toBe('provider_key_rejected');
    expect(dead.refused).toMatchObject([{ provider: 'google', status: 400, verdict: 'rejected' }]);

    const text = '{ "error": {"code":400, "message": "contents is not specified", "status":"INVALID_ARGUMENT"}}\n';
    const odd = start(() => new Response(text, { status: 400, headers: { 'content-type': 'application/json' } }));
    const passed = await post(odd.keypass, gemini, contents);
    expect([passed.status, await passed.text(), passed.headers.get('x-keypass-error')]).toEqual([400, text, null]);
    await odd.keypass.proxy.settled();
    expect(odd.refused).toEqual([]);
  });
});

describe('what a good key may not do', () => {
  test('is a 403 in the words of the provider, without its keys', async () => {
    const message = `Project \`proj_1\` may not use gpt-4o-mini with ${providerKey}-openai or sk-ab*****yz.`;
    const error = { message, type: 'invalid_request_error', param: null, code: 'model_not_found' };
    const { keypass, refused } = start(() => Response.json({ error }, { status: 403 }));
    const response = await post(keypass, openaiChat, chat);
    expect([response.status, response.headers.get('x-keypass-error')]).toEqual([403, 'provider_key_rejected']);
    const text = await response.text();
    expect(text).toContain('Project `proj_1` may not use gpt-4o-mini with [removed]');
    expect(text).not.toMatch(/canary|sk-ab/);
    const details = { verdict: 'restricted', status: 403, providerCode: 'model_not_found' };
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'provider_key_rejected', details } });
    expect(refused).toMatchObject([{ status: 403, verdict: 'restricted' }]);
  });

  test('is a 403 as well where the provider says 401 to it', async () => {
    const error = { message: 'You have insufficient permissions. Missing scopes: model.request.' };
    const { keypass } = start(() => Response.json({ error }, { status: 401 }));
    const response = await post(keypass, openaiChat, chat);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { details: { status: 401, verdict: 'restricted' } } });
  });

  test('a key that Google quotes whole is in none of it', async () => {
    const key = 'AIz' + 'a'.repeat(36);
    const error = { code: 403, message: `Consumer 'api_key:${key}' may not.`, status: 'PERMISSION_DENIED' };
    const { keypass } = start(() => Response.json({ error }, { status: 403 }));
    const text = await (await post(keypass, gemini, contents)).text();
    expect(text).toContain('provider_key_rejected');
    expect(text).not.toContain(key.slice(0, 12));
  });
});

test('no credit is told by the provider itself, and noted', async () => {
  const text = '{"error":{"message":"Insufficient Balance","code":"invalid_request_error"}}';
  const { keypass, refused } = start(() => new Response(text, { status: 402 }));
  const response = await post(keypass, openaiChat, chat);
  expect([response.status, await response.text(), response.headers.get('x-keypass-error')]).toEqual([402, text, null]);
  await keypass.proxy.settled();
  expect(refused).toMatchObject([{ status: 402, verdict: 'rejected' }]);
});

test('a key is taken by what is billed, not by a list that is open to anybody', async () => {
  const { keypass, taken } = start(() => Response.json({ data: [] }));
  const headers = { authorization: `Bearer ${keypass.token}` };
  expect((await fetch(`${keypass.url}/openai/v1/models`, { headers })).status).toBe(200);
  await keypass.proxy.settled();
  expect(taken).toEqual([]);
  await (await post(keypass, openaiChat, chat)).text();
  await keypass.proxy.settled();
  expect(taken).toMatchObject([{ keyVersion: 1 }]);
});

describe('a refusal that comes badly', () => {
  const head = 'HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';

  test('without an end is cut at a length, and nothing is held', async () => {
    const upstream = await startRawUpstream(async (exchange) => {
      await exchange.write(head);
      const piece = `${(64 * 1024).toString(16)}\r\n${'x'.repeat(64 * 1024)}\r\n`;
      const isClosed = exchange.closed.then(() => true);
      // A turn of the event loop each: a socket that is gone takes everything at once, and is not told of its end before.
      const writeOn = async () => {
        await exchange.write(piece);
        await Bun.sleep(0);
      };
      while (!(await Promise.race([isClosed, writeOn().then(() => false)])));
    });
    running.push(upstream);
    const { keypass } = startAt(upstream.origin);
    const response = await post(keypass, openaiChat, chat);
    expect([response.status, response.headers.get('x-keypass-error')]).toEqual([502, 'provider_error']);
    await upstream.exchanges[0]?.closed;
    await keypass.proxy.settled();
    expect([keypass.ledger.held, keypass.access.listeners]).toEqual([0n, 0]);
  });

  test('that tears is told as such', async () => {
    const upstream = await startRawUpstream(async (exchange) => {
      await exchange.write(`${head}5\r\n{"err\r\n`);
      exchange.reset();
    });
    running.push(upstream);
    const { keypass } = startAt(upstream.origin);
    const response = await post(keypass, openaiChat, chat);
    expect(response.headers.get('x-keypass-error')).toBe('provider_unreachable');
    await keypass.proxy.settled();
    expect(keypass.ledger.held).toBe(0n);
  });

  test('is let go of when the client leaves', async () => {
    const upstream = await startRawUpstream((exchange) => exchange.write(`${head}5\r\n{"err\r\n`));
    running.push(upstream);
    const { keypass } = startAt(upstream.origin);
    const leaving = new AbortController();
    const asked = fetch(keypass.url + openaiChat, {
      method: 'POST',
      body: JSON.stringify(chat),
      headers: { authorization: `Bearer ${keypass.token}`, 'content-type': 'application/json' },
      signal: leaving.signal,
    }).catch(() => 'left');
    await until(() => upstream.exchanges.length > 0);
    leaving.abort();
    expect(await asked).toBe('left');
    await upstream.exchanges[0]?.closed;
    await until(() => keypass.ledger.settlements.length > 0);
    expect(keypass.ledger.settlements).toMatchObject([{ cost: 0n }]);
  });
});
