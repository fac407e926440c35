import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { Vault } from '../sdk/vault/src/index.ts';
import { call, chatPath, openVault } from './harness/people.ts';
import { freePort, KeyPassProcess } from './harness/process.ts';
import { delta, done, plain, stop, usageEvent } from './harness/streams.ts';
import { chunk, eventStreamHead, type RawExchange, type RawUpstream, startRawUpstream } from './harness/upstream.ts';

/** More than Bun runs at a time unless it is told otherwise when it starts. */
const concurrentCalls = 300;
const secret = `sk-proj-${'b'.repeat(40)}`;

const folder = mkdtempSync(join(tmpdir(), 'keypass-binary-'));
const binary = join(folder, 'keypass');
const upstreams: RawUpstream[] = [];
const processes: KeyPassProcess[] = [];

beforeAll(async () => {
  const script = resolve(import.meta.dir, '../scripts/build-binary.ts');
  const build = Bun.spawn([process.execPath, script, binary], { stdout: 'ignore', stderr: 'pipe' });
  const said = await new Response(build.stderr).text();
  if ((await build.exited) !== 0) throw new Error(`the build failed:\n${said}`);
}, 120_000);

afterAll(async () => {
  await Promise.all(processes.map((keypass) => keypass.remove()));
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** The executable by itself, with nothing of the repository around it. */
function newProcess(settings: Record<string, string> = {}): KeyPassProcess {
  const keypass = new KeyPassProcess(freePort(), settings, [binary]);
  processes.push(keypass);
  return keypass;
}

async function newUpstream(respond: (exchange: RawExchange) => unknown): Promise<RawUpstream> {
  const upstream = await startRawUpstream(respond);
  upstreams.push(upstream);
  return upstream;
}

async function newConnection(vault: Vault) {
  await vault.keys.add({ provider: 'openai', secret });
  return vault.connections.create({ name: 'tool', providers: ['openai'], budgetCents: 10_000 });
}

describe('the command line', () => {
  test('lies alone in its folder', () => {
    expect(readdirSync(folder)).toEqual(['keypass']);
  });

  test('--help, --version and config tell, an unknown command is refused', async () => {
    const keypass = newProcess({ DATABASE_URL: 'postgres://ada:secret@db.example/keypass' });
    const manifest: { version: string } = JSON.parse(readFileSync(resolve(import.meta.dir, '../package.json'), 'utf8'));
    expect(await keypass.run('--help')).toEqual({ code: 0, output: expect.stringContaining('Usage: keypass') });
    expect(await keypass.run('--version')).toEqual({ code: 0, output: `${manifest.version}\n` });
    for (const unknown of ['frobnicate', 'constructor']) expect((await keypass.run(unknown)).code).toBe(2);
    const { code, output } = await keypass.run('config');
    expect([code, output]).toEqual([0, expect.stringContaining(`PORT=${keypass.port}\n`)]);
    expect(output).toContain('ada:***@');
    expect(output).not.toContain('secret@');
  });

  test('every fault of the settings is told at once', async () => {
    const { code, output } = await newProcess({ KEYPASS_REGISTRATION: 'maybe', KEYPASS_PROT: '1' }).run('serve');
    expect(code).toBe(2);
    expect(output).toContain('KEYPASS_REGISTRATION: expected');
    expect(output).toContain('KEYPASS_PROT: no such setting');
  });
});

describe('the server', () => {
  const keypass = newProcess();
  const person = { baseUrl: keypass.url, email: 'ada@example.com', password: 'a long password' };
  let keyId: string;

  beforeAll(() => keypass.start());

  test('has the pages and the SDK inside', async () => {
    for (const path of ['/', '/vault', '/link', '/console']) {
      const html = await (await fetch(keypass.url + path)).text();
      const assets = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, asset]) => asset);
      expect(assets.length).toBeGreaterThan(2);
      for (const asset of assets) expect((await fetch(keypass.url + asset)).status).toBe(200);
    }
    const sdk = await fetch(`${keypass.url}/sdk/link.js`, { headers: { origin: 'https://app.example' } });
    expect(sdk.headers.get('access-control-allow-origin')).toBe('*');
    expect(sdk.headers.get('content-type')).toStartWith('text/javascript');
    expect(await sdk.text()).toContain('KeyPass');
    const script = await fetch(`${keypass.url}/sdk/link.js`);
    expect(script.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
  });

  test('takes an account and a key, and has them after a restart', async () => {
    const { vault } = await Vault.register(person);
    keyId = (await vault.keys.add({ provider: 'openai', secret })).id;
    expect(await keypass.run('health')).toEqual({ code: 0, output: '' });
    expect(await keypass.stop()).toBe(0);
    expect((await keypass.run('health')).code).toBe(1);
    await keypass.start();
    const again = await Vault.unlock(person);
    expect(await again.keys.reveal(keyId)).toBe(secret);
  });

  test('refuses a second process on its folder, and goes on itself', async () => {
    expect((await keypass.run('serve')).output).toContain('Set PORT to a free one');
    const { code, output } = await keypass.runWith({ PORT: String(freePort()) }, 'serve');
    expect(code).toBe(1);
    expect(output).toContain(`The data folder ${keypass.folder} is in use by process`);
    expect(await (await fetch(`${keypass.url}/readyz`)).json()).toEqual({ status: 'ok' });
  });

  test('refuses a pepper that is missing, readable by others, or not random', async () => {
    await keypass.stop();
    const pepperFile = join(keypass.folder, 'pepper.json');
    const pepper = readFileSync(pepperFile, 'utf8');
    const refusal = async () => {
      const { code, output } = await keypass.run('serve');
      expect(code).toBe(1);
      return output;
    };
    chmodSync(pepperFile, 0o644);
    expect(await refusal()).toContain(`chmod 600 ${pepperFile}`);
    chmodSync(pepperFile, 0o600);
    writeFileSync(pepperFile, pepper.replaceAll(/[\w-]{43}/g, 'A'.repeat(43)));
    expect(await refusal()).toMatch(/random/);
    rmSync(pepperFile);
    expect(await refusal()).toContain('Restore the file');
    expect(existsSync(pepperFile)).toBe(false);
  });
});

