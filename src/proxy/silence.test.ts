import { expect, test } from 'bun:test';
import { post, rawClient, until, upstreamStarter } from '../../test/harness/proxy.ts';
import { bodies, delta, openaiChat } from '../../test/harness/streams.ts';
import { chunk, eventStreamHead } from '../../test/harness/upstream.ts';

const silenceMs = 150;

const start = upstreamStarter({ silenceMs });

test('a provider that falls silent in the middle of its answer is cut off', async () => {
  const { keypass, upstream } = await start((exchange) =>
    exchange.write(Buffer.concat([Buffer.from(eventStreamHead), chunk(delta('x'))])),
  );
  const { received, closed } = rawClient(keypass, openaiChat, bodies.openai);
  await closed;
  await upstream.exchanges[0]?.closed;
  expect(received.text).toContain('provider_timeout');
  await keypass.proxy.settled();
  expect(keypass.ledger.settlements[0]?.flags).toContain('ended_cut');
});

test('one that has nothing to say for a while, again and again, is not', async () => {
  const { keypass } = await start(async (exchange) => {
    await exchange.write(eventStreamHead);
    for (let event = 0; event < 6; event += 1) {
      await exchange.write(chunk(delta('x')));
      await Bun.sleep(silenceMs / 3);
    }
    await exchange.write(chunk(''));
  });
  const answer = await post(keypass, openaiChat, bodies.openai);
  expect((await answer.text()).match(/"x"/g)).toHaveLength(6);
});

test('a client that reads nothing for longer is no silence of the provider', async () => {
  const { keypass, upstream } = await start(async (exchange) => {
    await exchange.write(eventStreamHead);
    for (let sent = 0; sent < 400; sent += 1) void exchange.write(chunk(delta('y'.repeat(60_000))));
  });
  const { socket, received } = rawClient(keypass, openaiChat, bodies.openai);
  await until(() => received.text.length > 0);
  socket.pause();
  await until(() => (upstream.exchanges[0]?.bytesBuffered ?? 0) > 1_000_000);
  await Bun.sleep(3 * silenceMs);
  expect(keypass.ledger.settlements).toEqual([]);
  socket.destroy();
  await upstream.exchanges[0]?.closed;
});
