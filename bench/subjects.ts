import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { linkApp, openVault, registerApp } from '../test/harness/people.ts';
import { once, requestBytes, type Target } from './load.ts';
import { freePort, pinned, programPath } from './machine.ts';
import { type Upstream } from './upstream.ts';

/** What stands between load and upstream. */
export interface Subject {
  readonly name: string;
  /** Null for the upstream itself. */
  readonly command: { readonly line: readonly string[]; readonly env: Readonly<Record<string, string>> } | null;
  /** One small chat completion, and the same as a stream. */
  readonly chat: Target;
  readonly stream: Target;
  remove(): void;
}

export interface Running {
  /** Milliseconds from the start of the process to its first answered call. */
  readonly firstAnswerMs: number;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** What every subject sends up in the end. Built from parts, so that no scanner takes it for a real one. */
const key = ['sk', 'proj', `${'b'.repeat(40)}T3BlbkFJ${'c'.repeat(40)}`].join('-');
const root = resolve(import.meta.dir, '..');
const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 16 };

/** Starts a subject and waits until it has answered a call, and answered it with the right key. */
export async function start({ name, command, chat }: Subject, upstream: Upstream): Promise<Running> {
  const startedAt = performance.now();
  const child =
    command === null
      ? undefined
      : Bun.spawn(pinned(command.line), {
          env: { ...environment(), ...command.env },
          stdout: Bun.file('/dev/null'),
          stderr: 'ignore',
        });
  while ((await once(chat)) === undefined) {
    if (child !== undefined && child.exitCode !== null)
      throw new Error(`${name} ended by itself; its command: ${command?.line.join(' ')}`);
    if (performance.now() - startedAt > 60_000) throw new Error(`${name} did not answer a call.`);
    await Bun.sleep(2);
  }
  const firstAnswerMs = performance.now() - startedAt;
  if (upstream.lastKey() !== key) throw new Error(`${name} did not send the key.`);
  const stop = async (): Promise<void> => {
    child?.kill('SIGTERM');
    await child?.exited;
  };
  return { firstAnswerMs, pid: child?.pid, stop };
}

/** Settings of the shell that runs the bench are none of the subjects'. */
function environment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR'].map((name) => [name, process.env[name] ?? '']);
  return { ...Object.fromEntries(kept), NODE_ENV: 'production' };
}

function targets(
  port: number,
  path: string,
  headers: readonly Record<string, string>[],
): Pick<Subject, 'chat' | 'stream'> {
  const target = (sent: object): Target => ({ port, requests: headers.map((each) => requestBytes(path, each, sent)) });
  return { chat: target(body), stream: target({ ...body, stream: true }) };
}

export function direct(upstream: Upstream): Subject {
  const headers = [{ authorization: `Bearer ${key}` }];
  return { name: 'direct', command: null, ...targets(upstream.port, '/v1/chat/completions', headers), remove() {} };
}

/** A reverse proxy that puts a key in and does nothing else: what any proxy costs. */
export function nginx(upstream: Upstream): Subject {
  const folder = mkdtempSync(join(tmpdir(), 'keypass-bench-nginx-'));
  const [file, port] = [join(folder, 'nginx.conf'), freePort()];
  writeFileSync(
    file,
    `worker_processes 1;
daemon off;
pid ${folder}/pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream provider {
    server 127.0.0.1:${upstream.port};
    keepalive 512;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer ${key}";
    }
  }
}
`,
  );
  return {
    name: 'nginx',
    command: { line: [programPath('nginx', 'apt-get install nginx-light'), '-c', file, '-e', 'stderr'], env: {} },
    ...targets(port, '/v1/chat/completions', [{ authorization: 'Bearer of-the-client' }]),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** KeyPass with everything on, as the binary that people run; `databaseUrl` null means the embedded database. */
export async function keypass(name: string, upstream: Upstream, databaseUrl: string | null, connections: number) {
  const folder = mkdtempSync(join(tmpdir(), 'keypass-bench-'));
  const port = freePort();
  const env = {
    PORT: String(port),
    KEYPASS_DATA: folder,
    KEYPASS_OPENAI_BASE_URL: `http://127.0.0.1:${upstream.port}`,
    KEYPASS_SHUTDOWN_GRACE_SECONDS: '1',
    ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
  };
  const command = { line: [join(root, 'dist/keypass'), 'serve'], env };
  const tokens = await connect(command, port, connections);
  const all = tokens.map((token) => ({ authorization: `Bearer ${token}` }));
  const path = '/openai/v1/chat/completions';
  const subject: Subject = {
    name,
    command,
    ...targets(port, path, all.slice(0, 1)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  return { subject, manyConnections: targets(port, path, all).chat };
}

/** The whole way of a person: an account, a key, and an app that is approved; all by the SDKs. */
async function connect(command: NonNullable<Subject['command']>, port: number, count: number): Promise<string[]> {
  const url = `http://localhost:${port}`;
  const child = Bun.spawn(pinned(command.line), {
    env: { ...environment(), ...command.env },
    stdout: Bun.file('/dev/null'),
    stderr: 'inherit',
  });
  try {
    while (!(await isReady(url))) {
      if (child.exitCode !== null) throw new Error('KeyPass ended by itself.');
      await Bun.sleep(50);
    }
    const { vault, token } = await openVault({ url });
    await vault.keys.add({ provider: 'openai', secret: key });
    const app = await registerApp({ url }, token);
    const tokens: string[] = [];
    while (tokens.length < count) tokens.push((await linkApp(vault, app, { budgetCents: 100_000_000 })).accessToken);
    return tokens;
  } finally {
    child.kill('SIGTERM');
    await child.exited;
  }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** The gateway that is compared most often, told by its headers where to go and with which key. */
export function portkey(runtime: 'bun' | 'node', upstream: Upstream): Subject {
  const folder = join(import.meta.dir, 'portkey');
  const script = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  if (!existsSync(script)) {
    const install = ['install', '--frozen-lockfile', '--ignore-scripts'];
    const { status } = spawnSync(process.execPath, install, { cwd: folder, stdio: 'inherit' });
    if (status !== 0) throw new Error("Portkey's gateway could not be installed from bench/portkey.");
  }
  const port = freePort();
  const program = runtime === 'bun' ? process.execPath : programPath('node', 'apt-get install nodejs');
  const headers = {
    authorization: `Bearer ${key}`,
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `http://127.0.0.1:${upstream.port}/v1`,
  };
  return {
    name: `Portkey on ${runtime === 'bun' ? 'Bun' : 'Node.js'}`,
    command: { line: [program, script, `--port=${port}`, '--headless'], env: {} },
    ...targets(port, '/v1/chat/completions', [headers]),
    remove() {},
  };
}
