import { describe, expect, test } from 'bun:test';
import { hasPostgres, postgresHint } from '../harness/postgres.ts';
import { runCutTrial } from './cut-trial.ts';
import { summaryOf } from './report.ts';

/** `bun test/trials/cut.ts` in small, without its clock. */
async function expectCuts(kind: 'embedded' | 'postgres'): Promise<void> {
  const { faults, figures } = await runCutTrial({ kind, streams: 2, rounds: 1, goalMs: null });
  expect(summaryOf(faults)).toEqual([]);
  expect(Object.keys(figures)).toHaveLength(6);
}

describe('streams end with what their connection needs', () => {
  test('on the only instance', () => expectCuts('embedded'));

  const isSkipped = !hasPostgres && process.env['CI'] === undefined;
  const name = 'on each of two instances';
  test.skipIf(isSkipped)(isSkipped ? `${name} (${postgresHint})` : name, () => expectCuts('postgres'));
});
