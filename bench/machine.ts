import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { dependencies } from './portkey/package.json' with { type: 'json' };

/** What is measured runs alone on one core; load, upstream and PostgreSQL share the other. */
const cores = { subject: 0, load: 1 } as const;

/** Everything that this process starts from here on runs on the same core, unless it is told another. */
export function pinSelf(): void {
  const { status } = spawnSync(taskset(), ['-a', '-c', '-p', String(cores.load), String(process.pid)]);
  if (status !== 0) throw new Error('The bench needs two cores.');
}

export function pinned(command: readonly string[]): string[] {
  return [taskset(), '-c', String(cores.subject), ...command];
}

function taskset(): string {
  return programPath('taskset', 'apt-get install util-linux');
}

/** A free loopback port. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

/** A program's path, or what to install. */
export function programPath(name: string, hint: string, path = `${process.env['PATH']}:/usr/sbin:/sbin`): string {
  const found = Bun.which(name, { PATH: path });
  if (found === null) throw new Error(`The bench needs ${name}: ${hint}`);
  return found;
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** User and system time so far, in seconds. */
  readonly cpu: number;
  readonly residentBytes: number;
}

const ticksPerSecond = 100;
const pageBytes = 4096;

/** CPU seconds and resident bytes of a process with its children (proc(5), /proc/pid/stat). */
export function usageOf(pid: number): { cpu: number; residentBytes: number } {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(name));
  const family = stats.filter((stat) => stat.pid === pid || stat.parent === pid);
  return {
    cpu: family.reduce((sum, { cpu }) => sum + cpu, 0),
    residentBytes: family.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
  };
}

function statOf(name: string): Stat[] {
  try {
    const text = readFileSync(`/proc/${name}/stat`, 'latin1');
    // The second field is the program's name in parentheses, and can hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [parent, user, system, pages] = [fields[1], fields[11], fields[12], fields[21]].map(Number);
    return [
      {
        pid: Number(name),
        parent: parent ?? 0,
        cpu: ((user ?? 0) + (system ?? 0)) / ticksPerSecond,
        residentBytes: (pages ?? 0) * pageBytes,
      },
    ];
  } catch {
    // It ended meanwhile.
    return [];
  }
}

/** CPU seconds that all programs of this machine have used (proc(5), /proc/stat). */
export function busySeconds(): number {
  const [total = ''] = readFileSync('/proc/stat', 'latin1').split('\n');
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = total.split(/ +/).map(Number);
  return (user + nice + system + irq + softIrq) / ticksPerSecond;
}

/** What the figures depend on. */
export function conditions(): Record<string, string> {
  const [cpu] = cpus();
  const dirty =
    said('git', 'status', '--porcelain', '--', '../src', '../sql') === '' ? '' : ' with uncommitted changes';
  return {
    Date: new Date().toISOString().slice(0, 10),
    Commit: `${said('git', 'rev-parse', '--short', 'HEAD')}${dirty}`,
    Machine: `${cpu?.model ?? 'unknown'}, ${cpus().length} cores, Linux ${release()}`,
    Versions: [
      `Bun ${Bun.version}`,
      `Node.js ${said('node', '--version').slice(1)}`,
      said(programPath('nginx', 'apt-get install nginx-light'), '-v').replace(/.*nginx\//, 'nginx '),
      `Portkey ${dependencies['@portkey-ai/gateway']}`,
    ].join(', '),
  };
}

function said(command: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(command, args, { cwd: import.meta.dir, encoding: 'utf8' });
  return (stdout || stderr || '').trim();
}
