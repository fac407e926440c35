/**
 * Kills instances and their PostgreSQL without warning while calls run, and then the only instance of an embedded
 * database: each call that reached the provider is in the ledger once, settled or flagged, and no budget is overdrawn.
 *
 *     bun run harness:crash [--seed N] [--rounds N]
 */
import { reexecuteAsServer } from '../../src/runtime/process.ts';
import { runCrashTrial } from './crash-trial.ts';
import { runEmbeddedTrial } from './embedded-trial.ts';
import { exitOnSignal, flag, report } from './report.ts';

reexecuteAsServer();
exitOnSignal();
const seed = flag('seed', Date.now() % 1_000_000);
const rounds = flag('rounds', 20);
const title = `--seed ${seed} --rounds ${rounds}`;
const common = { seed, workers: 80, calmMs: 3000, sweeps: true };
const databaseKills = Math.ceil(rounds / 4);
report(`crash: ${title}`, await runCrashTrial({ ...common, processes: 3, kills: rounds, databaseKills }));
report(`crash, embedded: ${title}`, await runEmbeddedTrial({ ...common, kills: Math.ceil(rounds / 4) }));
