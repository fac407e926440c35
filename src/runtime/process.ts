import process from 'node:process';
import { isCompiled, runtimeName } from './runtime.ts';

/** What comes after the program's own name. */
export function commandLine(): readonly string[] {
  return process.argv.slice(2);
}

/** The environment at this moment, as a copy. */
export function environment(): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) variables[name] = value;
  return variables;
}

type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

/** Calls the handler on each of these signals, in place of ending the process at once. */
export function onSignal(signals: readonly Signal[], handler: () => void): void {
  for (const signal of signals) process.on(signal, () => handler());
}

/** Ends the process: 0 says that all went well. */
export function exit(code: number): never {
  writeLines();
  process.exit(code);
}

let unwritten = '';

/** Writes one line of the log to the standard output, together with the others of this turn of the event loop. */
export function writeLine(line: string): void {
  if (unwritten === '') setImmediate(writeLines);
  unwritten += `${line}\n`;
}

function writeLines(): void {
  const lines = unwritten;
  unwritten = '';
  if (lines !== '') process.stdout.write(lines);
}

/** Writes one line for the operator to the standard error. */
export function writeErrorLine(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** What Bun and its allocator read only when a process starts. */
const serverSettings = {
  // `fetch` lets 256 calls run at a time; this is the most that Bun takes, it ignores a larger number.
  BUN_CONFIG_MAX_HTTP_REQUESTS: '65535',
  // Milliseconds for which freed memory is kept for the next call: to give it back and ask for it again is a twentieth
  // of what a call costs.
  MIMALLOC_PURGE_DELAY: '10000',
  // Collecting garbage beside the program costs every write to an object, and a call 3 to 6 % of its CPU.
  BUN_JSC_useConcurrentGC: '0',
};

/**
 * The process replaces itself once by the same program with the settings of a server: same pid, same arguments. What the
 * operator has set stays. To be called before anything else; it does nothing the second time, and under Deno, which has
 * no such settings.
 */
export function reexecuteAsServer(): void {
  if (runtimeName !== 'bun' || Object.keys(serverSettings).every((name) => process.env[name] !== undefined)) return;
  // The compiled program is its own runtime: its script's path stands for a file inside it and is no argument.
  const program = isCompiled ? [] : [...process.execArgv, ...process.argv.slice(1, 2)];
  writeLines();
  process.execve?.(process.execPath, [process.execPath, ...program, ...process.argv.slice(2)], {
    ...serverSettings,
    ...process.env,
  });
}
