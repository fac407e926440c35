import { describe, expect, test } from 'bun:test';
import { post, rawClient, until, upstreamStarter } from '../../test/harness/proxy.ts';
import { anthropicStream, bodies, delta, googleStream, openaiChat } from '../../test/harness/streams.ts';
import { chunk, eventStreamHead } from '../../test/harness/upstream.ts';
import { KeyPassError } from '../errors.ts';

const start = upstreamStarter();

describe('the owner cuts the connection off', () => {
  const revoked = new KeyPassError('connection_revoked', 'The owner revoked this connection.');

  const apis: [string, string, object, string, string][] = [
    ['OpenAI', openaiChat, bodies.openai, delta('x'), 'data: {"error":{'],
    [
      'Anthropic',
      '/anthropic/v1/messages',
      bodies.anthropic,
      anthropicStream.split('\n\n')[0] + '\n\n',
      'event: error\ndata: {"type":"error","error":{',
    ],
    [
      'Google',
      '/google/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
      bodies.google,
      googleStream.split('\r\n\r\n')[0] + '\r\n\r\n',
      'data: {"error":{"code":403',
    ],
    [
      'OpenAI responses',
      '/openai/v1/responses',
      { model: 'gpt-4o-mini', input: 'x', stream: true, max_output_tokens: 99 },
      'event: a\ndata: {"type":"response.output_text.delta","delta":"x"}\n\n',
      'event: error\ndata: {"type":"error"',
    ],
  ];

  test.each(apis)("%s: the API's own error event, then a reset", async (_, path, body, event, error) => {
    const { keypass, upstream } = await start((exchange) =>
      exchange.write(Buffer.concat([Buffer.from(eventStreamHead), chunk(event)])),
    );
    const { received, closed } = rawClient(keypass, path, body);
    await until(() => received.text.includes(event));
    keypass.access.cut(revoked);
    await closed;
    await upstream.exchanges[0]?.closed;
    expect(received.text).toContain(error);
    expect(received.text).toContain('connection_revoked');
    expect(received.text).not.toContain('[DONE]');
    // The end of the chunked framing would make a torn stream look whole.
    expect(received.text).not.toContain('\r\n0\r\n\r\n');
    await until(() => keypass.ledger.settlements.length === 1);
    expect(keypass.ledger.settlements[0]?.flags).toContain('ended_cut');
  });

  test('before the headers: an answer of its own', async () => {
    const { keypass, upstream } = await start(() => {});
    const response = post(keypass, openaiChat, bodies.openai);
    await until(() => upstream.exchanges.length === 1);
    keypass.access.cut(revoked);
    expect((await response).status).toBe(403);
    expect((await response).headers.get('x-keypass-error')).toBe('connection_revoked');
    await upstream.exchanges[0]?.closed;
    await until(() => keypass.ledger.settlements.length === 1);
  });

  test('within an event: nothing of ours is put into it', async () => {
    const { keypass } = await start((exchange) =>
      exchange.write(Buffer.concat([Buffer.from(eventStreamHead), chunk(anthropicStream.slice(0, 40))])),
    );
    const { received, closed } = rawClient(keypass, '/anthropic/v1/messages', bodies.anthropic);
    await until(() => received.text.includes(anthropicStream.slice(0, 40)));
    keypass.access.cut(revoked);
    await closed;
    expect(received.text).not.toContain('connection_revoked');
  });

  test('while the client reads nothing: the call is settled all the same', async () => {
    const { keypass, upstream } = await start(async (exchange) => {
      await exchange.write(eventStreamHead);
      for (let sent = 0; sent < 400; sent += 1) void exchange.write(chunk(delta('y'.repeat(60_000))));
    });
    const { socket, received } = rawClient(keypass, openaiChat, bodies.openai);
    await until(() => received.text.length > 0);
    socket.pause();
    await until(() => (upstream.exchanges[0]?.bytesBuffered ?? 0) > 1_000_000);
    keypass.access.cut(revoked);
    await until(() => keypass.ledger.settlements.length === 1);
    expect(keypass.ledger.settlements[0]?.flags).toContain('ended_cut');
    socket.destroy();
  });
});

describe('the provider breaks off', () => {
  test('in mid-stream: the client sees it torn, and what came is estimated', async () => {
    const { keypass, upstream } = await start((exchange) =>
      exchange.write(Buffer.concat([Buffer.from(eventStreamHead), chunk(delta('half of it'))])),
    );
    const { received, closed } = rawClient(keypass, openaiChat, bodies.openai);
    await until(() => received.text.includes('half of it'));
    upstream.exchanges[0]?.reset();
    await closed;
    expect(received.text).not.toContain('\r\n0\r\n\r\n');
    expect(received.text).not.toContain('error');
    await until(() => keypass.ledger.settlements.length === 1);
    expect(keypass.ledger.settlements).toMatchObject([
      {
        quality: 'estimated',
        flags: ['ended_broken', 'usage_missing', 'input_counted', 'output_counted'],
        usage: { output: 3 },
      },
    ]);
  });

  test('before it answers: never repeated, and what was held is booked', async () => {
    const { keypass, upstream } = await start((exchange) => exchange.reset());
    const response = await post(keypass, openaiChat, bodies.openai);
    expect(response.status).toBe(502);
    expect(response.headers.get('x-keypass-error')).toBe('provider_unreachable');
    expect(upstream.exchanges).toHaveLength(1);
    await until(() => keypass.ledger.settlements.length === 1);
    const [request] = keypass.ledger.requests;
    expect(keypass.ledger.settlements).toMatchObject([
      { quality: 'unknown', cost: request?.amount, flags: ['no_answer'] },
    ]);
  });

  test('before it answers what is free: repeated once', async () => {
    const ok = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';
    let tries = 0;
    const { keypass, upstream } = await start((exchange) =>
      (tries += 1) === 1 ? exchange.reset() : exchange.write(ok),
    );
    const headers = { authorization: `Bearer ${keypass.token}` };
    expect((await fetch(`${keypass.url}/openai/v1/models`, { headers })).status).toBe(200);
    expect(upstream.exchanges).toHaveLength(2);
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toMatchObject([{ cost: 0n }]);
  });

  test('a provider that cannot be reached: nothing was sent, nothing is held', async () => {
    const { keypass, upstream } = await start(() => {});
    await upstream.stop();
    const response = await post(keypass, openaiChat, bodies.openai);
    expect(response.headers.get('x-keypass-error')).toBe('provider_unreachable');
    expect(keypass.ledger.released).toBe(1);
    expect(keypass.ledger.settlements).toHaveLength(0);
  });
});

describe('the provider is too slow', () => {
  test('with its headers', async () => {
    const { keypass, upstream } = await start(() => {}, { firstByteMs: 30 });
    const response = await post(keypass, openaiChat, bodies.openai);
    expect(response.status).toBe(504);
    expect(response.headers.get('x-keypass-error')).toBe('provider_timeout');
    await upstream.exchanges[0]?.closed;
    await until(() => keypass.ledger.settlements.length === 1);
  });

  test('with the whole', async () => {
    const { keypass } = await start(
      (exchange) => exchange.write(Buffer.concat([Buffer.from(eventStreamHead), chunk(delta('x'))])),
      { totalMs: 60 },
    );
    const { received, closed } = rawClient(keypass, openaiChat, bodies.openai);
    await closed;
    expect(received.text).toContain('provider_timeout');
    await until(() => keypass.ledger.settlements.length === 1);
  });
});
