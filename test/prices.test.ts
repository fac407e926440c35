import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Vault } from '../sdk/vault/src/index.ts';
import { parsePriceFile } from '../src/money/price-file.ts';
import { rateKeys } from '../src/money/price-rates.ts';
import { providerIds } from '../src/providers/index.ts';
import { call } from './harness/people.ts';
import { freePort, KeyPassProcess } from './harness/process.ts';

const upstream = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const { model, service_tier } = await request.json();
    const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };
    const message = { role: 'assistant', content: 'Hi' };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    return Response.json({ id: 'x', object: 'chat.completion', created: 1, model, service_tier, choices, usage });
  },
});
const origin = `http://127.0.0.1:${upstream.port}`;
const ollama = { base_url: origin, free: true, context: 8192, models: { tiny: { context: 2048 } } };
const keypass = new KeyPassProcess(freePort(), {
  KEYPASS_OPENAI_BASE_URL: origin,
  KEYPASS_PRICES_FILE: 'prices.toml',
  KEYPASS_PROVIDERS: JSON.stringify({ ollama }),
});
const pricesFile = join(keypass.folder, 'prices.toml');

/** Dollars for a million tokens of input; output is free. */
function writePrices(prices: Record<string, string>, tier = ''): void {
  const entries = Object.entries(prices).map(
    ([model, usd]) =>
      `[[price]]\nprovider = "openai"\nmodels = ["${model}"]\n${tier}\ninput_mtok = "${usd}"\noutput_mtok = "0"\n`,
  );
  writeFileSync(pricesFile, `updated = 2026-11-20\n${entries.join('')}`);
}

let vault: Vault;
let token: string;

beforeAll(async () => {
  writePrices({ 'house-model': '5' });
  await keypass.start();
  const person = { email: 'ada@example.com', password: 'a long password' };
  ({ vault } = await Vault.register({ baseUrl: keypass.url, ...person }));
  await vault.keys.add({ provider: 'openai', secret: `sk-proj-${'o'.repeat(40)}` });
  ({ accessToken: token } = await vault.connections.create({ name: 'tool', providers: ['openai'], budgetCents: 100 }));
});

afterAll(async () => {
  await keypass.remove();
  await upstream.stop(true);
});

async function ask(model: string, more: Record<string, unknown> = {}) {
  const body = { model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 100, ...more };
  return call(keypass, 'POST', '/openai/v1/chat/completions', { token, body });
}

/** Cost and origin of the price of the newest receipt, once there are this many. */
async function receipt(count: number) {
  for (;;) {
    const { items } = await vault.calls();
    const [newest] = items;
    if (newest !== undefined && items.length >= count) return { cost: newest.cost, price: newest.price };
    await Bun.sleep(20);
  }
}

async function hangUp(said: string): Promise<void> {
  const before = keypass.output.length;
  keypass.hangUp();
  while (!keypass.output.slice(before).includes(said)) await Bun.sleep(20);
}

test('the operator’s price is booked, and the receipt says where it is from', async () => {
  expect((await ask('house-model')).status).toBe(200);
  const { cost, price } = await receipt(1);
  expect(cost).toBe('0.005');
  expect(price).toEqual({
    list: 'file',
    version: expect.stringMatching(/^2026-11-20 [0-9a-f]{12}$/),
    entry: 'house-model',
    match: 'exact',
  });
});

test('on SIGHUP a sound file takes the place of the old one', async () => {
  writePrices({ 'house-model': '7', 'other-model': '9' });
  await hangUp('prices_replaced');
  expect((await ask('house-model')).status).toBe(200);
  expect(await receipt(2)).toMatchObject({ cost: '0.007' });
  expect((await ask('other-model')).status).toBe(200);
  expect(await receipt(3)).toMatchObject({ cost: '0.009' });
});

test('a faulty one, or none, is told of and changes nothing', async () => {
  writePrices({ 'house-model': '1.5e3' });
  await hangUp('prices_kept');
  expect(keypass.output).toContain('"place":"price 1, input_mtok"');
  expect(keypass.output).not.toContain('1.5e3');
  rmSync(pricesFile);
  await hangUp('KEYPASS_PRICES_FILE');
  expect((await ask('house-model')).status).toBe(200);
  expect(await receipt(4)).toMatchObject({ cost: '0.007' });
});

