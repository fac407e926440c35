import { systemClock, type Clock } from './clock.ts';
import type { Config } from './config.ts';
import { createPepper, formatPepper, parsePepper, type Pepper } from './crypto/index.ts';
import { connectEmbedded, connectPostgres, type Database } from './database/connect.ts';
import { migrations } from './database/migration-files.ts';
import { migrate } from './database/migrations.ts';
import { hasEpochs, PepperMismatchError, reconcileEpochs } from './database/pepper-epochs.ts';
import { Log, type WriteLine } from './http/log.ts';
import { loadPages } from './runtime/assets.ts';
import { openEmbedded } from './runtime/embedded.ts';
import { digestOf } from './runtime/digest.ts';
import { createUpstreamFetch } from './runtime/fetch.ts';
import { post, resolveHost } from './runtime/post.ts';
import { exists, makeFolder, readSecretFile, writeSecretFile } from './runtime/files.ts';
import { openPrices, reloadPrices } from './runtime/prices.ts';
import { serve } from './runtime/serve.ts';

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** For the first account of a server that takes accounts by invitation; null when there is nothing to invite to. */
  readonly invitation: string | null;
  /** Reads the price file again. */
  reloadPrices(): Promise<void>;
  /** Lets running streams end within the configured grace, then cuts them, and closes the database. */
  stop(): Promise<void>;
}

interface Surroundings {
  readonly writeLine: WriteLine;
  readonly clock?: Clock;
  /** Told when the embedded database has given up, which only a new process can mend. */
  onFatal?: (error: Error) => void;
}

/**
 * Starts KeyPass. It listens first: a taken port is known before anything is opened, `/healthz` says that the process
 * lives, and every other request waits the moment until database, schema, pepper and app stand.
 */
export async function startServer(config: Config, surroundings: Surroundings): Promise<RunningServer> {
  let opened: Opened | undefined;
  const { promise: opening, resolve, reject } = Promise.withResolvers<Opened>();
  opening.catch(() => 'whoever waits for it hears of it');
  const listener = serve({
    hostname: config.hostname,
    port: config.port,
    fetch: async (request, peer) => {
      if (opened === undefined && new URL(request.url).pathname === '/healthz') return Response.json({ status: 'ok' });
      return (opened ?? (await opening)).app.fetch(request, peer);
    },
  });
  await open(config, surroundings).then(resolve, reject);
  try {
    opened = await opening;
  } catch (error) {
    await listener.stop(0);
    throw error;
  }
  const { app, reload, stop: close } = opened;
  const stop = async () => {
    await listener.stop(config.shutdownGraceSeconds);
    await close();
  };
  return {
    url: listener.url,
    port: listener.port,
    invitation: await app.accounts.firstInvitation(),
    reloadPrices: reload,
    stop,
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** Everything behind the listener. The app is loaded while the listener answers already. */
async function open(config: Config, { writeLine, clock = systemClock, onFatal }: Surroundings) {
  const log = new Log(writeLine);
  const prices = await openPrices(config);
  const { database, pepper } = await openStorage(config, clock, onFatal);
  try {
    const { createApp } = await import('./app.ts');
    const fetch = createUpstreamFetch(config.keepAliveSeconds);
    const outside = { fetch, digestOf, network: { resolve: resolveHost, post } };
    const app = createApp({ config, database, pepper, clock, log, prices, ...outside, assets: await loadPages() });
    const stopWork = await app.start();
    const stop = async () => {
      await app.settled();
      await stopWork();
      await database.close();
    };
    let reloading = Promise.resolve();
    // One after the other, so that what was read last is what holds.
    const reload = () => (reloading = reloading.then(() => reloadPrices(prices, config, log)));
    return { app, reload, stop };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** The database with its schema up to date, and the pepper that belongs to it. */
export async function openStorage(config: Config, clock: Clock, onFatal?: (error: Error) => void) {
  const database = await openDatabase(config, onFatal);
  try {
    await migrate(database, migrations);
    return { database, pepper: await openPepper(config, database, clock) };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openDatabase(config: Config, onFatal?: (error: Error) => void): Promise<Database> {
  if (config.databaseUrl !== null) return connectPostgres(config.databaseUrl);
  return connectEmbedded(await openEmbedded(config.dataFolder, onFatal === undefined ? {} : { onFailure: onFatal }));
}

/** Reads the pepper, or makes one for an empty database: for one in use a new pepper would lock everybody out. */
async function openPepper(config: Config, database: Database, clock: Clock): Promise<Pepper> {
  const path = config.pepperFile;
  const isThere = await exists(path);
  if (!isThere && (await hasEpochs(database.sql))) {
    throw new PepperMismatchError(
      `There is no pepper file at ${path}, but this database has sealed data. Restore the file that belongs to it.`,
    );
  }
  const pepper = isThere ? parsePepper(await readSecretFile(path)) : createPepper();
  if (!isThere) {
    const slash = path.lastIndexOf('/');
    if (slash > 0) await makeFolder(path.slice(0, slash));
    await writeSecretFile(path, formatPepper(pepper));
  }
  await reconcileEpochs(database, pepper, clock.now());
  return pepper;
}
