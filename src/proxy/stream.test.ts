import { describe, expect, test } from 'bun:test';
import { post, rawClient, until, upstreamStarter } from '../../test/harness/proxy.ts';
import { anthropicStream, asked, bodies, delta, googleStream, openaiChat, plain } from '../../test/harness/streams.ts';
import { chunk, eventStreamHead } from '../../test/harness/upstream.ts';

const start = upstreamStarter();

describe('a stream split anywhere', () => {
  const streams: [string, string, unknown, string, string, object][] = [
    ['OpenAI', openaiChat, bodies.openai, asked, plain, { uncachedInput: 9, output: 4 }],
    [
      'OpenAI, asked',
      openaiChat,
      { ...bodies.openai, stream_options: { include_usage: true } },
      asked,
      asked,
      { uncachedInput: 9, output: 4 },
    ],
    [
      'Anthropic',
      '/anthropic/v1/messages',
      bodies.anthropic,
      anthropicStream,
      anthropicStream,
      { uncachedInput: 11, output: 7 },
    ],
    [
      'Google',
      '/google/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
      bodies.google,
      googleStream,
      googleStream,
      { uncachedInput: 5, output: 3 },
    ],
  ];

  test.each(streams)(
    '%s: the same bytes, the right usage, settled once',
    async (_, path, body, sent, expected, used) => {
      const bytes = new TextEncoder().encode(sent);
      let split = 0;
      const { keypass } = await start(async (exchange) => {
        await exchange.write(eventStreamHead);
        await exchange.write(chunk(bytes.slice(0, split)).slice(0, split === 0 ? 0 : undefined));
        await exchange.write(Buffer.concat([chunk(bytes.slice(split)), chunk('')]));
      });
      for (split = 0; split < bytes.length; split += 1) {
        const response = await post(keypass, path, body);
        expect(response.headers.get('content-type')).toBe('text/event-stream');
        expect(await response.text()).toBe(expected);
      }
      await keypass.proxy.settled();
      expect(keypass.ledger.settlements).toHaveLength(bytes.length);
      for (const settlement of keypass.ledger.settlements) {
        expect(settlement).toMatchObject({ quality: 'measured', usage: used, flags: [], status: 200 });
      }
      expect(keypass.ledger.held).toBe(0n);
      expect(keypass.faults).toEqual([]);
    },
  );

  test('usage is asked for on behalf of the ledger', async () => {
    const { upstream, keypass } = await start(async (exchange) => {
      await exchange.write(eventStreamHead + 'x');
      exchange.reset();
    });
    await post(keypass, openaiChat, bodies.openai)
      .then((response) => response.text())
      .catch(() => '');
    expect(JSON.parse(upstream.exchanges[0]?.body ?? '')).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
  });
});

test('a JSON answer in pieces is passed on in pieces', async () => {
  const { promise: gate, resolve: go } = Promise.withResolvers<void>();
  const { keypass } = await start(async (exchange) => {
    await exchange.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n');
    await exchange.write(chunk('{"usage":{"prompt_tokens":2,'));
    await gate;
    await exchange.write(Buffer.concat([chunk('"completion_tokens":1}}'), chunk('')]));
  });
  const response = await post(keypass, openaiChat, { ...bodies.openai, stream: false });
  const reader = response.body?.getReader();
  const first = await reader?.read();
  expect(new TextDecoder().decode(first?.value)).toBe('{"usage":{"prompt_tokens":2,');
  go();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('"completion_tokens":1}}');
  expect((await reader?.read())?.done).toBe(true);
  await keypass.proxy.settled();
  expect(keypass.ledger.settlements).toMatchObject([{ quality: 'measured', usage: { uncachedInput: 2, output: 1 } }]);
});

test('Google without an event stream is metered from its list', async () => {
  const parts = googleStream
    .split('\r\n\r\n')
    .filter((part) => part !== '')
    .map((part) => part.slice('data: '.length));
  const { keypass } = await start((exchange) => {
    const text = `[${parts.join(',\r\n')}]`;
    void exchange.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    );
  });
  await (await post(keypass, '/google/v1beta/models/gemini-2.5-flash:streamGenerateContent', bodies.google)).text();
  await keypass.proxy.settled();
  expect(keypass.ledger.settlements).toMatchObject([{ quality: 'measured', usage: { uncachedInput: 5, output: 3 } }]);
});

test('a slow reader slows the provider down', async () => {
  const total = 64_000_000;
  const { keypass, upstream } = await start(async (exchange) => {
    await exchange.write(eventStreamHead);
    for (let sent = 0; sent < total; sent += 64_000) void exchange.write(chunk(delta('z'.repeat(63_800))));
  });
  const { socket, received } = rawClient(keypass, openaiChat, bodies.openai);
  await until(() => received.text.length > 0);
  socket.pause();
  // What has left the provider is in the buffers of sockets: it comes to rest far below what there is to send.
  for (let buffered = -1, still = 0; still < 20; still += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const now = upstream.exchanges[0]?.bytesBuffered ?? 0;
    if (now !== buffered) still = 0;
    buffered = now;
  }
  expect(upstream.exchanges[0]?.bytesBuffered).toBeGreaterThan(total / 2);
  socket.destroy();
  await upstream.exchanges[0]?.closed;
});
