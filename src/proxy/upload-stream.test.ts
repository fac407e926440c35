import { afterEach, beforeEach, describe, expect, jest, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { providerKey, startProxy, testLimits, until, type ProxyHarness } from '../../test/harness/proxy.ts';
import { startSink, type Arrival, type Sink } from '../../test/harness/sink.ts';
import type { Policy } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { Lifeline } from './lifeline.ts';
import type { Limits } from './ports.ts';
import { uploadOf } from './upload-stream.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

interface Setup {
  readonly policy?: Partial<Policy>;
  readonly limits?: Partial<Limits>;
  readonly onHead?: (arrival: Arrival) => void;
}

async function start({ onHead, policy, ...options }: Setup = {}): Promise<{ sink: Sink; keypass: ProxyHarness }> {
  const sink = await startSink(onHead);
  const keypass = startProxy({ ...options, policy: { scopes: ['stateful'], ...policy }, origin: sink.origin });
  running.push(keypass, sink);
  return { sink, keypass };
}

const path = '/openai/v1/files';
const form = 'multipart/form-data; boundary=b';
const rules = { type: 'form', maxBytes: 100 } as const;

/** A client on a bare socket that has sent its head, and sends of its body what it is told to. */
function begin(
  keypass: ProxyHarness,
  headers: Record<string, string>,
  at = path,
): { socket: Socket; text: () => string } {
  const socket = connect(Number(new URL(keypass.url).port), '127.0.0.1');
  let text = '';
  socket.on('data', (data) => (text += data.toString('latin1')));
  socket.on('error', () => {});
  const all = { host: 'localhost', authorization: `Bearer ${keypass.token}`, 'content-type': form, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${at} HTTP/1.1\r\n${lines.join('')}\r\n`);
  return { socket, text: () => text };
}

const arrival = async (sink: Sink): Promise<Arrival> => {
  await until(() => sink.arrivals.length === 1);
  const [first] = sink.arrivals;
  if (first === undefined) throw new Error('nothing arrived');
  return first;
};

describe('a body that is passed on as it comes', () => {
  test('is at the provider before the client has sent it all, under its own type and length', async () => {
    const { sink, keypass } = await start();
    const { socket, text } = begin(keypass, { 'content-length': '10' });
    socket.write('--b\r\n');
    const arrived = await arrival(sink);
    await until(() => arrived.received === 5);
    expect(arrived.head).toMatch(/^POST \/v1\/files HTTP\/1\.1\r\n/);
    expect(arrived.head).toMatch(/^content-type: multipart\/form-data; boundary=b\r?$/im);
    expect(arrived.head).toMatch(/^content-length: 10\r?$/im);
    expect(arrived.head).not.toMatch(/transfer-encoding/i);
    expect(arrived.head).toContain(providerKey);
    expect(arrived.head).not.toContain(keypass.token);
    socket.write('\0\u0001\r\n-');
    await until(() => arrived.received === 10);
    expect(new TextDecoder().decode(arrived.body)).toBe('--b\r\n\0\u0001\r\n-');
    arrived.answer({ id: 'file-1' });
    await until(() => text().endsWith('{"id":"file-1"}'));
    await keypass.proxy.settled();
    expect(keypass.ledger.settlements).toMatchObject([{ cost: 0n, quality: 'measured', flags: [], status: 200 }]);
    socket.destroy();
  });

  test('goes up in chunks where the client announced no length', async () => {
    const { sink, keypass } = await start();
    const { socket } = begin(keypass, { 'transfer-encoding': 'chunked' });
    socket.write('3\r\nabc\r\n');
    const arrived = await arrival(sink);
    await until(() => new TextDecoder().decode(arrived.body) === '3\r\nabc\r\n');
    expect(arrived.head).toMatch(/^transfer-encoding: chunked\r?$/im);
    expect(arrived.head).not.toMatch(/content-length/i);
    socket.write('0\r\n\r\n');
    await until(() => new TextDecoder().decode(arrived.body).endsWith('0\r\n\r\n'));
    arrived.answer({});
    socket.destroy();
  });

  test('waits in the client where the provider does not read, and is whole in the end', async () => {
    const length = 48 * 1024 * 1024;
    const { sink, keypass } = await start({ onHead: (arrived) => arrived.pause() });
    const { socket } = begin(keypass, { 'content-length': String(length) });
    const piece = new Uint8Array(256 * 1024).fill(7);
    let written = 0;
    const write = () => {
      while (written < length) {
        written += piece.length;
        if (!socket.write(piece)) break;
      }
    };
    socket.on('drain', write);
    write();
    const arrived = await arrival(sink);
    // Sockets hold a few megabytes on the way; whoever read ahead would take all of it.
    for (let still = 0, before = 0; still < 30; before = written) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      still = written === before ? still + 1 : 0;
    }
    expect(written).toBeLessThan(length / 2);
    arrived.resume();
    await until(() => arrived.received === length);
    expect(written).toBe(length);
    arrived.answer({});
    await keypass.proxy.settled();
    socket.destroy();
  });

  test('a client that leaves in the middle ends the request at the provider', async () => {
    const { sink, keypass } = await start();
    const { socket } = begin(keypass, { 'content-length': '1000' });
    socket.write('--b');
    const arrived = await arrival(sink);
    await until(() => arrived.received === 3);
    socket.destroy();
    await until(() => arrived.isClosed);
    await keypass.proxy.settled();
    expect(keypass.ledger.held).toBe(0n);
    expect(keypass.ledger.settlements).toMatchObject([{ cost: 0n, flags: ['no_answer'], status: null }]);
    expect(keypass.access.listeners).toBe(0);
  });

  test('a connection that is cut in the middle ends it, and says so', async () => {
    const { sink, keypass } = await start();
    const { socket, text } = begin(keypass, { 'content-length': '1000' });
    socket.write('--b');
    const arrived = await arrival(sink);
    await until(() => arrived.received === 3);
    keypass.access.cut(new KeyPassError('connection_revoked', 'Revoked.'));
    await until(() => arrived.isClosed && text().includes('connection_revoked'));
    expect(text()).toStartWith('HTTP/1.1 403');
    socket.destroy();
  });

  test('a provider that refuses before it has all of it is heard', async () => {
    const { sink, keypass } = await start();
    const { socket, text } = begin(keypass, { 'content-length': '1000000' });
    socket.write('--b');
    const arrived = await arrival(sink);
    arrived.answer({ error: { message: 'too large' } }, '413 Payload Too Large');
    await until(() => text().includes('too large'));
    expect(text()).toStartWith('HTTP/1.1 413');
    expect(text()).not.toMatch(/x-keypass-error/i);
    socket.destroy();
  });

  test('one that was lost is not sent again', async () => {
    const { sink, keypass } = await start();
    const { socket, text } = begin(keypass, { 'content-length': '4' });
    socket.write('--b-');
    await until(() => sink.arrivals[0]?.received === 4);
    await sink.stop();
    await until(() => text().includes('provider_unreachable'));
    expect(sink.arrivals).toHaveLength(1);
    socket.destroy();
  });
});

describe('refused', () => {
  const cases: [string, Record<string, string>, string, Setup?][] = [
    ['without the scope', { 'content-length': '3' }, 'scope_not_granted', { policy: { scopes: ['chat'] } }],
    ['a packed body', { 'content-length': '3', 'content-encoding': 'gzip' }, 'unsupported_encoding'],
    ['what is no form', { 'content-length': '3', 'content-type': 'application/json' }, 'unsupported_media_type'],
    [
      'a form with two boundaries',
      { 'content-length': '3', 'content-type': `${form}; boundary=c` },
      'unsupported_media_type',
    ],
    [
      'a boundary in quotes that are escaped',
      { 'content-length': '3', 'content-type': 'multipart/form-data; boundary="a\\"b"' },
      'unsupported_media_type',
    ],
    [
      'another kind of form',
      { 'content-length': '3', 'content-type': 'multipart/mixed; boundary=b' },
      'unsupported_media_type',
    ],
    ['more than the operator allows', { 'content-length': '101' }, 'body_too_large', { limits: { maxFileBytes: 100 } }],
    ['more than the provider takes', { 'content-length': String(514 * 1024 * 1024) }, 'body_too_large'],
    ['a sandbox', { 'content-length': '3' }, 'endpoint_not_allowed', { policy: { sandbox: true } }],
  ];

  test.each(cases)('%s', async (...[, headers, code, setup]) => {
    const { sink, keypass } = await start(setup);
    const { socket, text } = begin(keypass, headers);
    socket.write('--b');
    await until(() => text().includes(code));
    expect(sink.arrivals).toEqual([]);
    expect(keypass.ledger.requests).toEqual([]);
    expect(keypass.log.join()).not.toContain(keypass.token);
    socket.destroy();
  });

  test('in the middle, what is longer than allowed and did not say so', async () => {
    const { sink, keypass } = await start({ limits: { maxFileBytes: 100 } });
    const { socket, text } = begin(keypass, { 'transfer-encoding': 'chunked' });
    socket.write(`32\r\n${'x'.repeat(50)}\r\n`);
    const arrived = await arrival(sink);
    socket.write(`33\r\n${'x'.repeat(51)}\r\n`);
    await until(() => text().includes('body_too_large') && arrived.isClosed);
    expect(text()).toStartWith('HTTP/1.1 413');
    await keypass.proxy.settled();
    expect(keypass.ledger.held).toBe(0n);
    socket.destroy();
  });

  test('a length and chunks at once, so that no two readers can take it differently', async () => {
    const { sink, keypass } = await start();
    const { socket, text } = begin(keypass, { 'content-length': '3', 'transfer-encoding': 'chunked' });
    socket.write('0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n');
    await until(() => text() !== '' || sink.arrivals.length > 0);
    expect(text()).toStartWith('HTTP/1.1 400');
    expect(sink.arrivals).toEqual([]);
    socket.destroy();
  });
});

describe('a client that stops sending', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('is waited for a minute, and for no longer', async () => {
    const limits = { ...testLimits, firstByteMs: 600_000, totalMs: 3_600_000 };
    const lifeline = new Lifeline({ client: new AbortController().signal, limits, listenForCut: () => () => {} });
    lifeline.dispatched();
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(3)),
      cancel: () => {
        isCancelled = true;
      },
    });
    const request = new Request('http://localhost/', { method: 'POST', body, headers: { 'content-type': form } });
    const upload = uploadOf(request, rules, 100);
    const reader = upload.open(lifeline)?.getReader();
    expect((await reader?.read())?.value).toEqual(new Uint8Array(3));
    const next = reader?.read().catch((error: unknown) => error);
    // The wait begins in a turn of its own.
    for (let turns = 0; turns < 20; turns += 1) await Promise.resolve();
    jest.advanceTimersByTime(59_999);
    expect(lifeline.ended).toBeUndefined();
    jest.advanceTimersByTime(1);
    expect(await next).toMatchObject({ code: 'body_timeout' });
    expect(lifeline.ended).toMatchObject({ code: 'body_timeout' });
    expect(isCancelled).toBe(true);
    lifeline.close();
  });
});

test('each piece that goes up gives the provider its time anew', async () => {
  jest.useFakeTimers();
  const limits = { ...testLimits, firstByteMs: 1_000 };
  const lifeline = new Lifeline({ client: new AbortController().signal, limits, listenForCut: () => () => {} });
  lifeline.dispatched();
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(3)) });
  const request = new Request('http://localhost/', { method: 'POST', body, headers: { 'content-type': form } });
  const reader = uploadOf(request, rules, 100).open(lifeline)?.getReader();
  jest.advanceTimersByTime(900);
  await reader?.read();
  jest.advanceTimersByTime(900);
  expect(lifeline.ended).toBeUndefined();
  jest.advanceTimersByTime(100);
  expect(lifeline.ended).toMatchObject({ code: 'provider_timeout' });
  lifeline.close();
  jest.useRealTimers();
});

test('what is longer or shorter than announced is not passed on as whole', async () => {
  for (const length of [2, 4]) {
    const lifeline = new Lifeline({
      client: new AbortController().signal,
      limits: testLimits,
      listenForCut: () => () => {},
    });
    const headers = { 'content-type': form, 'content-length': String(length) };
    const body = new Blob([new Uint8Array(3)]).stream();
    const upload = uploadOf(new Request('http://localhost/', { method: 'POST', body, headers }), rules, 100);
    const reader = upload.open(lifeline)?.getReader();
    const read = async () => {
      while ((await reader?.read())?.done === false);
    };
    expect(await read().catch((error: unknown) => error)).toMatchObject({ code: 'invalid_request' });
    expect(lifeline.ended).toMatchObject({ param: 'content-length' });
  }
});

test('a body that was opened is not opened again', () => {
  const lifeline = new Lifeline({
    client: new AbortController().signal,
    limits: testLimits,
    listenForCut: () => () => {},
  });
  const request = new Request('http://localhost/', { method: 'POST', headers: { 'content-type': form } });
  const upload = uploadOf(request, rules, 100);
  expect(upload.open(lifeline)).toBeNull();
  expect(() => upload.open(lifeline)).toThrow(KeyPassError);
});
