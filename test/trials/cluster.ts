import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import postgres from 'postgres';
import { freePort } from '../harness/process.ts';

const binaries = findBinaries();

/** Whether there is a PostgreSQL to start, kill and start again. */
export const hasServerBinaries = binaries !== null;

function findBinaries(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const onPath = (process.env['PATH'] ?? '').split(delimiter);
  const folders = [...versions.map((version) => join(debian, version, 'bin')), ...onPath];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres'))) ?? null;
}

/** PostgreSQL refuses to run as root: then it runs as its package's user, or as nobody. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = ['postgres:', 'nobody:'].map((name) => users.find((user) => user.startsWith(name))).find(Boolean);
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error('no user to run PostgreSQL as');
  return { uid: Number(uid), gid: Number(gid) };
}

/**
 * What the server has acknowledged it has written: to the kernel, which outlives every process that is killed here, and
 * not to the disk.
 */
const settings = ['-c', 'fsync=off', '-c', 'max_connections=200'];

/** Ends the server and takes its folder away when this process is gone, however it went. */
const afterwards = `
  while [ -d "/proc/$1" ] || ps -p "$1" > /dev/null 2>&1; do sleep 1; done
  kill -INT "$(head -n 1 "$0/data/postmaster.pid")" 2> /dev/null; sleep 2; rm -rf "$0"`;

/** A PostgreSQL server of the trial's own, which is killed without warning and started again on the same data. */
export class Cluster {
  readonly url: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'keypass-cluster-'));
  readonly #port = freePort();
  readonly #user = unprivilegedUser();
  #postmaster: ChildProcess | undefined;

  constructor() {
    this.url = `postgres://postgres@127.0.0.1:${this.#port}/postgres`;
    const folder = this.#folder;
    if (this.#user !== undefined) chownSync(folder, this.#user.uid, this.#user.gid);
    const initdb = ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '-N'];
    const { status, stderr } = spawnSync(this.#binary('initdb'), initdb, { cwd: folder, ...this.#user });
    if (status !== 0) throw new Error(`initdb failed: ${stderr.toString()}`);
    const watch = ['-c', afterwards, folder, String(process.pid)];
    spawn('/bin/sh', watch, { detached: true, stdio: 'ignore' }).unref();
  }

  /** Resolves when the server takes connections. */
  async start(): Promise<void> {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
      // It refuses to start while a process of its last life is not gone.
      if (this.#postmaster === undefined || this.#postmaster.exitCode !== null) this.#postmaster = this.#spawn();
      if (await this.#answers()) return;
      await Bun.sleep(50);
    }
    throw new Error('the trial PostgreSQL did not come up');
  }

  /** Kills every process of the server at once, and resolves when none is left. */
  async kill(): Promise<void> {
    const postmaster = this.#postmaster;
    if (postmaster?.pid === undefined) return;
    const children = childrenOf(postmaster.pid);
    const ended = new Promise((done) => postmaster.once('exit', done));
    postmaster.kill('SIGKILL');
    for (const pid of children) tryKill(pid);
    await ended;
    while (children.some(isAlive)) await Bun.sleep(5);
    this.#postmaster = undefined;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #spawn(): ChildProcess {
    const address = ['-k', this.#folder, '-p', String(this.#port), '-h', '127.0.0.1'];
    const args = ['-D', join(this.#folder, 'data'), ...address, ...settings];
    return spawn(this.#binary('postgres'), args, { cwd: this.#folder, stdio: 'ignore', ...this.#user });
  }

  #binary(name: string): string {
    if (binaries === null) throw new Error('PostgreSQL was not found');
    return join(binaries, name);
  }

  async #answers(): Promise<boolean> {
    const sql = postgres(this.url, { max: 1, onnotice: () => {}, fetch_types: false, connect_timeout: 5 });
    try {
      await sql`select 1`;
      return true;
    } catch {
      return false;
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}

/** The processes that a process has started; none where the system does not show them, and they end by themselves. */
function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path) ? readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number) : [];
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was gone already.
  }
}

/** A process that nobody has reaped yet is dead too. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
