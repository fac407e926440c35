/**
 * Runs every test, says what was skipped, and ends with one line: `N passed, N failed`.
 * Arguments are handed to `bun test`, so that `bun run test src/crypto` runs a part.
 */
import { spawn } from 'node:child_process';

const counts = { pass: 0, fail: 0, skip: 0 };
const failures = new Set<string>();
/** Bun's five seconds are short for a browser or a database server on a busy machine. */
const timeoutMs = 60_000;
const child = spawn(process.execPath, ['test', `--timeout=${timeoutMs}`, ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'pipe'],
  env: { ...process.env, NODE_ENV: 'test', BUN_CONFIG_MAX_HTTP_REQUESTS: '65535' },
});

let rest = '';
child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
  process.stderr.write(chunk);
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) read(line);
});

/** Bun prints its own summary to standard error, one count a line. */
function read(line: string): void {
  const plain = stripColours(line);
  const [, count = '', kind = ''] = /^\s*(\d+) (pass|fail|skip)$/.exec(plain) ?? [];
  if (kind === 'pass' || kind === 'fail' || kind === 'skip') counts[kind] = Number(count);
  if (plain.startsWith('(fail)')) failures.add(plain);
}

function stripColours(line: string): string {
  return Bun.stripANSI(line);
}

child.on('close', (code) => {
  const { pass, fail, skip } = counts;
  const isBroken = code !== 0 && fail === 0;
  for (const failure of failures) console.log(failure);
  if (isBroken) console.log(`bun test ended with ${code} before it had counted everything`);
  const failed = fail + (isBroken ? 1 : 0);
  console.log(`${pass} passed, ${failed} failed${skip > 0 ? `, ${skip} skipped` : ''}`);
  const isIncomplete = process.env['CI'] !== undefined && skip > 0;
  if (isIncomplete) console.error('In CI nothing may be skipped.');
  process.exit(failed > 0 || isIncomplete ? 1 : 0);
});
