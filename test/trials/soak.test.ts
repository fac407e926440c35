import { expect, test } from 'bun:test';
import { startProxy, until } from '../harness/proxy.ts';
import { bodies, delta, openaiChat } from '../harness/streams.ts';
import { hasPostgres } from '../harness/postgres.ts';
import { chunk, eventStreamHead, startRawUpstream } from '../harness/upstream.ts';
import { summaryOf } from './report.ts';
import { runSoakTrial } from './soak-trial.ts';

/** `bun run harness:soak` in small. */
test.each(hasPostgres ? (['embedded', 'postgres'] as const) : (['embedded'] as const))(
  'slow streams, some left in their middle, each have their receipt once and leave nothing behind: %s',
  async (kind) => {
    const trial = { kind, seed: 7, streams: 60, seconds: 4, longestMs: 2_000, growthBytes: null };
    const { faults, figures } = await runSoakTrial(trial);
    expect(summaryOf(faults)).toEqual([]);
    expect(figures['streams']).toContain('left');
  },
  60_000,
);

/** A call's limits are timers of seconds and more; what is shorter ends by itself. */
const longTimerMs = 5_000;

test('a stream that has ended, whichever way, leaves no timer, no listener and no hold', async () => {
  const running = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const counted = (handler: () => void, ms = 0) => {
    const timer = set(handler, ms);
    if (ms >= longTimerMs) running.add(timer);
    return timer;
  };
  const forgotten = (timer: ReturnType<typeof set> | undefined) => {
    running.delete(timer);
    clear(timer);
  };
  const upstream = await startRawUpstream((exchange) =>
    exchange.write(Buffer.concat([Buffer.from(eventStreamHead), chunk(delta('x'))])),
  );
  const keypass = startProxy({ origin: upstream.origin });
  const headers = { authorization: `Bearer ${keypass.token}`, 'content-type': 'application/json' };
  const call = (signal: AbortSignal) =>
    fetch(keypass.url + openaiChat, { method: 'POST', headers, body: JSON.stringify(bodies.openai), signal });
  // The router sets a timer of its own with the first call of a route.
  const first = new AbortController();
  await call(first.signal);
  first.abort();
  await until(() => keypass.ledger.settlements.length === 1);
  try {
    Object.assign(globalThis, { setTimeout: counted, clearTimeout: forgotten });
    const leaving = Array.from({ length: 30 }, () => new AbortController());
    await Promise.all(leaving.map(({ signal }) => call(signal)));
    expect(running.size).toBeGreaterThanOrEqual(leaving.length);
    for (const [index, exchange] of upstream.exchanges.slice(1).entries()) {
      if (index % 3 === 0) leaving[index]?.abort();
      else if (index % 3 === 1) exchange.reset();
      else await exchange.write(chunk(''));
    }
    for (const controller of leaving) controller.abort();
    await until(() => keypass.ledger.settlements.length === leaving.length + 1);
    await keypass.proxy.settled();
    expect(running.size).toBe(0);
    expect(keypass.access.listeners).toBe(0);
    expect(keypass.ledger.held).toBe(0n);
  } finally {
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
    await keypass.stop();
    await upstream.stop();
  }
});
