import { commandLine, exit, reexecuteAsServer, writeErrorLine, writeLine } from './runtime/process.ts';
import { version } from './version.ts';

type Command = (args: readonly string[]) => Promise<void> | void;

/** Each command loads what it needs when it runs: before that, `serve` may replace the process by a new one. */
const commands = new Map<string, Command>([
  [
    'serve',
    async () => {
      reexecuteAsServer();
      const { serveCommand } = await import('./cli/serve.ts');
      await serveCommand();
    },
  ],
  ['config', async () => (await import('./cli/config.ts')).configCommand()],
  ['health', async () => (await import('./cli/health.ts')).healthCommand()],
  ['pepper', async (args) => (await import('./cli/pepper.ts')).pepperCommand(args)],
  ['prices', async (args) => (await import('./cli/prices.ts')).pricesCommand(args)],
  ['--help', () => writeLine(usage)],
  ['--version', () => writeLine(version)],
]);

const usage = `Usage: keypass <command>

  serve     start the server (http://localhost:8787 unless PORT and HOST say otherwise)
  config    print the configuration that is in force, secrets masked
  health    ask the server that runs with these settings; the exit code is the answer
  prices    check [MODEL…]: what models cost and which list says so; the faults of the price file
  pepper    status, or one step of a rotation: add, use EPOCH, reseal, drop EPOCH

  --help, --version

Settings are environment variables, or the same names in keypass.toml; see docs/configuration.md.`;

const [name = 'serve', ...args] = commandLine();
const command = commands.get(name);
if (command === undefined) {
  writeErrorLine(usage);
  exit(2);
}
await command(args);
