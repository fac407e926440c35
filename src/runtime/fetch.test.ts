import { expect, test } from 'bun:test';
import { join, resolve } from 'node:path';
import { type RawExchange, startRawUpstream } from '../../test/harness/upstream.ts';
import { createUpstreamFetch } from './fetch.ts';

const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}';

/** Which connection, counted from one, each of three calls came over. */
async function connectionsOf(keepAliveSeconds: number): Promise<number[]> {
  const exchanges: RawExchange[] = [];
  const provider = await startRawUpstream((exchange) => {
    exchanges.push(exchange);
    return exchange.write(answer);
  });
  const send = createUpstreamFetch(keepAliveSeconds);
  for (let call = 0; call < 3; call += 1) {
    const response = await send(new URL(provider.origin), { method: 'POST', body: '{}' });
    expect(await response.text()).toBe('{}');
  }
  await provider.stop();
  // Each connection has a promise of its own for its end.
  const ends = [...new Set(exchanges.map(({ closed }) => closed))];
  return exchanges.map(({ closed }) => ends.indexOf(closed) + 1);
}

test('connections are used again', async () => {
  expect(await connectionsOf(45)).toEqual([1, 1, 1]);
});

test('or not, where nothing is to be kept', async () => {
  expect(await connectionsOf(0)).toEqual([1, 2, 3]);
});

const deno = resolve(import.meta.dir, '../../node_modules/.bin/deno');
const calls = `
  import { createUpstreamFetch } from ${JSON.stringify(join(import.meta.dir, 'fetch.ts'))};
  const send = createUpstreamFetch(45);
  for (let call = 0; call < 3; call += 1)
    await send(new URL(Deno.args[0]), { method: 'POST', body: '{}' }).then((response) => response.text()).catch(() => '');`;

/** Deno's own `fetch` sends a request again that was lost on a connection of an earlier one. */
test.each(['bun', 'deno'])('a call whose connection breaks is not sent again: %s', async (runtime) => {
  let asked = 0;
  const provider = await startRawUpstream((exchange) => {
    asked += 1;
    return asked === 1 ? exchange.write(answer) : exchange.reset();
  });
  if (runtime === 'bun') {
    const send = createUpstreamFetch(45);
    for (let call = 0; call < 3; call += 1) {
      const init = { method: 'POST', body: '{}' };
      await send(new URL(provider.origin), init).then(
        (response) => response.text(),
        () => '',
      );
    }
  } else {
    const child = Bun.spawn([deno, 'run', '--allow-net', '--allow-env', '--allow-read', '-', provider.origin], {
      stdin: new TextEncoder().encode(calls),
      stderr: 'pipe',
    });
    expect([await child.exited, await new Response(child.stderr).text()]).toMatchObject([0, expect.any(String)]);
  }
  expect(asked).toBe(3);
  await provider.stop();
});
