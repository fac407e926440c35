import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'keypass-process-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = join(folder, 'script.ts');
writeFileSync(
  script,
  `import { commandLine, environment, reexecuteWithFetchLimit, writeLine } from ${JSON.stringify(join(import.meta.dir, 'process.ts'))};
   writeLine('started ' + process.pid);
   reexecuteWithFetchLimit();
   writeLine(JSON.stringify([environment().BUN_CONFIG_MAX_HTTP_REQUESTS, environment().OTHER, commandLine(), process.execArgv]));`,
);

async function run(variables: Record<string, string>): Promise<string[]> {
  const { BUN_CONFIG_MAX_HTTP_REQUESTS: _, ...inherited } = process.env;
  const child = Bun.spawn([process.execPath, '--smol', script, 'serve', 'two words', ''], {
    env: { ...inherited, OTHER: 'kept', ...variables },
    stdout: 'pipe',
  });
  const output = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return output.trim().split('\n');
}

test('the process starts itself again once: same pid, arguments and environment, and the limit', async () => {
  const [first, second, report, ...rest] = await run({});
  expect(first).toMatch(/^started \d+$/);
  expect(second).toBe(first);
  expect(JSON.parse(report ?? '')).toEqual(['65535', 'kept', ['serve', 'two words', ''], ['--smol']]);
  expect(rest).toEqual([]);
});

test("the operator's own limit stays", async () => {
  const [, report, ...rest] = await run({ BUN_CONFIG_MAX_HTTP_REQUESTS: '512' });
  expect(JSON.parse(report ?? '')[0]).toBe('512');
  expect(rest).toEqual([]);
});
