import { createApp } from '../../src/app.ts';
import type { Clock } from '../../src/clock.ts';
import { readConfig, type Config } from '../../src/config.ts';
import { createPepper, type Pepper } from '../../src/crypto/index.ts';
import type { Database } from '../../src/database/connect.ts';
import { reconcileEpochs } from '../../src/database/pepper-epochs.ts';
import { Log } from '../../src/http/log.ts';
import { loadPages } from '../../src/runtime/assets.ts';
import { digestOf } from '../../src/runtime/digest.ts';
import { createUpstreamFetch } from '../../src/runtime/fetch.ts';
import { post, resolveHost } from '../../src/runtime/post.ts';
import { openPrices } from '../../src/runtime/prices.ts';
import { serve } from '../../src/runtime/serve.ts';
import { freePort } from './process.ts';

/** A clock that a test moves. */
export class TestClock implements Clock {
  #offsetMs = 0;

  now(): Date {
    return new Date(Date.now() + this.#offsetMs);
  }

  advance(milliseconds: number): void {
    this.#offsetMs += milliseconds;
  }
}

export interface TestServer {
  readonly url: string;
  readonly database: Database;
  readonly pepper: Pepper;
  readonly clock: TestClock;
  readonly config: Config;
  /** Every line that was logged. */
  readonly lines: string[];
  /** Resolves when every call that has ended is booked. */
  settled(): Promise<void>;
  /** Tells apps what they are due to be told, as the server does by itself every second. */
  deliver(): Promise<void>;
  /** Removes what time has made useless, as the server does by itself from time to time. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

interface Options {
  database: Database;
  /** Settings, by the names of environment variables. */
  settings?: Record<string, string>;
  pepper?: Pepper;
  clock?: TestClock;
  /** Set: nothing runs beside the requests; the test moves things along by itself. */
  isIdle?: boolean;
}

/** The real server, on a free loopback port, over a database of the test's own. */
export async function startTestServer(options: Options): Promise<TestServer> {
  const { database, settings = {}, pepper = createPepper(), clock = new TestClock(), isIdle = false } = options;
  const port = freePort();
  const url = `http://localhost:${port}`;
  const config = readConfig({
    PORT: String(port),
    KEYPASS_ORIGIN: url,
    KEYPASS_SHUTDOWN_GRACE_SECONDS: '1',
    ...settings,
  });
  await reconcileEpochs(database, pepper, clock.now());
  const prices = await openPrices(config);
  const lines: string[] = [];
  const log = new Log((line) => lines.push(line));
  const fetch = createUpstreamFetch(config.keepAliveSeconds);
  const outside = { fetch, digestOf, network: { resolve: resolveHost, post } };
  const app = createApp({ config, database, pepper, clock, log, prices, ...outside, assets: await loadPages() });
  const stopWork = isIdle ? async () => {} : await app.start();
  const listener = serve({ hostname: 'localhost', port, fetch: app.fetch });
  const stop = async () => {
    await listener.stop(config.shutdownGraceSeconds);
    await app.settled();
    await stopWork();
  };
  return {
    url,
    database,
    pepper,
    clock,
    config,
    lines,
    settled: app.settled,
    deliver: app.deliver,
    sweep: app.sweep,
    stop,
  };
}
