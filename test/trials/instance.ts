import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../harness/process.ts';
import type { Fault } from './faults.ts';

const main = resolve(import.meta.dir, '../../src/main.ts');

/** Settings of a real KeyPass on this machine are none of a trial's; and an operator does not limit `fetch`. */
const foreign = /^(KEYPASS_.*|DATABASE_URL|HOST|PORT|BUN_CONFIG_MAX_HTTP_REQUESTS)$/;

/** `keypass serve` in a process of its own, to be killed and started again on the same port and folder. */
export class Instance {
  readonly folder = mkdtempSync(join(tmpdir(), 'keypass-trial-'));
  readonly port = freePort();
  readonly url = `http://localhost:${this.port}`;
  /** Which life this is: a kill ends one. */
  life = 0;
  isUp = false;
  /** Faults that it logged, by event and code. */
  readonly logged = new Map<string, number>();
  /** Ends that nobody ordered, with what was said last. */
  readonly deaths: string[] = [];
  readonly #settings: Record<string, string>;
  #child: ChildProcess | undefined;

  constructor(settings: Record<string, string>) {
    this.#settings = settings;
    process.on('exit', this.#vanish);
  }

  /** Resolves when the instance is ready; throws what it said if it ends instead. */
  async start(): Promise<void> {
    const inherited = Object.entries(process.env).filter(([name]) => !foreign.test(name));
    const env = { ...Object.fromEntries(inherited), PORT: String(this.port), KEYPASS_DATA: this.folder };
    const child = spawn(process.execPath, [main, 'serve'], {
      cwd: this.folder,
      env: { ...env, KEYPASS_SHUTDOWN_GRACE_SECONDS: '5', ...this.#settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => this.#hear(said, data));
    child.once('exit', (code, signal) => {
      if (this.#child === child) this.deaths.push(`ended with ${code ?? signal}: ${said.slice(-5).join('')}`);
      this.isUp = false;
    });
    for (const deadline = Date.now() + 60_000; !(await this.isReady());) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`no start: ${said.join('')}`);
      await Bun.sleep(20);
    }
    this.isUp = true;
  }

  /** Of the process of this life. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async isReady(): Promise<boolean> {
    return fetch(`${this.url}/readyz`, { keepalive: false }).then(
      (response) => response.ok,
      () => false,
    );
  }

  /** Ends this life at once, as a crash does, or as an operator would. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    this.isUp = false;
    if (child === undefined || child.exitCode !== null) return;
    if (signal === 'SIGKILL') this.life += 1;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await ended;
  }

  async remove(): Promise<void> {
    await this.end('SIGKILL');
    process.off('exit', this.#vanish);
    this.#vanish();
  }

  /** Leaves nothing behind when the trial itself is ended in its middle. */
  readonly #vanish = (): void => {
    this.#child?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  };

  #hear(said: string[], data: Buffer): void {
    const text = data.toString();
    said.push(text);
    if (said.length > 50) said.shift();
    for (const [, event = '', rest = ''] of text.matchAll(/"level":"error","event":"(\w+)"(.*)/g)) {
      const code = /"(?:errorC|c)ode":"(\w+)"/.exec(rest)?.[1] ?? '';
      // What the provider answered, or broke off, is no fault here.
      if (event === 'request' && (code === '' || code === 'provider_unreachable')) continue;
      const name = `${event} ${code}`.trim();
      this.logged.set(name, (this.logged.get(name) ?? 0) + 1);
    }
  }
}

/** Instances that ended although nobody had ended them. */
export function deathsOf(instances: readonly Instance[]): Fault[] {
  const said = instances.flatMap(({ deaths }) => deaths);
  return said.map((detail) => ({ rule: 'an instance ended by itself', detail }));
}

/** The faults that several instances logged, together. */
export function loggedBy(instances: readonly Instance[]): string {
  const counts = new Map<string, number>();
  for (const { logged } of instances)
    for (const [name, count] of logged) counts.set(name, (counts.get(name) ?? 0) + count);
  return [...counts].map(([name, count]) => `${name} ×${count}`).join(', ') || 'none';
}
