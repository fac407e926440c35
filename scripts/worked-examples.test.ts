import { expect, test } from 'bun:test';
import { usageFixtures } from '../src/money/fixtures/index.ts';
import { readWorkedExamples, workedExamples } from './worked-examples.ts';

test('the worked examples are the fixtures; else run: bun scripts/worked-examples.ts', async () => {
  const page = await readWorkedExamples();
  expect(page).toBe(workedExamples());
  for (const { arithmetic, cost, page: source } of usageFixtures) {
    expect(page).toContain(`[${arithmetic}](${source}) | ${cost} |`);
  }
  expect(usageFixtures.length).toBeGreaterThan(40);
});
