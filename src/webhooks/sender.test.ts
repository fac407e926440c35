import { afterAll, describe, expect, test } from 'bun:test';
import { startRawUpstream, startRecorder } from '../../test/harness/upstream.ts';
import { post, resolveHost } from '../runtime/post.ts';
import { Sender, type Failure, type Network, type NetworkRequest, type Outcome } from './sender.ts';
import { WebhookTargets } from './targets.ts';

const targets = new WebhookTargets({ origin: 'https://keys.example', allowedHosts: [] });
const local = new WebhookTargets({ origin: 'http://localhost:1', allowedHosts: [] });
const never = new AbortController().signal;
const url = 'https://app.example/hook';
const message = { headers: {}, body: '{}' };

const soon = () => new Promise<false>((resolve) => setTimeout(resolve, 0, false));

/** A name server that says one thing after the other, and what was then sent. */
function pretend(...answers: (readonly string[] | Error)[]) {
  const sent: NetworkRequest[] = [];
  const asked: string[] = [];
  const network: Network = {
    async resolve(host) {
      const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
      asked.push(host);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    async post(request) {
      sent.push(request);
      return 200;
    },
  };
  return { network, sent, asked };
}

describe('before anything is sent', () => {
  test('the addresses are checked at each attempt: a name that leads inside later is refused then', async () => {
    const { network, sent, asked } = pretend(['93.184.215.14'], ['127.0.0.1'], ['169.254.169.254'], ['93.184.215.14']);
    const sender = new Sender(targets, network, 1000);
    const outcomes: (Outcome | 'stopped')[] = [];
    for (let attempt = 0; attempt < 4; attempt++) outcomes.push(await sender.send({ url, ...message }, never));
    const refused = { status: null, failure: 'address_refused' } as const;
    expect(outcomes).toEqual([{ status: 200, failure: null }, refused, refused, { status: 200, failure: null }]);
    expect(asked).toEqual(Array(4).fill('app.example'));
    expect(sent.map(({ addresses }) => addresses)).toEqual([['93.184.215.14'], ['93.184.215.14']]);
  });

  test('of several addresses each may be called, or none is', async () => {
    const open = ['93.184.215.14', '2606:4700::1'];
    for (const mixed of [
      ['10.0.0.1', ...open],
      [...open, '::1'],
    ]) {
      const { network, sent } = pretend(mixed);
      const outcome = await new Sender(targets, network, 1000).send({ url, ...message }, never);
      expect(outcome).toEqual({ status: null, failure: 'address_refused' });
      expect(sent).toEqual([]);
    }
    const { network, sent } = pretend(open);
    await new Sender(targets, network, 1000).send({ url, ...message }, never);
    expect(sent[0]?.addresses).toEqual(open);
  });

  test.each<[string, string, readonly string[] | Error, Failure]>([
    ['a name without an address', url, [], 'name_not_found'],
    ['a name that is none', url, new Error('ENOTFOUND'), 'name_not_found'],
    ['a URL that may not be called any more', 'http://app.example/hook', ['93.184.215.14'], 'url_refused'],
    ['no URL at all', 'hook', ['93.184.215.14'], 'url_refused'],
  ])('%s', async (_name, to, answer, failure) => {
    const { network, sent } = pretend(answer);
    expect(await new Sender(targets, network, 1000).send({ url: to, ...message }, never)).toEqual({
      status: null,
      failure,
    });
    expect(sent).toEqual([]);
  });

  test('a name server that never answers is a timeout', async () => {
    const network: Network = { resolve: () => new Promise(() => {}), post: async () => 200 };
    expect(await new Sender(targets, network, 20).send({ url, ...message }, never)).toEqual({
      status: null,
      failure: 'timeout',
    });
  });
});

describe('over the network', () => {
  const sender = new Sender(local, { resolve: resolveHost, post }, 400);
  const stops: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const stop of stops) await stop();
  });

  const recorder = (answer: Parameters<typeof startRecorder>[0]) => {
    const hook = startRecorder(answer);
    stops.push(() => hook.stop());
    return hook;
  };
  const raw = async (answer: Parameters<typeof startRawUpstream>[0]) => {
    const hook = await startRawUpstream(answer);
    stops.push(() => hook.stop());
    return hook;
  };

  test('a redirect is an answer like any other, and nobody follows it', async () => {
    const inner = recorder(() => new Response('inside'));
    const hook = recorder(() => Response.redirect(`${inner.origin}/inside`, 307));
    expect(await sender.send({ url: hook.origin, ...message }, never)).toEqual({ status: 307, failure: null });
    expect(inner.requests).toEqual([]);
  });

  test('a hook that never answers is a timeout, and its connection is cut', async () => {
    const hook = await raw(() => {});
    expect(await sender.send({ url: hook.origin, ...message }, never)).toEqual({ status: null, failure: 'timeout' });
    await hook.exchanges[0]?.closed;
  });

  test('a hook that streams for ever is cut at a limit, and its status counts', async () => {
    let sent = 0;
    const hook = await raw(async (exchange) => {
      await exchange.write('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n');
      const closed = exchange.closed.then(() => true);
      while (!(await Promise.race([closed, soon()]))) {
        await exchange.write('x'.repeat(16_384));
        sent += 16_384;
      }
    });
    const patient = new Sender(local, { resolve: resolveHost, post }, 60_000);
    expect(await patient.send({ url: hook.origin, ...message }, never)).toEqual({ status: 200, failure: null });
    await hook.exchanges[0]?.closed;
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  test('a hook that dawdles after its status has answered', async () => {
    const hook = await raw((exchange) => void exchange.write('HTTP/1.1 204 No Content\r\n\r\n'));
    expect(await sender.send({ url: hook.origin, ...message }, never)).toEqual({ status: 204, failure: null });
    const slow = await raw((exchange) => void exchange.write('HTTP/1.1 202 OK\r\ncontent-length: 10\r\n\r\nx'));
    expect(await sender.send({ url: slow.origin, ...message }, never)).toEqual({ status: 202, failure: null });
  });

  test('what hangs up, what talks nonsense, and nobody at all', async () => {
    const gone = await raw((exchange) => exchange.reset());
    const odd = await raw((exchange) => void exchange.write('+OK ready\r\n\r\n'));
    const failed = { status: null, failure: 'connection_failed' } as const;
    expect(await sender.send({ url: gone.origin, ...message }, never)).toEqual(failed);
    expect(await sender.send({ url: odd.origin, ...message }, never)).toEqual(failed);
    expect(await sender.send({ url: 'http://127.0.0.1:1/', ...message }, never)).toEqual(failed);
  });

  test('who stops it gets to know that, whatever the hook does', async () => {
    const hook = await raw(() => {});
    const stop = new AbortController();
    const outcome = sender.send({ url: hook.origin, ...message }, stop.signal);
    stop.abort();
    expect(await outcome).toBe('stopped');
    expect(await sender.send({ url: hook.origin, ...message }, AbortSignal.abort())).toBe('stopped');
  });
});
