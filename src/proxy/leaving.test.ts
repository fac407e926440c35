import { describe, expect, test } from 'bun:test';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { rawClient, until, upstreamStarter } from '../../test/harness/proxy.ts';
import { anthropicStream, bodies, delta, done, openaiChat, stop, usageEvent } from '../../test/harness/streams.ts';
import { chunk, eventStreamHead } from '../../test/harness/upstream.ts';

const start = upstreamStarter();

describe('the client leaves', () => {
  test('before the headers: the provider sees it, and what was held is booked', async () => {
    const { upstream, keypass } = await start(() => {});
    const { socket } = rawClient(keypass, openaiChat, bodies.openai);
    await until(() => upstream.exchanges.length === 1);
    socket.destroy();
    await upstream.exchanges[0]?.closed;
    await until(() => keypass.ledger.settlements.length === 1);
    const [request] = keypass.ledger.requests;
    expect(keypass.ledger.settlements).toMatchObject([{ quality: 'unknown', cost: request?.amount, status: null }]);
  });

  test('in mid-stream: the provider sees it, and what came is estimated', async () => {
    const { upstream, keypass } = await start((exchange) =>
      exchange.write(Buffer.concat([Buffer.from(eventStreamHead), chunk(delta('some words of an answer'))])),
    );
    const { socket, received } = rawClient(keypass, openaiChat, bodies.openai);
    await until(() => received.text.includes('some words'));
    socket.destroy();
    await upstream.exchanges[0]?.closed;
    await until(() => keypass.ledger.settlements.length === 1);
    const [settlement] = keypass.ledger.settlements;
    expect(settlement).toMatchObject({
      quality: 'estimated',
      flags: ['ended_left', 'usage_missing', 'input_counted', 'output_counted'],
      status: 200,
      // "user" and "Hi", a message's frame and the answer's; then the five words.
      usage: { uncachedInput: 8, output: 5 },
    });
    expect(keypass.access.listeners).toBe(0);
  });

  test('in the middle of an event: what came of it counts, too', async () => {
    const half = delta('some words').split('some words')[0] + 'some words of an ans';
    const { keypass } = await start((exchange) =>
      exchange.write(Buffer.concat([Buffer.from(eventStreamHead), chunk(delta('Well: ') + half)])),
    );
    const { socket, received } = rawClient(keypass, openaiChat, bodies.openai);
    await until(() => received.text.includes('Well'));
    // The half event is held back until it is whole, so the client can't say when it has come.
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await until(() => keypass.ledger.settlements.length === 1);
    expect(keypass.ledger.settlements).toMatchObject([
      { usage: { output: countTokens('Well: some words of an ans') } },
    ]);
  });

  test('a model that may reason in secret: all the output that was held is booked, however little came', async () => {
    const { upstream, keypass } = await start((exchange) =>
      exchange.write(Buffer.concat([Buffer.from(eventStreamHead), chunk(delta('x'))])),
    );
    const { socket, received } = rawClient(keypass, openaiChat, { ...bodies.openai, model: 'gpt-5-mini' });
    await until(() => received.text.includes('"x"'));
    socket.destroy();
    await upstream.exchanges[0]?.closed;
    await until(() => keypass.ledger.settlements.length === 1);
    expect(keypass.ledger.settlements).toMatchObject([
      { quality: 'estimated', usage: { uncachedInput: 8, output: 500 } },
    ]);
    expect(keypass.ledger.settlements[0]?.flags).toContain('output_at_most');
  });

  test('Gemini has stated its thoughts: they are booked as stated, once the answer has begun', async () => {
    const usage = { promptTokenCount: 5, candidatesTokenCount: 2, thoughtsTokenCount: 90, totalTokenCount: 97 };
    const candidates = [{ content: { parts: [{ text: 'The answer' }] } }];
    const event = `data: ${JSON.stringify({ candidates, usageMetadata: usage })}\r\n\r\n`;
    const { keypass } = await start((exchange) =>
      exchange.write(Buffer.concat([Buffer.from(eventStreamHead), chunk(event)])),
    );
    const path = '/google/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse';
    const { socket, received } = rawClient(keypass, path, bodies.google);
    await until(() => received.text.includes('The answer'));
    socket.destroy();
    await until(() => keypass.ledger.settlements.length === 1);
    expect(keypass.ledger.settlements).toMatchObject([
      { quality: 'estimated', flags: ['ended_left', 'usage_missing', 'output_counted'], usage: { output: 92 } },
    ]);
  });

  test('Anthropic has stated the input: that is booked, and of the output what came or what was held', async () => {
    const event = anthropicStream.split('\n\n')[0] + '\n\n';
    const { keypass } = await start((exchange) =>
      exchange.write(Buffer.concat([Buffer.from(eventStreamHead), chunk(event)])),
    );
    for (const [thinking, output] of [
      [{ type: 'disabled' }, 1],
      [{ type: 'adaptive' }, 500],
    ] as const) {
      const { socket, received } = rawClient(keypass, '/anthropic/v1/messages', { ...bodies.anthropic, thinking });
      await until(() => received.text.includes('message_start'));
      socket.destroy();
      const { settlements } = keypass.ledger;
      const before = settlements.length;
      await until(() => settlements.length > before);
      expect(settlements.at(-1)).toMatchObject({ quality: 'estimated', usage: { uncachedInput: 11, output } });
    }
  });

  test('while it read nothing: what the provider wrote meanwhile is read as far as it can be, and booked', async () => {
    const { keypass, upstream } = await start(async (exchange) => {
      await exchange.write(eventStreamHead);
      for (let sent = 0; sent < 400; sent += 1) void exchange.write(chunk(delta('y'.repeat(60_000))));
    });
    const sizeLeft = () => upstream.exchanges[0]?.bytesBuffered ?? 0;
    const { socket, received } = rawClient(keypass, openaiChat, bodies.openai);
    await until(() => received.text.length > 0);
    socket.pause();
    // Until nothing moves any more: all of this runs in one process.
    let before = -1;
    for (let left = sizeLeft(); left !== before; left = sizeLeft()) {
      before = left;
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    expect(before).toBeGreaterThan(1_000_000);
    socket.destroy();
    await until(() => keypass.ledger.settlements.length === 1);
    // More than was held for, whether or not all of it could be read in time.
    expect(keypass.ledger.settlements).toMatchObject([{ quality: 'estimated', usage: { output: 500 } }]);
    await upstream.exchanges[0]?.closed;
  });

  test('while it read nothing of an answer that ended meanwhile: that is read, with its usage', async () => {
    const { keypass } = await start(async (exchange) => {
      await exchange.write(eventStreamHead);
      await exchange.write(chunk(delta('y'.repeat(400_000), ',"usage":null')));
      await exchange.write(chunk(delta('z'.repeat(400_000), ',"usage":null') + stop(',"usage":null')));
      await exchange.write(Buffer.concat([chunk(usageEvent + done), chunk('')]));
    });
    const { socket, received } = rawClient(keypass, openaiChat, bodies.openai);
    await until(() => received.text.length > 0);
    socket.pause();
    // As long as a client that reads at once would not have taken.
    await new Promise((resolve) => setTimeout(resolve, 400));
    socket.destroy();
    await until(() => keypass.ledger.settlements.length === 1);
    expect(keypass.ledger.settlements).toMatchObject([{ quality: 'measured', usage: { output: 4 } }]);
  });

  test('after the stop reason: the usage is still read', async () => {
    const { keypass, upstream } = await start((exchange) =>
      exchange.write(
        Buffer.concat([Buffer.from(eventStreamHead), chunk(delta('x', ',"usage":null') + stop(',"usage":null'))]),
      ),
    );
    const { socket, received } = rawClient(keypass, openaiChat, bodies.openai);
    await until(() => received.text.includes('"stop"'));
    socket.destroy();
    // Long enough for the leaving to be seen first: it is the drain that has to read this.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await upstream.exchanges[0]?.write(Buffer.concat([chunk(usageEvent + done), chunk('')]));
    await until(() => keypass.ledger.settlements.length === 1);
    expect(keypass.ledger.settlements).toMatchObject([{ quality: 'measured', usage: { uncachedInput: 9, output: 4 } }]);
  });

  test('after the stop reason, and the usage does not come: not waited for beyond the limit', async () => {
    const { keypass, upstream } = await start(
      (exchange) => exchange.write(Buffer.concat([Buffer.from(eventStreamHead), chunk(delta('x') + stop())])),
      { drainMs: 20 },
    );
    const { socket, received } = rawClient(keypass, openaiChat, bodies.openai);
    await until(() => received.text.includes('"stop"'));
    socket.destroy();
    await upstream.exchanges[0]?.closed;
    await until(() => keypass.ledger.settlements.length === 1);
    expect(keypass.ledger.settlements).toMatchObject([{ quality: 'estimated' }]);
  });
});
