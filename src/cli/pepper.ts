import { createServices } from '../app.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { addEpoch, dropEpoch, formatPepper, makeCurrent, type Pepper } from '../crypto/index.ts';
import { countEpochUses, deleteEpoch, reconcileEpochs } from '../database/pepper-epochs.ts';
import type { Database } from '../database/connect.ts';
import { Log } from '../http/log.ts';
import { digestOf } from '../runtime/digest.ts';
import { writeSecretFile } from '../runtime/files.ts';
import { exit, writeErrorLine, writeLine } from '../runtime/process.ts';
import { openStorage } from '../server.ts';
import { settings } from './settings.ts';

const batch = 200;

const usage = `Usage: keypass pepper <step>

  status        the epochs, which one is current, and how many rows each still seals
  add           a new epoch, not yet used; copy the file to every instance and restart it
  use EPOCH     seal under this epoch from now on; copy the file and restart again
  reseal        move every row to the current epoch; needs no token and no password
  drop EPOCH    forget an epoch that seals nothing any more: what old backups hold under it is lost for good`;

interface Storage {
  config: Config;
  database: Database;
  pepper: Pepper;
}

/** `keypass pepper`: rotation of the pepper, a step at a time. With the embedded database the server must be stopped. */
export async function pepperCommand([step = 'status', epoch = '']: readonly string[]): Promise<void> {
  const work = steps[step];
  if (work === undefined) {
    writeErrorLine(usage);
    return exit(2);
  }
  const config = await settings();
  try {
    const storage = { config, ...(await openStorage(config, systemClock)) };
    await work(storage, Number(epoch));
    await storage.database.close();
  } catch (error) {
    writeErrorLine(`keypass pepper ${step}: ${error instanceof Error ? error.message : 'failed'}`);
    return exit(1);
  }
}

const steps: Readonly<Record<string, (storage: Storage, epoch: number) => Promise<void>>> = {
  async status({ database, pepper }) {
    for (const { epoch, rows } of await countEpochUses(database.sql)) {
      writeLine(`epoch ${epoch}${epoch === pepper.current ? ' (current)' : ''}: ${rows} rows`);
    }
  },

  async add({ config, database, pepper }) {
    const next = addEpoch(pepper);
    await save(config, next);
    await reconcileEpochs(database, next, systemClock.now());
    writeLine(`Epoch ${next.epochs.at(-1)} is in ${config.pepperFile}, not yet used.`);
  },

  async use({ config, pepper }, epoch) {
    await save(config, makeCurrent(pepper, epoch));
    writeLine(`Epoch ${epoch} is current. Restart every instance with this file, then run: keypass pepper reseal`);
  },

  async reseal({ config, database, pepper }) {
    const log = new Log(writeErrorLine);
    const { accounts, upkeep, webhookSecrets } = createServices({
      config,
      database,
      pepper,
      clock: systemClock,
      log,
      digestOf,
    });
    for (const slice of [accounts, upkeep, webhookSecrets]) {
      while ((await slice.reseal(batch)) > 0);
    }
    await steps['status']?.({ config, database, pepper }, 0);
  },

  async drop({ config, database, pepper }, epoch) {
    const uses = (await countEpochUses(database.sql)).find((use) => use.epoch === epoch);
    if (uses !== undefined && uses.rows > 0n) {
      throw new Error(
        `epoch ${epoch} still seals ${uses.rows} rows. Run reseal; link sessions pass by themselves within ten minutes.`,
      );
    }
    const next = dropEpoch(pepper, epoch);
    await deleteEpoch(database.sql, epoch);
    await save(config, next);
    writeLine(
      `Epoch ${epoch} is gone. Destroy its copies: whoever has one and an old backup can still open that backup's outer seals.`,
    );
  },
};

async function save(config: Config, pepper: Pepper): Promise<void> {
  await writeSecretFile(config.pepperFile, formatPepper(pepper), { replace: true });
}
