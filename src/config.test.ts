import { describe, expect, test } from 'bun:test';
import { ConfigError, describeConfig, isLoopback, readConfig, settingNames } from './config.ts';

/** The faults of a configuration; none if it is taken. */
function faultsOf(environment: Record<string, string>, toml?: string): readonly string[] {
  try {
    readConfig(environment, toml);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

test('nothing set: on loopback, open, in ./data, trusting nobody', () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    port: 8787,
    hostname: 'localhost',
    origin: 'http://localhost:8787',
    dataFolder: './data',
    databaseUrl: null,
    pepperFile: './data/pepper.json',
    registration: 'open',
    trustedProxies: [],
    webhookAllowedHosts: [],
    corsOrigins: [],
    pricesFile: null,
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test('receipts are kept for ever, or for as many days as are given', () => {
  expect(readConfig({}).receiptDays).toBeNull();
  expect(readConfig({ KEYPASS_RECEIPT_DAYS: '62' }).receiptDays).toBe(62);
});

test('a public origin takes accounts by invitation unless told otherwise', () => {
  expect(readConfig({ KEYPASS_ORIGIN: 'https://keys.example' }).registration).toBe('invite');
  expect(readConfig({ KEYPASS_ORIGIN: 'https://localhost.example' }).registration).toBe('invite');
  expect(readConfig({ HOST: '0.0.0.0' }).registration).toBe('invite');
  expect(readConfig({ HOST: '127.0.0.1' }).registration).toBe('open');
  expect(readConfig({ KEYPASS_ORIGIN: 'https://keys.example', KEYPASS_REGISTRATION: 'closed' }).registration).toBe(
    'closed',
  );
  for (const origin of ['http://localhost:1', 'http://127.0.0.9', 'http://[::1]:80', 'http://a.localhost']) {
    expect(isLoopback(origin)).toBe(true);
  }
  for (const origin of ['http://127.0.0.1.example', 'http://localhost.example', 'http://[::2]', 'http://10.0.0.1']) {
    expect(isLoopback(origin)).toBe(false);
  }
});

describe('sources', () => {
  test('the environment stands over the file', () => {
    const file = 'PORT = 9000\nHOST = "0.0.0.0"\nKEYPASS_CORS_ORIGINS = ["https://a.example", "https://b.example"]';
    const config = readConfig({ PORT: '9001', PATH: '/bin', HOME: '/root' }, file);
    expect(config).toMatchObject({ port: 9001, hostname: '0.0.0.0', origin: 'http://localhost:9001' });
    expect(config.corsOrigins).toEqual(['https://a.example', 'https://b.example']);
  });

  test('an empty variable is as if it were not there', () => {
    expect(readConfig({ PORT: '', KEYPASS_ORIGIN: '' }, 'PORT = 9000').port).toBe(9000);
  });

  test('hosts, addresses and ranges that webhooks may go to', () => {
    const hosts = ['Hooks.internal', 'my_app', '10.0.0.0/8', '192.168.0.1', 'fd00::1', 'fd00::/8'];
    expect(readConfig({ KEYPASS_WEBHOOK_ALLOWED_HOSTS: hosts.join(', ') }).webhookAllowedHosts).toEqual(hosts);
  });

  test('what the operator points a provider at', () => {
    const config = readConfig({ KEYPASS_OPENAI_BASE_URL: 'http://127.0.0.1:1234' });
    expect(config.providers.get('openai')?.origin).toBe('http://127.0.0.1:1234');
    expect(config.providers.get('groq')?.origin).toBe('https://api.groq.com');
  });
});

describe('faults', () => {
  test('are named all at once, each with what was expected', () => {
    const faults = faultsOf({
      PORT: 'x',
      KEYPASS_ORIGIN: 'keys.example',
      KEYPASS_REGISTRATION: 'maybe',
      KEYPASS_NOSUCH: '1',
    });
    expect(faults).toEqual([
      'PORT: expected a whole number from 0 to 65535',
      'KEYPASS_ORIGIN: expected an origin such as https://keys.example, with nothing after it',
      'KEYPASS_REGISTRATION: expected one of open, invite, closed',
      'KEYPASS_NOSUCH: no such setting; see docs/configuration.md',
    ]);
  });

  test.each([
    ['PORT', ['-1', '65536', '1.5', '0x10', '1e3', ' 80']],
    [
      'KEYPASS_ORIGIN',
      [
        'https://keys.example/',
        'https://keys.example/path',
        'ftp://keys.example',
        'https://u@keys.example',
        'HTTPS://keys.example',
      ],
    ],
    ['KEYPASS_TRUSTED_PROXIES', ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/8,all', 'localhost']],
    [
      'KEYPASS_WEBHOOK_ALLOWED_HOSTS',
      ['https://a.example', 'a.example:80', 'a.example/x', 'a@b', '*', '[::1]', '10.0.0.0/33', 'a b'],
    ],
    ['KEYPASS_CORS_ORIGINS', ['*', 'https://app.example/', 'app.example', 'null']],
    ['DATABASE_URL', ['mysql://localhost/a', 'localhost/keypass', 'file:./data']],
    ['KEYPASS_OPENAI_BASE_URL', ['https://api.openai.com/v1', 'api.openai.com', '']],
    ['KEYPASS_MAX_JSON_BYTES', ['0', '1023', '999999999999']],
    ['KEYPASS_MAX_UPLOAD_BYTES', ['0', '1023', '999999999999']],
    ['KEYPASS_MAX_FILE_BYTES', ['0', '1023', '999999999999']],
    ['KEYPASS_RECEIPT_DAYS', ['0', '61', '36501', 'never']],
    ['KEYPASS_SHUTDOWN_GRACE_SECONDS', ['-1', '3601']],
  ])('%s', (name, values) => {
    for (const value of values.filter((text) => text !== '')) {
      const faults = faultsOf({ [name]: value });
      expect(faults).toHaveLength(1);
      expect(faults[0]).toStartWith(`${name}: expected `);
    }
  });

  test('of the file: not TOML, and names that are none', () => {
    expect(faultsOf({}, 'PORT = ')).toEqual(['keypass.toml: expected TOML, one NAME = value a line']);
    expect(faultsOf({}, '[server]\nPORT = 1')).toHaveLength(1);
    expect(faultsOf({}, 'port = 1')).toHaveLength(1);
  });

  test('never repeat a value: it may be a secret in the wrong place', () => {
    const canary = 'canary-40aa';
    const faults = faultsOf({
      DATABASE_URL: `mysql://u:${canary}@host/db`,
      PORT: canary,
      KEYPASS_ORIGIN: canary,
      KEYPASS_REGISTRATION: canary,
      KEYPASS_CORS_ORIGINS: canary,
      KEYPASS_OPENAI_BASE_URL: canary,
      KEYPASS_NOSUCH: canary,
    });
    expect(faults).toHaveLength(7);
    expect(faults.join('\n')).not.toContain(canary);
    expect(faultsOf({}, `PORT = "${canary}\n`).join('\n')).not.toContain(canary);
  });
});

function faultsWith(providers: unknown): readonly string[] {
  return faultsOf({ KEYPASS_PROVIDERS: JSON.stringify(providers) });
}

describe("the operator's own providers", () => {
  const sound = { base_url: 'http://127.0.0.1:11434/v1', context: 8192 };

  test('come from tables of the file, after the others', () => {
    const toml = `
      [providers.ollama]
      name = "Ollama"
      base_url = "http://ollama:11434/"
      needs_key = false
      free = true
      context = 8192

      [providers.vllm-2]
      base_url = "https://gpu.internal:8000/api/v1"
      context = 32768
      output = 4096
      models = { "qwen3" = { context = 1000 }, "org/tiny:1b" = { output = 500 } }
    `;
    const { providers } = readConfig({}, toml);
    expect([...providers.keys()].slice(-2)).toEqual(['ollama', 'vllm-2']);
    const [ollama, vllm] = [providers.get('ollama'), providers.get('vllm-2')];
    expect(ollama).toMatchObject({ name: 'Ollama', origin: 'http://ollama:11434', keyHeader: null });
    expect(ollama?.chat).toMatchObject({ path: '/v1/chat/completions' });
    expect(ollama?.custom).toEqual({ isFree: true, limits: { context: 8192 }, models: new Map() });
    expect(vllm).toMatchObject({ name: 'vllm-2', origin: 'https://gpu.internal:8000', keyHeader: 'authorization' });
    expect(vllm?.modelList).toEqual({ path: '/api/v1/models' });
    expect(vllm?.custom).toEqual({
      isFree: false,
      limits: { context: 32_768, output: 4096 },
      models: new Map([
        ['qwen3', { context: 1000, output: 4096 }],
        ['org/tiny:1b', { context: 32_768, output: 500 }],
      ]),
    });
  });

  test('or from the variable, which stands over the file as a whole', () => {
    const file = '[providers.ollama]\nbase_url = "http://ollama:11434"\ncontext = 1';
    const { providers } = readConfig({ KEYPASS_PROVIDERS: JSON.stringify({ vllm: sound }) }, file);
    expect(providers.has('ollama')).toBe(false);
    expect(providers.get('vllm')?.origin).toBe('http://127.0.0.1:11434');
  });

  test.each([...readConfig({}).providers.keys(), 'v1', 'Ollama', 'a', '1a', 'a_b', 'a/b', 'a.b', '', 'x'.repeat(33)])(
    'not under the id %p',
    (id) => {
      const faults = faultsWith({ [id]: sound });
      expect(faults).toHaveLength(1);
      expect(faults[0]).toMatch(/^providers\.(?:\S+|\(a name\)): expected an id /);
    },
  );

  test.each([
    'http://127.0.0.1:11434/v1?key=x',
    'http://127.0.0.1:11434/v1#x',
    'http://user@127.0.0.1:11434/v1',
    'http://user:secret@127.0.0.1:11434/v1',
    'http://127.0.0.1:11434/v1/../api',
    'http://127.0.0.1:11434//v1',
    'http://127.0.0.1:11434/%761',
    'http://127.0.0.1:11434/v1/{model}',
    'http://127.0.0.1:11434/a\\b',
    'http://127.0.0.1:11434/v1\n',
    // Spellings of an address that a parser would turn into another.
    'http://2130706433:11434/v1',
    'http://0x7f.1:11434/v1',
    'http://127.1:11434/v1',
    'http://LOCALHOST:11434/v1',
    'http://localhost:80/v1',
    'http://127.0.0.1:11434\\@evil.example/v1',
    'HTTP://127.0.0.1:11434/v1',
    'ftp://127.0.0.1/v1',
    'unix:/run/ollama.sock',
    '127.0.0.1:11434/v1',
    'http://',
    '',
    11434,
    null,
  ])('not at %p', (base_url) => {
    const faults = faultsWith({ ollama: { ...sound, base_url } });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toStartWith('providers.ollama.base_url: expected a base URL ');
  });

  test('only within stated limits: no cost is bounded without them', () => {
    const faults = faultsWith({ ollama: { base_url: sound.base_url, free: true } });
    expect(faults).toEqual([expect.stringContaining('providers.ollama.context: expected the most tokens')]);
  });

  test('with every fault named, and no value repeated', () => {
    const canary = 'canary-40aa';
    const faults = faultsWith({
      ollama: {
        name: `${canary}!`,
        base_url: canary,
        needs_key: canary,
        free: canary,
        context: canary,
        output: 0.5,
        models: { big: { context: 0, price: canary }, small: canary },
        api_key: canary,
        [`${canary} ${canary}`]: 1,
      },
      vllm: canary,
    });
    expect(faults.map((fault) => fault.split(': expected ')[0])).toEqual([
      'providers.ollama.api_key',
      'providers.ollama.(a name)',
      'providers.ollama.context',
      'providers.ollama.output',
      'providers.ollama.name',
      'providers.ollama.base_url',
      'providers.ollama.needs_key',
      'providers.ollama.free',
      'providers.ollama.models.big.price',
      'providers.ollama.models.big.context',
      'providers.ollama.models.small',
      'providers.vllm.context',
      'providers.vllm.base_url',
    ]);
    expect(faults.join('\n')).not.toContain(canary);
    expect(faultsOf({ KEYPASS_PROVIDERS: `{"${canary}` }).join('\n')).not.toContain(canary);
    for (const value of ['5', 'null', '"x"', '[]']) expect(faultsOf({ KEYPASS_PROVIDERS: value })).toHaveLength(1);
    expect(faultsOf({}, 'providers = 5')).toHaveLength(1);
  });

  test('under a name that passes for no other', () => {
    for (const name of ['OpenAI', 'openai', 'GROQ']) {
      expect(faultsWith({ ollama: { ...sound, name } })).toEqual([expect.stringContaining('providers.ollama.name')]);
    }
    const twice = faultsWith({ ollama: { ...sound, name: 'Ours' }, vllm: { ...sound, name: 'ours' } });
    expect(twice).toEqual([expect.stringContaining('providers.vllm.name')]);
  });
});

describe('what is in force is told', () => {
  const settings = {
    PORT: '9000',
    DATABASE_URL: 'postgres://ada:canary-40aa@db.example/keypass?sslmode=require&password=canary-41bb',
    KEYPASS_CORS_ORIGINS: 'https://a.example, https://b.example',
    KEYPASS_OPENAI_BASE_URL: 'http://127.0.0.1:1234',
  };
  const toml = '[providers.ollama]\nbase_url = "http://127.0.0.1:11434/v1"\nfree = true\ncontext = 8192\n';
  const lines = describeConfig(readConfig(settings, toml));

  test('by the settings’ own names, each once, without the database’s password', () => {
    expect(lines.map((line) => line.split('=')[0] ?? '').toSorted()).toEqual(settingNames.toSorted());
    expect(lines).toEqual(
      expect.arrayContaining([
        'PORT=9000',
        'HOST=localhost',
        'KEYPASS_ORIGIN=http://localhost:9000',
        'KEYPASS_CORS_ORIGINS=https://a.example,https://b.example',
        'KEYPASS_DATA=./data',
        'DATABASE_URL=postgres://ada:***@db.example/keypass?sslmode=require&password=***',
        'KEYPASS_RECEIPT_DAYS=',
        'KEYPASS_FIRST_BYTE_TIMEOUT_MS=600000',
        'KEYPASS_OPENAI_BASE_URL=http://127.0.0.1:1234',
        'KEYPASS_PROVIDERS={"ollama":{"base_url":"http://127.0.0.1:11434/v1","free":true,"context":8192}}',
        'KEYPASS_GROQ_BASE_URL=https://api.groq.com',
      ]),
    );
    expect(lines.join('\n')).not.toContain('canary');
  });

  test('so that the same could be set again', () => {
    const again = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    expect(describeConfig(readConfig(again))).toEqual(lines);
  });
});
