import { expect, test } from 'bun:test';
import { serve } from './serve.ts';

/** Sends one chunk, then what `next` resolves with, then ends. */
function streamOf(next: Promise<string>): Response {
  let sent = 0;
  const encoder = new TextEncoder();
  return new Response(
    new ReadableStream({
      async pull(controller) {
        sent++;
        if (sent === 1) return controller.enqueue(encoder.encode('first '));
        controller.enqueue(encoder.encode(await next));
        controller.close();
      },
    }),
  );
}

test('the handler gets the request and the address of the other end', async () => {
  const server = serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request, peer) => Response.json([new URL(request.url).pathname, await request.text(), peer()]),
  });
  expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
  const answer = await fetch(`${server.url}/path`, { method: 'POST', body: 'body' });
  expect(await answer.json()).toEqual(['/path', 'body', '127.0.0.1']);
  await server.stop(0);
});

test('stop lets a running stream end, and takes no more connections', async () => {
  const rest = Promise.withResolvers<string>();
  const server = serve({ hostname: '127.0.0.1', port: 0, fetch: () => streamOf(rest.promise) });
  const answer = await fetch(server.url);
  const stopped = server.stop(30);
  const refused = await fetch(server.url).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Error);
  rest.resolve('last');
  expect(await answer.text()).toBe('first last');
  await stopped;
});

test('stop cuts a stream that outlives the grace, and the client sees that it was cut', async () => {
  const server = serve({ hostname: '127.0.0.1', port: 0, fetch: () => streamOf(new Promise(() => {})) });
  const answer = await fetch(server.url);
  const text = answer.text().catch((error: unknown) => error);
  await server.stop(0.05);
  expect(await text).toBeInstanceOf(Error);
});

test('an idle connection does not hold stop up', async () => {
  const server = serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('ok') });
  await (await fetch(server.url)).text();
  const idle = await Bun.connect({ hostname: '127.0.0.1', port: server.port, socket: { data: () => {} } });
  await server.stop(0.05);
  idle.end();
});

test('a port that is taken is named, never shared', async () => {
  const server = serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('mine') });
  expect(() => serve({ hostname: '127.0.0.1', port: server.port, fetch: () => new Response('theirs') })).toThrow(
    `Another program has port ${server.port} on 127.0.0.1. Set PORT to a free one.`,
  );
  await server.stop(0);
});

test('an address that is not ours is named', () => {
  expect(() => serve({ hostname: '203.0.113.9', port: 0, fetch: () => new Response() })).toThrow('203.0.113.9');
});

test('a handler that throws says nothing of itself', async () => {
  const server = serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () => {
      throw new Error('inside');
    },
  });
  const answer = await fetch(server.url);
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain('inside');
  await server.stop(0);
});