test('a tier is called once it has a price', async () => {
  const refused = await ask('gpt-4o', { service_tier: 'flex' });
  expect([refused.status, refused.code]).toEqual([403, 'price_unknown']);
  writePrices({ 'gpt-4o': '1.25' }, 'tier = "flex"');
  await hangUp('prices_replaced');
  expect((await ask('gpt-4o', { service_tier: 'flex' })).status).toBe(200);
  expect(await receipt(5)).toMatchObject({ cost: '0.00125', price: { list: 'file', tier: 'flex' } });
  expect((await ask('gpt-4o')).status).toBe(200);
  expect(await receipt(6)).toMatchObject({ cost: '0.0035', price: { list: 'catalogue', version: '0.1.8' } });
});

test('a faulty file stops the start, with all of its faults', async () => {
  const other = new KeyPassProcess(freePort(), { KEYPASS_PRICES_FILE: 'prices.toml' });
  writeFileSync(join(other.folder, 'prices.toml'), 'color = 1\n[[price]]\nprovider = "openai"');
  const { code, output } = await other.run('serve');
  expect(code).toBe(2);
  expect(output).toContain('3 faults');
  expect(output).toMatch(/color: expected .*\n.*price 1, models: expected .*\n.*price 1: expected /);
  const missing = await other.runWith({ KEYPASS_PRICES_FILE: 'nowhere.toml' }, 'serve');
  expect([missing.code, missing.output]).toEqual([2, expect.stringContaining('KEYPASS_PRICES_FILE: expected')]);
  await other.remove();
});

test('without a price file, a closed terminal ends the server', async () => {
  const other = new KeyPassProcess(freePort());
  await other.start();
  expect(await other.stop('SIGHUP')).toBe(0);
  await other.remove();
});

test('the files of the documentation are sound', () => {
  const page = readFileSync(join(import.meta.dir, '../docs/prices.md'), 'utf8');
  const files = [...page.matchAll(/```toml\n(.*?)```/gs)].map(([, toml = '']) => toml);
  expect(files.map((toml) => parsePriceFile(toml, providerIds).entries.length)).toEqual([4, 1, 1]);
  const keys = [...rateKeys.keys()].filter((key) => !page.includes(`\`${key}\``));
  expect(keys).toEqual([]);
});

test('keypass prices check: what a model costs, and which list says so', async () => {
  const prices = (...args: string[]) => keypass.run('prices', 'check', ...args);
  writePrices({ 'house-*': '5' });
  const own = await prices('openai/house-model', '--input', '2000');
  expect(own.code).toBe(0);
  expect(own.output).toMatch(/from +file 2026-11-20 [0-9a-f]{12}, pattern house-\*\n/);
  expect(own.output).toMatch(/input_mtok +\$5 for a million tokens\n/);
  expect(own.output).toMatch(/a call +\$0\.01 for 2,000 uncachedInput, 1,000 output\n/);

  const listed = await prices('gemini-2.5-pro', 'whisper-1', 'tts-1', '--cached', '500');
  expect(listed.code).toBe(0);
  expect(listed.output).toMatch(/google\/gemini-2\.5-pro\n +from +catalogue 0\.1\.8, pattern gemini-2\.5-pro\n/);
  expect(listed.output).toMatch(
    / \$1\.25 for a million tokens\n +\$2\.5 for a million tokens, above 200,000 tokens of input\n/,
  );
  expect(listed.output).toMatch(/limits +context 1,048,576 tokens, output 65,536 tokens\n/);
  // 500 × $1.25/M + 500 × $0.125/M + 1,000 × $10/M.
  expect(listed.output).toMatch(/a call +\$0\.0106875 for 500 uncachedInput, 500 cacheRead, 1,000 output\n/);
  expect(listed.output).toMatch(/a call +\$0\.006 for 60 seconds\n/);
  expect(listed.output).toMatch(/from +supplement \d{4}-\d\d-\d\d, entry tts-1\n/);

  const free = await prices('ollama/tiny');
  expect(free.code).toBe(0);
  expect(free.output).toMatch(/ollama\/tiny\n +from +configuration free, pattern \*\n/);
  expect(free.output).toMatch(/limits +context 2,048 tokens, output not known\n/);
  expect(free.output).toMatch(/a call +\$0 for /);

  const unknown = await prices('gpt-99', 'openai/gpt-4o');
  expect(unknown.code).toBe(1);
  expect(unknown.output).toContain('gpt-99: no price is known');
  expect(unknown.output).toContain('openai/gpt-4o\n');

  writeFileSync(pricesFile, '[[price]]\nprovider = "openai"');
  expect(await prices('gpt-4o')).toMatchObject({ code: 1, output: expect.stringContaining('price 1, models') });
  expect((await prices('--input', 'many')).code).toBe(2);
  expect((await keypass.run('prices')).code).toBe(2);
});
