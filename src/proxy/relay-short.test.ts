import { afterEach, expect, test } from 'bun:test';
import { rawClient, startProxy } from '../../test/harness/proxy.ts';
import { bodies, openaiChat } from '../../test/harness/streams.ts';
import { startRawUpstream } from '../../test/harness/upstream.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

/** RFC 9112, 6.3: of the two, the chunks hold, and they have no end that is known. Bun keeps both headers. */
test('an answer in chunks is not short, whatever length it also states', async () => {
  const head =
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\ntransfer-encoding: chunked\r\n\r\n';
  const upstream = await startRawUpstream((exchange) => exchange.write(Buffer.from(`${head}7\r\n{"id":1\r\n`)));
  const keypass = startProxy({ origin: upstream.origin });
  running.push(keypass, upstream);
  const { received } = rawClient(keypass, openaiChat, bodies.openai);
  const deadline = performance.now() + 3_000;
  while (!received.text.includes('{"id":1') && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(received.text).toContain('{"id":1');
});
