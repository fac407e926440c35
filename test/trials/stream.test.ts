import { expect, test } from 'bun:test';
import { eachDatabase } from '../harness/databases.ts';
import { summaryOf } from './report.ts';
import { runStreamTrial } from './stream-trial.ts';

/** `bun run harness:stream` in small. */
eachDatabase((kind) => {
  test('streams of each API, split at some of their bytes and after every one, come out the same and are booked as stated', async () => {
    const { faults, figures } = await runStreamTrial({ kind, step: 211 });
    expect(summaryOf(faults)).toEqual([]);
    expect(figures['unified']).toStartWith('28 streams, ');
  }, 120_000);
});
