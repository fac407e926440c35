import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import postgres from 'postgres';

/** How to bring what these tests need. */
export const postgresHint =
  'apt-get install postgresql, or set TEST_DATABASE_URL to a server where databases may be created';

const givenUrl = process.env['TEST_DATABASE_URL'];
const binaries = findBinaries();

export const hasPostgres = givenUrl !== undefined || binaries !== null;

/** A new, empty database on the test server, which is started for the first one. */
export async function createPostgresDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  server ??= givenUrl === undefined ? startServer() : Promise.resolve(givenUrl);
  const serverUrl = await server;
  const name = `keypass_test_${randomUUID().replaceAll('-', '')}`;
  await administer(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => administer(serverUrl, `drop database if exists ${name} with (force)`) };
}

let server: Promise<string> | undefined;

async function administer(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, fetch_types: false });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}

function findBinaries(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const onPath = (process.env['PATH'] ?? '').split(delimiter);
  const folders = [...versions.map((version) => join(debian, version, 'bin')), ...onPath];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres'))) ?? null;
}

/** PostgreSQL refuses to run as root: then it runs as its package's user, or as nobody. */
function unprivilegedUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = ['postgres:', 'nobody:'].map((name) => users.find((user) => user.startsWith(name))).find(Boolean);
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined)
    throw new Error('No user to run PostgreSQL as: neither postgres nor nobody.');
  return { uid: Number(uid), gid: Number(gid) };
}

/**
 * Starts the server, and ends it and takes its folder away when this process is gone, however it went. The shell that
 * starts it all ends at once: `bun test` kills the children of a test that took too long. Ctrl-C doesn't reach the rest,
 * since a shell's background jobs ignore it.
 */
const supervisor = `{
  "$0/postgres" -D "$1/data" -k "$1" -p "$2" -h 127.0.0.1 $4 &
  while [ -d "/proc/$3" ] || ps -p "$3"; do sleep 1; done
  kill -INT $!; wait $!; rm -rf "$1"
} > /dev/null 2>&1 &`;

/** What is lost in a crash of the test machine is lost. */
const settings = '-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300';

async function startServer(): Promise<string> {
  if (binaries === null) throw new Error(`PostgreSQL was not found: ${postgresHint}`);
  const user = unprivilegedUser();
  const folder = mkdtempSync(join(tmpdir(), 'keypass-postgres-'));
  if (user !== null) chownSync(folder, user.uid, user.gid);
  const initdbArguments = [
    '-D',
    join(folder, 'data'),
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--no-locale',
    '-N',
  ];
  const options = { cwd: folder, ...user };
  const initdb = spawnSync(join(binaries, 'initdb'), initdbArguments, options);
  if (initdb.status !== 0) throw new Error(`initdb failed: ${initdb.stderr.toString()}`);
  const port = await freePort();
  const supervisorArguments = ['-c', supervisor, binaries, folder, String(port), String(process.pid), settings];
  spawnSync('/bin/sh', supervisorArguments, { ...options, stdio: 'ignore' });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await answers(url);
  return url;
}

async function answers(url: string): Promise<void> {
  const patience = 30_000;
  for (const start = Date.now(); ;) {
    try {
      return await administer(url, 'select 1');
    } catch (error) {
      if (Date.now() - start > patience) throw new Error('The test PostgreSQL did not come up.', { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port.');
  return address.port;
}
