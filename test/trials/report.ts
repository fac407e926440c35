import type { Fault, TrialResult } from './faults.ts';

/** Ends the process when it is told to, in a way that lets what it has started be ended too. */
export function exitOnSignal(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
}

/** A number after a flag of the command line, or what it is without. */
export function flag(name: string, usual: number): number {
  const position = process.argv.indexOf(`--${name}`);
  if (position < 0) return usual;
  const value = Number(process.argv[position + 1]);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name}: expected a whole number`);
  return value;
}

/** Prints what a trial found; the exit code of the process is 1 from the first fault on. */
export function report(title: string, { faults, figures }: TrialResult): void {
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  const lines = Object.entries(figures).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  const verdict = faults.length === 0 ? ['  ✓ every promise kept'] : summaryOf(faults);
  process.stdout.write(`${[title, ...lines, ...verdict].join('\n')}\n\n`);
  if (faults.length > 0) process.exitCode = 1;
}

const examples = 5;

/** Each rule that was broken, how often, and the first places. */
export function summaryOf(faults: readonly Fault[]): string[] {
  return [...Map.groupBy(faults, ({ rule }) => rule)].flatMap(([rule, found]) => [
    `  ✗ ${found.length} × ${rule}`,
    ...found.slice(0, examples).map(({ detail }) => `      ${detail}`),
  ]);
}
