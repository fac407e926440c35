import { expect, test } from 'bun:test';
import { postgresHint } from '../harness/postgres.ts';
import { hasServerBinaries } from './cluster.ts';
import { runCrashTrial } from './crash-trial.ts';
import { runEmbeddedTrial } from './embedded-trial.ts';
import { summaryOf } from './report.ts';

const isSkipped = !hasServerBinaries && process.env['CI'] === undefined;
const name = 'killed instances and a killed PostgreSQL lose no call and book none twice';
/** A seed that kills the database last: what it kept from being booked is for instances that live to book later. */
const small = { seed: 4, workers: 30, calmMs: 700 };

/** `bun run harness:crash` in small. */
test.skipIf(isSkipped)(isSkipped ? `${name} (${postgresHint})` : name, async () => {
  const { faults, figures } = await runCrashTrial({
    ...small,
    processes: 2,
    kills: 2,
    databaseKills: 1,
    sweeps: false,
  });
  expect(summaryOf(faults)).toEqual([]);
  expect(Number(figures['calls that arrived'])).toBeGreaterThan(50);
});

test('an embedded database whose process is killed has every call once', async () => {
  const { faults, figures } = await runEmbeddedTrial({ ...small, kills: 1 });
  expect(summaryOf(faults)).toEqual([]);
  expect(Number(figures['calls that arrived'])).toBeGreaterThan(20);
});
