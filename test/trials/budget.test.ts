import { expect, test } from 'bun:test';
import { hasPostgres, postgresHint } from '../harness/postgres.ts';
import { runBudgetTrial } from './budget-trial.ts';
import { summaryOf } from './report.ts';

const isSkipped = !hasPostgres && process.env['CI'] === undefined;
const name = 'two processes spend a budget to its end, not above it, and book what each call cost';

/** `bun run harness:budget` in small. */
test.skipIf(isSkipped)(isSkipped ? `${name} (${postgresHint})` : name, async () => {
  const trial = { seed: 1, processes: 2, clients: 150, capCents: 20, others: 3, otherCents: 5, limitMs: 50_000 };
  const { faults, figures } = await runBudgetTrial(trial);
  expect(summaryOf(faults)).toEqual([]);
  expect(Number(figures['calls granted'])).toBeGreaterThan(50);
});
