import { expect, test } from 'bun:test';
import { createServer } from 'node:net';
import { createUpstreamFetch } from './fetch.ts';

/** Calls a provider so often, one call after the other, and tells over how many connections they came. */
async function connectionsOf(keepAliveSeconds: number, calls: number): Promise<number> {
  let connections = 0;
  const provider = createServer((socket) => {
    connections += 1;
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'));
    socket.on('error', () => socket.destroy());
  });
  const port = await new Promise<number>((resolve) => {
    provider.listen(0, '127.0.0.1', () => {
      const address = provider.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const send = createUpstreamFetch(keepAliveSeconds);
  for (let call = 0; call < calls; call += 1) {
    const answer = await send(new URL(`http://127.0.0.1:${port}/`), { method: 'POST', body: '{}' });
    expect(await answer.text()).toBe('{}');
  }
  provider.close();
  return connections;
}

test('connections are used again', async () => {
  expect(await connectionsOf(45, 3)).toBe(1);
});

test('or not, where nothing is to be kept', async () => {
  expect(await connectionsOf(0, 3)).toBe(3);
});
