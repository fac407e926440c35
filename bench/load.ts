import type { Socket } from 'bun';
import { wholeLength } from './http-text.ts';

/** Where a load goes: requests as bytes, sent in turn. */
export interface Target {
  readonly port: number;
  readonly requests: readonly Uint8Array[];
}

/** Milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

export interface Saturated {
  readonly callsPerSecond: number;
  /** All that were answered, the uncounted first ones too. */
  readonly calls: number;
}

export interface Streamed {
  /** From the request to the first frame. */
  readonly first: Latency;
  /** From the upstream's sending of a frame to its arrival. */
  readonly frame: Latency;
}

/** Built from bytes, so that sending one costs nothing. */
export function requestBytes(path: string, headers: Record<string, string>, body: object): Uint8Array {
  const text = JSON.stringify(body);
  const all = { host: '127.0.0.1', ...headers, 'content-type': 'application/json', 'content-length': text.length };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${text}`);
}

const nothing = (): void => {};

/** One kept connection, with one call at a time on it. */
class Client {
  #socket: Socket | undefined;
  #text = '';
  #isClosed = false;
  #onEnd: (text: string) => void = nothing;
  #onText: (text: string) => void = nothing;

  static async open(port: number): Promise<Client> {
    const client = new Client();
    client.#socket = await Bun.connect({
      hostname: '127.0.0.1',
      port,
      socket: {
        data: (_socket, chunk) => client.#read(chunk),
        close: () => client.#broken(),
      },
    });
    return client;
  }

  /** `onText` is called with all that has come so far; `onEnd` once with the whole answer. */
  send(request: Uint8Array, onEnd: (text: string) => void, onText: (text: string) => void = nothing): void {
    this.#onEnd = onEnd;
    this.#onText = onText;
    this.#socket?.write(request);
  }

  /** A server may close a connection that was idle for long. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#onEnd = nothing;
    this.#socket?.end();
  }

  #read(chunk: Buffer): void {
    const text = this.#text + chunk.toString('latin1');
    this.#text = text;
    this.#onText(text);
    if (wholeLength(text) === undefined) return;
    const onEnd = this.#onEnd;
    this.#text = '';
    this.#onEnd = nothing;
    onEnd(text);
  }

  #broken(): void {
    this.#isClosed = true;
    this.#onEnd('the connection was closed');
  }
}

/** Calls one after the other on each connection: what a server does at most. The first quarter as long is not counted. */
export async function saturate(target: Target, connections: number, seconds: number): Promise<Saturated> {
  const clients = await openClients(target.port, connections);
  const failed = Promise.withResolvers<never>();
  const next = inTurn(target.requests);
  let calls = 0;
  const loop = (client: Client): void => {
    client.send(next(), (text) => {
      if (!isGood(text)) return failed.reject(badAnswer(text));
      calls += 1;
      loop(client);
    });
  };
  for (const client of clients) loop(client);
  await Promise.race([Bun.sleep(seconds * 250), failed.promise]);
  const [uncounted, startedAt] = [calls, performance.now()];
  await Promise.race([Bun.sleep(seconds * 1000), failed.promise]);
  const callsPerSecond = ((calls - uncounted) / (performance.now() - startedAt)) * 1000;
  for (const client of clients) client.close();
  return { callsPerSecond, calls };
}

/** Exactly so many calls. */
export async function exhaust(target: Target, connections: number, calls: number): Promise<void> {
  const clients = await openClients(target.port, connections);
  const next = inTurn(target.requests);
  let left = calls;
  const run = (client: Client): Promise<void> =>
    new Promise((resolve, reject) => {
      const loop = (): void => {
        if (left <= 0) return resolve();
        left -= 1;
        client.send(next(), (text) => (isGood(text) ? loop() : reject(badAnswer(text))));
      };
      loop();
    });
  await Promise.all(clients.map(run));
  for (const client of clients) client.close();
}

/**
 * Calls at a constant rate, each sent when it is due, however many are still without an answer: a server that stalls
 * makes all of them wait and can't slow the load down (no coordinated omission).
 */
export async function atRate(target: Target, rate: number, seconds: number): Promise<Latency> {
  const idle = await openClients(target.port, 64);
  const next = inTurn(target.requests);
  const latencies: number[] = [];
  const startedAt = performance.now();
  const total = rate * seconds;
  const done = Promise.withResolvers<undefined>();
  const send = async (): Promise<void> => {
    const sentAt = performance.now();
    let client = idle.pop();
    while (client?.isClosed === true) client = idle.pop();
    client ??= await Client.open(target.port);
    const used = client;
    client.send(next(), (text) => {
      if (!isGood(text)) return done.reject(badAnswer(text));
      latencies.push(performance.now() - sentAt);
      idle.push(used);
      if (latencies.length === total) done.resolve(undefined);
    });
  };
  let sent = 0;
  const tick = (): void => {
    for (; sent < total && startedAt + (sent * 1000) / rate <= performance.now(); sent += 1) send().catch(done.reject);
    if (sent < total) setTimeout(tick, 1);
  };
  tick();
  await done.promise;
  for (const client of idle) client.close();
  return percentiles(latencies);
}

/** Streams side by side, begun one after the other so that their frames do not meet. */
export async function streams(target: Target, count: number): Promise<Streamed> {
  const clients = await openClients(target.port, count);
  const next = inTurn(target.requests);
  const [firsts, frames]: [number[], number[]] = [[], []];
  const run = (client: Client): Promise<void> =>
    new Promise((resolve, reject) => {
      const pattern = /<(\d+(?:\.\d+)?)>/g;
      const sentAt = performance.now();
      const onText = (text: string): void => {
        const now = performance.now();
        let from = pattern.lastIndex;
        for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
          if (from === 0) firsts.push(now - sentAt);
          frames.push(now - Number(found[1]));
          from = pattern.lastIndex;
        }
        pattern.lastIndex = from;
      };
      client.send(next(), (text) => (isGood(text) ? resolve() : reject(badAnswer(text))), onText);
    });
  await Promise.all(
    clients.map(async (client, index) => {
      await Bun.sleep(index);
      await run(client);
    }),
  );
  for (const client of clients) client.close();
  return { first: percentiles(firsts), frame: percentiles(frames) };
}

/** One call; undefined where nobody listens yet, or where the answer is no success. */
export async function once({ port, requests: [request] }: Target): Promise<string | undefined> {
  const client = await Client.open(port).catch(() => undefined);
  if (client === undefined || request === undefined) return undefined;
  const text = await new Promise<string>((resolve) => client.send(request, resolve));
  client.close();
  return isGood(text) ? text : undefined;
}

function openClients(port: number, count: number): Promise<Client[]> {
  return Promise.all(Array.from({ length: count }, () => Client.open(port)));
}

function inTurn(requests: readonly Uint8Array[]): () => Uint8Array {
  let index = 0;
  return () => {
    const request = requests[index % requests.length];
    index += 1;
    if (request === undefined) throw new Error('a target without requests');
    return request;
  };
}

function isGood(text: string): boolean {
  return text.startsWith('HTTP/1.1 200');
}

function badAnswer(text: string): Error {
  return new Error(`An answer that is no success, so there is nothing to measure: ${text.slice(0, 600)}`);
}

function percentiles(values: readonly number[]): Latency {
  const sorted = Float64Array.from(values).toSorted();
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
