import { describeConfig } from '../config.ts';
import { writeLine } from '../runtime/process.ts';
import { settings } from './settings.ts';

/** `keypass config`: what is in force, secrets masked. */
export async function configCommand(): Promise<void> {
  for (const line of describeConfig(await settings())) writeLine(line);
}
