import { expect, test } from 'bun:test';
import { eachDatabase } from '../harness/databases.ts';
import { runAttackTrial } from './attack-trial.ts';
import { summaryOf } from './report.ts';

/** `bun run harness:attack`, on PostgreSQL in small. */
eachDatabase((kind) => {
  test('no attack reaches a provider that should not, and no secret is found anywhere', async () => {
    const { faults, figures } = await runAttackTrial({ kind, step: kind === 'embedded' ? 1 : 5 });
    expect(summaryOf(faults)).toEqual([]);
    expect(Number(figures['all cases'])).toBeGreaterThan(kind === 'embedded' ? 2_900 : 550);
  }, 120_000);
});
