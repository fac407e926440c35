/**
 * Runs every test, says what was skipped, and ends with one line: `N passed, N failed`.
 * Arguments are handed to `bun test`, so that `bun run test src/crypto` runs a part.
 */
import { spawn } from 'node:child_process';

/** Bun's five seconds are short for a browser or a database server on a busy machine. */
const timeoutMs = 60_000;
/** Public vectors of others, which lie beside the repository or do not. Everything else CI must have. */
const mayBeAbsent = /Wycheproof/;

const counts = { pass: 0, fail: 0, skip: 0 };
const failures = new Set<string>();
const skips = new Set<string>();
const child = spawn(process.execPath, ['test', `--timeout=${timeoutMs}`, ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'pipe'],
  env: { ...process.env, NODE_ENV: 'test', BUN_CONFIG_MAX_HTTP_REQUESTS: '65535' },
});

let rest = '';
child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
  process.stderr.write(chunk);
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) read(Bun.stripANSI(line));
});

/** Bun prints tests and its own summary to standard error, one a line. */
function read(line: string): void {
  const [, count = '', kind = ''] = /^\s*(\d+) (pass|fail|skip)$/.exec(line) ?? [];
  if (kind === 'pass' || kind === 'fail' || kind === 'skip') counts[kind] = Number(count);
  if (line.startsWith('(fail)')) failures.add(line);
  if (line.startsWith('(skip)')) skips.add(line);
}

child.on('close', (code) => {
  const { pass, fail, skip } = counts;
  const isBroken = code !== 0 && fail === 0;
  const isIncomplete = process.env['CI'] !== undefined && [...skips].some((name) => !mayBeAbsent.test(name));
  for (const line of [...skips, ...failures]) console.log(line);
  if (isBroken) console.log(`bun test ended with ${code} before it had counted everything`);
  if (isIncomplete) console.log('In CI nothing may be skipped.');
  const failed = fail + (isBroken ? 1 : 0);
  console.log(`${pass} passed, ${failed} failed${skip > 0 ? `, ${skip} skipped` : ''}`);
  process.exit(failed > 0 || isIncomplete ? 1 : 0);
});
