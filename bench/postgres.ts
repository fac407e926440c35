import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort, programPath } from './machine.ts';

export interface PostgresServer {
  readonly url: string;
  readonly pid: number;
  readonly version: string;
  stop(): void;
}

/**
 * A PostgreSQL of the bench's own with the settings that it comes with, fsync and synchronous commits among them: what a
 * hold costs includes writing it to the disk.
 */
export function startPostgres(): PostgresServer {
  const binaries = join(programPath('initdb', 'apt-get install postgresql', serverPath()), '..');
  const folder = mkdtempSync(join(tmpdir(), 'keypass-bench-postgres-'));
  const data = join(folder, 'data');
  const user = unprivilegedUser();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const run = (program: string, ...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(join(binaries, program), args, {
      cwd: folder,
      ...user,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${program}: ${stderr}${stdout}`);
    return stdout;
  };
  const port = freePort();
  run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale');
  const options = `-k ${folder} -h 127.0.0.1 -p ${port} -c max_connections=200`;
  run('pg_ctl', '-D', data, '-w', '-l', join(folder, 'log'), '-o', options, 'start');
  const [pid] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n').map(Number);
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    pid: pid ?? 0,
    version: run('postgres', '--version').replace(/^.*?(\d[\d.]*).*\n$/, 'PostgreSQL $1'),
    stop() {
      run('pg_ctl', '-D', data, '-w', '-m', 'fast', 'stop');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Debian keeps the servers' programs off the PATH. */
function serverPath(): string {
  const debian = '/usr/lib/postgresql';
  const versions = spawnSync('test', ['-d', debian]).status === 0 ? readdirSync(debian) : [];
  const folders = versions.toSorted((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, 'bin'));
  return [...folders, process.env['PATH'] ?? ''].join(delimiter);
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => /^(postgres|nobody):/.test(entry));
  const [, , uid, gid] = (line ?? '').split(':').map(Number);
  if (uid === undefined || gid === undefined) throw new Error('There is no user postgres to run PostgreSQL as.');
  return { uid, gid };
}
