import { expect, test } from 'bun:test';
import { runAbortTrial } from './abort-trial.ts';

test('streams of each API, ended early at some of their events: flagged, and counted as a tokenizer counts them', async () => {
  const { faults, figures } = await runAbortTrial({ kind: 'embedded', points: 'few', goalMs: null });
  expect(faults).toEqual([]);
  expect(figures['all']).toStartWith('56 aborts');
}, 120_000);
