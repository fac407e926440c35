/**
 * 1,000 calls at a time against one budget of five dollars, through several processes on one PostgreSQL: nothing above the
 * cap at any observation, nothing refused that fits, and each call booked at what it cost.
 *
 *     bun run harness:budget [--seed N] [--clients N]
 */
import { reexecuteAsServer } from '../../src/runtime/process.ts';
import { runBudgetTrial } from './budget-trial.ts';
import { exitOnSignal, flag, report } from './report.ts';

reexecuteAsServer();
exitOnSignal();
const seed = flag('seed', Date.now() % 1_000_000);
const clients = flag('clients', 1000);
for (const processes of [2, 4]) {
  const trial = { seed, processes, clients, capCents: 500, others: 20, otherCents: 20, limitMs: 180_000 };
  report(`budget: ${clients} calls at a time, ${processes} processes, --seed ${seed}`, await runBudgetTrial(trial));
}
