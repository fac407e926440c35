import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dir, '../..');

export interface Finished {
  readonly code: number | null;
  readonly output: string;
}

/** `keypass` from source; the command follows. */
const fromSource: readonly string[] = [process.execPath, join(root, 'src/main.ts')];

/** `keypass` as an operator runs it: in a process of its own, with a data folder of its own. */
export class KeyPassProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'keypass-'));
  readonly port: number;
  readonly url: string;
  readonly #settings: Record<string, string>;
  readonly #program: readonly string[];
  #child: ChildProcess | undefined;
  #output: string[] = [];
  #log: string[] = [];

  constructor(port: number, settings: Record<string, string> = {}, program = fromSource) {
    this.port = port;
    this.url = `http://localhost:${port}`;
    this.#settings = settings;
    this.#program = program;
  }

  /** Runs a command to its end. */
  async run(...args: string[]): Promise<Finished> {
    return this.runWith({}, ...args);
  }

  /** The same with settings of its own. */
  async runWith(settings: Record<string, string>, ...args: string[]): Promise<Finished> {
    const { child, output } = this.#spawn(args, settings);
    const code = await new Promise<number | null>((done) => child.once('close', done));
    return { code, output: output.join('') };
  }

  /** Starts the server and waits until it answers. Throws what it said when it ended instead. */
  async start(): Promise<void> {
    const { child, output, log } = this.#spawn(['serve']);
    this.#child = child;
    this.#output = output;
    this.#log = log;
    for (let attempt = 0; attempt < 300; attempt += 1) {
      if (child.exitCode !== null) throw new Error(output.join(''));
      if (await isHealthy(this.url)) return;
      await Bun.sleep(50);
    }
    throw new Error('the server did not become healthy');
  }

  /** Of the running server; 0 while there is none. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** What the running server has written so far. */
  get output(): string {
    return this.#output.join('');
  }

  /** The part of it that went to standard output, line by line. */
  get log(): string[] {
    return this.#log.join('').trimEnd().split('\n');
  }

  /** Sends the running server the signal to read again what can change. */
  hangUp(): void {
    this.#child?.kill('SIGHUP');
  }

  /** Ends the server as an operator would, and answers its exit code. */
  async stop(signal: 'SIGTERM' | 'SIGHUP' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>((done) => child.once('close', done));
    child.kill(signal);
    return ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(args: string[], settings: Record<string, string> = {}) {
    // The tests' own limit of concurrent fetches: an operator has none, and the server sets it for itself.
    const { BUN_CONFIG_MAX_HTTP_REQUESTS: _, ...inherited } = process.env;
    const env = { ...inherited, PORT: String(this.port), KEYPASS_DATA: this.folder, ...this.#settings, ...settings };
    const [program = '', ...first] = this.#program;
    const child = spawn(program, [...first, ...args], {
      cwd: this.folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: string[] = [];
    const log: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    child.stdout.on('data', (chunk: Buffer) => log.push(chunk.toString()));
    return { child, output, log };
  }
}

async function isHealthy(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const probe = Bun.serve({ port: 0, hostname: 'localhost', fetch: () => new Response() });
  const { port } = probe;
  void probe.stop(true);
  if (port === undefined) throw new Error('no free port');
  return port;
}