test('a stream that runs ends after SIGTERM, whole and booked, and the exit code is 0', async () => {
  const arrived = Promise.withResolvers<RawExchange>();
  const upstream = await newUpstream(arrived.resolve);
  const keypass = newProcess({ KEYPASS_OPENAI_BASE_URL: upstream.origin });
  await keypass.start();
  const { vault } = await openVault(keypass);
  const { id, accessToken } = await newConnection(vault);

  const [exchange, response] = await Promise.all([firstPart(arrived.promise), ask(keypass, accessToken)]);
  const stopped = keypass.stop();
  await untilRefused(keypass.url);
  await exchange.write(Buffer.concat([chunk(delta('🙂 "usage":null') + stop() + usageEvent + done), chunk('')]));
  expect(await response.text()).toBe(plain);
  expect(await stopped).toBe(0);

  await keypass.start();
  const [receipt] = (await vault.calls({ connectionId: id })).items;
  expect(receipt).toMatchObject({ quality: 'measured', status: 200 });
});

test('a caller that leaves: the provider sees it, and the tokenizer inside counts what came', async () => {
  const arrived = Promise.withResolvers<RawExchange>();
  const upstream = await newUpstream(arrived.resolve);
  const keypass = newProcess({ KEYPASS_OPENAI_BASE_URL: upstream.origin });
  await keypass.start();
  const { vault } = await openVault(keypass);
  const { id, accessToken } = await newConnection(vault);
  const [exchange, response] = await Promise.all([firstPart(arrived.promise), ask(keypass, accessToken)]);
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  await exchange.closed;
  const receipts = async () => (await vault.calls({ connectionId: id })).items;
  while ((await receipts()).length === 0) await Bun.sleep(10);
  expect(await receipts()).toMatchObject([
    {
      quality: 'estimated',
      flags: ['ended_left', 'usage_missing', 'input_counted', 'output_counted'],
      usage: { uncachedInput: 8, output: countTokens('Grüße ') },
    },
  ]);
});

async function firstPart(arrived: Promise<RawExchange>): Promise<RawExchange> {
  const exchange = await arrived;
  await exchange.write(eventStreamHead);
  await exchange.write(chunk(delta('Grüße ')));
  return exchange;
}

function ask(keypass: KeyPassProcess, token: string): Promise<Response> {
  const messages = [{ role: 'user', content: 'Hi' }];
  return fetch(keypass.url + chatPath, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o-mini', messages, max_tokens: 500, stream: true }),
  });
}

/** Until the server takes no more connections: then it has begun to stop. */
async function untilRefused(url: string): Promise<void> {
  const isAnswered = () =>
    fetch(`${url}/healthz`, { keepalive: false }).then(
      (response) => response.ok,
      () => false,
    );
  while (await isAnswered()) await Bun.sleep(5);
}

test(`${concurrentCalls} calls run at the same time`, async () => {
  const waiting: RawExchange[] = [];
  const upstream = await newUpstream((exchange) => {
    waiting.push(exchange);
    // None is answered before all have come.
    if (waiting.length === concurrentCalls) for (const each of waiting) void each.write(completion);
  });
  const keypass = newProcess({ KEYPASS_OPENAI_BASE_URL: upstream.origin });
  await keypass.start();
  const { vault } = await openVault(keypass);
  const { accessToken } = await newConnection(vault);
  const answers = await Promise.all(Array.from({ length: concurrentCalls }, () => callOnSocket(keypass, accessToken)));
  expect(answers.filter((head) => !head.startsWith('HTTP/1.1 200'))).toEqual([]);
  expect((await call(keypass, 'GET', '/v1/connection', { token: accessToken })).data['held']).toBe('0');
});

/** One call on a bare socket, because this process has a limit of its own; the answer's head. */
function callOnSocket(keypass: KeyPassProcess, token: string): Promise<string> {
  const body = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 16 });
  const head = [
    `POST ${chatPath} HTTP/1.1`,
    'host: localhost',
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
  ];
  return new Promise((answered, failed) => {
    const socket = connect(keypass.port, 'localhost');
    socket.once('error', failed);
    socket.once('data', (data) => {
      answered(data.toString('latin1'));
      socket.destroy();
    });
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  });
}

const answer = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 },
});
const completion = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`;
