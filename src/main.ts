import { serveCommand } from './cli/serve.ts';
import { configCommand } from './cli/config.ts';
import { pepperCommand } from './cli/pepper.ts';
import { commandLine, exit, writeErrorLine } from './runtime/process.ts';

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  serve: serveCommand,
  config: configCommand,
  pepper: pepperCommand,
};

const usage = `Usage: keypass <command>

  serve     start the server (http://localhost:8787 unless PORT and HOST say otherwise)
  config    print the configuration that is in force, secrets masked
  pepper    status, or one step of a rotation: add, use EPOCH, reseal, drop EPOCH

Settings are environment variables, or the same names in keypass.toml; see docs/configuration.md.`;

const [name = 'serve', ...args] = commandLine();
const command = commands[name];
if (command === undefined) {
  writeErrorLine(usage);
  exit(name === '--help' || name === 'help' ? 0 : 2);
} else {
  await command(args);
}
