import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'keypass-process-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = join(folder, 'script.ts');
writeFileSync(
  script,
  `import { commandLine, environment, reexecuteAsServer, writeLine } from ${JSON.stringify(join(import.meta.dir, 'process.ts'))};
   writeLine('started ' + process.pid);
   reexecuteAsServer();
   writeLine(JSON.stringify([environment(), commandLine(), process.execArgv]));`,
);

async function run(variables: Record<string, string>): Promise<string[]> {
  const {
    BUN_CONFIG_MAX_HTTP_REQUESTS: _limit,
    MIMALLOC_PURGE_DELAY: _delay,
    BUN_JSC_useConcurrentGC: _gc,
    ...inherited
  } = process.env;
  const child = Bun.spawn([process.execPath, '--smol', script, 'serve', 'two words', ''], {
    env: { ...inherited, OTHER: 'kept', ...variables },
    stdout: 'pipe',
  });
  const output = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return output.trim().split('\n');
}

test('the process starts itself again once: same pid, arguments and environment, and the settings of a server', async () => {
  const [first, second, report, ...rest] = await run({});
  expect(first).toMatch(/^started \d+$/);
  expect(second).toBe(first);
  const settings = {
    BUN_CONFIG_MAX_HTTP_REQUESTS: '65535',
    MIMALLOC_PURGE_DELAY: '10000',
    BUN_JSC_useConcurrentGC: '0',
    OTHER: 'kept',
  };
  expect(JSON.parse(report ?? '')).toEqual([expect.objectContaining(settings), ['serve', 'two words', ''], ['--smol']]);
  expect(rest).toEqual([]);
});

test("the operator's own setting stays, and the others are set beside it", async () => {
  const [, , report, ...rest] = await run({ BUN_CONFIG_MAX_HTTP_REQUESTS: '512' });
  const settings = { BUN_CONFIG_MAX_HTTP_REQUESTS: '512', MIMALLOC_PURGE_DELAY: '10000' };
  expect(JSON.parse(report ?? '')[0]).toMatchObject(settings);
  expect(rest).toEqual([]);
});
