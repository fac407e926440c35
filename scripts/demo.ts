/**
 * KeyPass with everything around it on this machine: the server with an empty vault, stand-ins for the providers, and
 * an app that asks for keys (examples/chat). Nothing leaves the machine, and nothing is left when it stops.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Vault } from '../sdk/vault/src/index.ts';
import { type Providers, type RecordedRequest, standIns, startProviders } from '../test/harness/providers.ts';

const root = join(import.meta.dir, '..');

interface Developer {
  readonly email: string;
  readonly password: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Undoes what the demo has started, the last first. */
const cleanups: (() => unknown)[] = [];
const stopping = new AbortController();

async function main(): Promise<void> {
  const keypassPort = await freePort('PORT', 8787);
  const chatPort = await freePort('CHAT_PORT', 3000);
  const keypassUrl = `http://localhost:${keypassPort}`;
  const chatUrl = `http://localhost:${chatPort}`;

  print('Starting KeyPass, stand-ins for the providers, and the chat app …');
  const folder = mkdtempSync(join(tmpdir(), 'keypass-demo-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const providers = await startProviders({ pace: { ttft: 400, tps: 9 }, onRequest: printCall });
  cleanups.push(() => providers.stop());

  const keypass = keypassEnvironment(keypassPort, folder, providers);
  start('KeyPass', ['src/main.ts', 'serve'], keypass, folder);
  await untilReady(`${keypassUrl}/readyz`);
  const developer = await registerApp(keypassUrl, chatUrl);
  start('The chat app', ['examples/chat/server.ts'], chatEnvironment(chatPort, keypassUrl, developer), folder);
  await untilReady(chatUrl);
  print(banner(keypassUrl, chatUrl, developer));
}

/** The port of a variable, or the usual one, after making sure that nothing listens there. */
async function freePort(variable: string, usual: number): Promise<number> {
  const port = Number(process.env[variable] ?? usual);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`${variable}: expected a port, a number from 1 to 65535.`);
  }
  try {
    await Bun.serve({ port, hostname: 'localhost', fetch: () => new Response() }).stop(true);
    return port;
  } catch {
    throw new Error(
      `Port ${port} is taken. Stop what listens there, or choose another: ${variable}=${port + 1} bun run demo`,
    );
  }
}

function keypassEnvironment(port: number, folder: string, { origins }: Providers): Record<string, string> {
  return {
    PORT: String(port),
    KEYPASS_DATA: folder,
    KEYPASS_SHUTDOWN_GRACE_SECONDS: '1',
    ...Object.fromEntries(standIns.map((id) => [`KEYPASS_${id.toUpperCase()}_BASE_URL`, origins[id]])),
  };
}

function chatEnvironment(port: number, keypassUrl: string, developer: Developer): Record<string, string> {
  return {
    PORT: String(port),
    KEYPASS_URL: keypassUrl,
    KEYPASS_CLIENT_ID: developer.clientId,
    KEYPASS_CLIENT_SECRET: developer.clientSecret,
  };
}

/** What the chat app's developer does once, in the console. */
async function registerApp(keypassUrl: string, chatUrl: string): Promise<Developer> {
  const email = 'developer@wren.example';
  const password = randomUUID();
  const { vault } = await Vault.register({ baseUrl: keypassUrl, email, password });
  const app = await vault.apps.create({ name: 'Wren', allowedOrigins: [chatUrl] });
  await vault.logout();
  return { email, password, ...app };
}

/** A child that knows only the settings given: those of a real KeyPass on this machine are none of the demo's. */
function start(name: string, [script = '', ...args]: string[], settings: Record<string, string>, cwd: string): void {
  const foreign = /^(KEYPASS_.*|DATABASE_URL|HOST|PORT|APP_ORIGIN)$/;
  const inherited = Object.entries(process.env).filter(([variable]) => !foreign.test(variable));
  const child = Bun.spawn([process.execPath, join(root, script), ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...settings },
    stdio: ['ignore', 'ignore', 'inherit'],
    onExit(_child, code) {
      fail(new Error(`${name} ended with ${code}; what it said stands above.`));
    },
  });
  cleanups.push(async () => {
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await child.exited;
    clearTimeout(patience);
  });
}

async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    stopping.signal.throwIfAborted();
    if (response?.ok === true) return;
    if (Date.now() > deadline) throw new Error(`${url} is not ready after a minute.`);
    await Bun.sleep(50);
  }
}

async function stop(code: number): Promise<void> {
  if (stopping.signal.aborted) return;
  stopping.abort();
  for (const cleanup of cleanups.toReversed()) await cleanup();
  process.exit(code);
}

function fail(error: Error): void {
  if (stopping.signal.aborted) return;
  process.stderr.write(`${error.message}\n`);
  void stop(1);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What a provider saw. The key is one of the fake ones below, yet only its ends are shown: that is the habit. */
function printCall({ provider, method, path, headers }: RecordedRequest): void {
  const key = headers.get('x-api-key') ?? headers.get('x-goog-api-key') ?? headers.get('authorization') ?? '';
  const bare = key.replace(/^Bearer /, '');
  print(`  ${provider.padEnd(10)} ${method} ${path}  with the key ${bare.slice(0, 11)}…${bare.slice(-4)}`);
}

/** In each provider's form, so that pasting one is recognised; in parts, so that no scanner of this file rings. */
const fakeKeys = {
  OpenAI: ['sk-proj-', 'demo'.repeat(5), 'T3Blbk', 'FJ', 'demo'.repeat(5)].join(''),
  Anthropic: ['sk-ant-', 'api03-', 'demo'.repeat(23), '-', 'AA'].join(''),
  Google: ['AI', 'za', 'demo'.repeat(8), 'key'].join(''),
  Groq: ['gs', 'k_', 'demo'.repeat(13)].join(''),
};

function banner(keypassUrl: string, chatUrl: string, { email, password }: Developer): string {
  const keys = Object.entries(fakeKeys).map(([name, key]) => `     ${name.padEnd(10)} ${key}`);
  return `
  KeyPass demo: everything runs here, the keys and the AI are make-believe, the rest is real.

  1  Open ${chatUrl} and click “Connect your AI keys”.
  2  Create your account in the KeyPass window, and paste any of these fake keys where it asks for one.
     It will point out that calls go to this machine and not to the provider, which is so.

${keys.join('\n')}

  3  Approve $10 a month, and chat.
  4  Open ${keypassUrl}/vault: every cent, and the button that cuts the app off.

  The app's developer: ${keypassUrl}/console, as ${email} with the password ${password}

  All data is in a temporary folder: Ctrl-C stops everything and removes it, the next demo begins anew.
  Below: what arrives at the providers.
`;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0));
main().catch(fail);
