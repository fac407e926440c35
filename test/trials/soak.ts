/**
 * Slow streams for minutes, 30 % of them left in their middle, a tenth with readers that are slower than the provider:
 * memory stays flat, the provider is held back, each call has its receipt once, nothing is left open or held.
 *
 *     bun run harness:soak [--seconds N] [--streams N] [--seed N]
 */
import { reexecuteAsServer } from '../../src/runtime/process.ts';
import { hasPostgres } from '../harness/postgres.ts';
import { exitOnSignal, flag, report } from './report.ts';
import { runSoakTrial } from './soak-trial.ts';

reexecuteAsServer();
exitOnSignal();
const [seconds, streams, seed] = [flag('seconds', 300), flag('streams', 500), flag('seed', Date.now() % 1_000_000)];
const longestMs = Math.min(60_000, seconds * 200);
const kinds = hasPostgres ? (['embedded', 'postgres'] as const) : (['embedded'] as const);
for (const kind of kinds) {
  const trial = { kind, seed, streams, seconds, longestMs, growthBytes: 48 * 1024 * 1024 };
  report(`soak: ${streams} streams for ${seconds} s, ${kind}, --seed ${seed}`, await runSoakTrial(trial));
}
