import { ConfigError, readConfig, type Config } from '../config.ts';
import { exists, readTextFile } from '../runtime/files.ts';
import { environment, exit, writeErrorLine } from '../runtime/process.ts';

const file = 'keypass.toml';

/** The configuration in force; its faults are printed, all at once, and end the process. */
export async function settings(): Promise<Config> {
  try {
    return readConfig(environment(), (await exists(file)) ? await readTextFile(file) : undefined);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    writeErrorLine(error.message);
    return exit(2);
  }
}
