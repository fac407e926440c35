import { describe, expect, test } from 'bun:test';
import { rawClient, until, upstreamStarter } from '../../test/harness/proxy.ts';
import { bodies, delta, openaiChat } from '../../test/harness/streams.ts';
import { chunk, eventStreamHead } from '../../test/harness/upstream.ts';

const start = upstreamStarter();

/** `server.ts` stops so: the listener cuts what runs, then all that has ended is booked, then the database is closed. */
describe('the server stops, and when `settled` says so, every call is booked', () => {
  test('of a call whose provider has not answered', async () => {
    const { upstream, keypass } = await start(() => {});
    rawClient(keypass, openaiChat, bodies.openai);
    await until(() => upstream.exchanges.length === 1);
    await keypass.stop();
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toHaveLength(1);
  });

  test('of one in mid-stream', async () => {
    const { keypass } = await start((exchange) =>
      exchange.write(Buffer.concat([Buffer.from(eventStreamHead), chunk(delta('some words of an answer'))])),
    );
    const { received } = rawClient(keypass, openaiChat, bodies.openai);
    await until(() => received.text.includes('some words'));
    await keypass.stop();
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toHaveLength(1);
  });

  test('of one whose key is being opened', async () => {
    const { keypass } = await start(() => {});
    const opening = Promise.withResolvers<void>();
    let isOpening = false;
    keypass.access.beforeOpening = () => {
      isOpening = true;
      return opening.promise;
    };
    rawClient(keypass, openaiChat, bodies.openai);
    await until(() => isOpening);
    await keypass.stop();
    setTimeout(() => opening.resolve(), 50);
    await keypass.proxy.settled();
    expect(keypass.ledger.released).toBe(1);
  });
});
