import { isLoopback, type Config } from '../config.ts';
import { Log } from '../http/log.ts';
import { PriceFileError } from '../money/price-file.ts';
import { prepareEngine } from '../runtime/engine-files.ts';
import { exit, onSignal, writeErrorLine, writeLine } from '../runtime/process.ts';
import type { RunningServer } from '../server.ts';
import { version } from '../version.ts';
import { settings } from './settings.ts';

/**
 * `keypass serve`: the server, until a signal stops it. The log, JSON lines and nothing else, goes to standard output; what
 * a person is to read goes to standard error, the link of the first invitation among it, which no log may keep.
 */
export async function serveCommand(): Promise<void> {
  const config = await settings();
  const log = new Log(writeLine);
  const server = await start(config);
  log.event('started', { version, database: config.databaseUrl === null ? 'embedded' : 'postgresql' });
  announce(config, server);
  let isStopping = false;
  const stop = () => {
    if (isStopping) return;
    isStopping = true;
    log.event('stopping');
    writeErrorLine('Stopping: no new requests; running streams may end.');
    server.stop().then(
      () => exit(0),
      (error: unknown) => fail(error),
    );
  };
  onSignal(['SIGTERM', 'SIGINT'], stop);
  // Without a price file there is nothing to read again, and a closed terminal ends the server.
  onSignal(['SIGHUP'], config.pricesFile === null ? stop : () => void server.reloadPrices());
}

async function start(config: Config): Promise<RunningServer> {
  try {
    // It compiles on other threads while this one loads the rest of the program: a tenth of a second.
    if (config.databaseUrl === null) prepareEngine();
    const { startServer } = await import('../server.ts');
    return await startServer(config, { writeLine, onFatal: fail });
  } catch (error) {
    return fail(error);
  }
}

function fail(error: unknown): never {
  writeErrorLine(`KeyPass cannot run: ${error instanceof Error ? error.message : 'for a reason that has no name'}`);
  // A faulty file of settings and a faulty file of prices end alike.
  return exit(error instanceof PriceFileError ? 2 : 1);
}

function announce(config: Config, server: RunningServer): void {
  const database = config.databaseUrl === null ? `embedded, in ${config.dataFolder}` : 'PostgreSQL';
  writeErrorLine(`KeyPass is at ${config.origin} (database: ${database})`);
  if (server.invitation !== null)
    writeErrorLine(`Create the first account: ${config.origin}/vault#invite=${server.invitation}`);
  if (config.origin.startsWith('http:') && !isLoopback(config.origin)) {
    writeErrorLine(
      'Warning: over plain http browsers offer no Web Crypto beyond this machine. Put a TLS proxy in front, or use a tunnel.',
    );
  }
}
