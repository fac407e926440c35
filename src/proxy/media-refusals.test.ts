import { afterEach, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { providerKey, startProxy, until, type ProxyHarness } from '../../test/harness/proxy.ts';
import { bytesOf, mp4, wav } from '../../test/harness/recordings.ts';
import { chunk, startRawUpstream, startRecorder, type Recorder } from '../../test/harness/upstream.ts';
import { concat, utf8, type Policy } from '../crypto/index.ts';
import type { Limits } from './ports.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

interface Setup {
  readonly policy?: Partial<Policy>;
  readonly limits?: Partial<Limits>;
  readonly budget?: bigint;
  readonly answer?: () => Response;
}

const whole: Partial<Policy> = { scopes: ['audio', 'images'] };
const heard = () => Response.json({ text: 'Hi', usage: { type: 'duration', seconds: 1 } });

function start({ policy, answer, ...options }: Setup = {}): { upstream: Recorder; keypass: ProxyHarness } {
  const upstream = startRecorder(answer ?? heard);
  const keypass = startProxy({ ...options, policy: { ...whole, ...policy }, origin: upstream.origin });
  running.push(keypass, upstream);
  return { upstream, keypass };
}

const png = concat(bytesOf(0x89), utf8('PNG\r\n\x1a\n'), new Uint8Array(64));
const at = {
  transcriptions: '/v1/proxy/passthrough/openai/v1/audio/transcriptions',
  groq: '/v1/proxy/passthrough/groq/openai/v1/audio/transcriptions',
  groqSpeech: '/v1/proxy/passthrough/groq/openai/v1/audio/speech',
  edits: '/v1/proxy/passthrough/openai/v1/images/edits',
  generations: '/v1/proxy/passthrough/openai/v1/images/generations',
  speech: '/v1/proxy/passthrough/openai/v1/audio/speech',
};

type Fields = readonly (readonly [string, string | Blob])[];

const recording = new File([wav(1)], 'a.wav');
const heardBy = (model: string): Fields => [
  ['file', recording],
  ['model', model],
];
const edited = (...more: Fields): Fields => [
  ['image', new Blob([png])],
  ['prompt', 'x'],
  ['model', 'gpt-image-1-mini'],
  ...more,
];

async function send(keypass: ProxyHarness, path: string, body: Fields | object): Promise<string> {
  const form = new FormData();
  if (Array.isArray(body)) for (const [name, value] of body as Fields) form.append(name, value);
  const isForm = Array.isArray(body);
  const response = await fetch(keypass.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${keypass.token}`, ...(isForm ? {} : { 'content-type': 'application/json' }) },
    body: isForm ? form : JSON.stringify(body),
  });
  const text = await response.text();
  const code = response.headers.get('x-keypass-error');
  const { error = {} }: { error?: { param?: string } } = code === null ? {} : JSON.parse(text);
  return [String(response.status), code, error.param].filter((part) => part !== null && part !== undefined).join(' ');
}

describe('refused before anything is sent', () => {
  const cases: [string, string, Fields | object, string, Setup?][] = [
    [
      'a scope that was not granted',
      at.transcriptions,
      heardBy('whisper-1'),
      '403 scope_not_granted',
      { policy: { scopes: ['images'] } },
    ],
    ['images without theirs', at.edits, edited(), '403 scope_not_granted', { policy: { scopes: ['audio'] } }],
    [
      'a field twice',
      at.transcriptions,
      [...heardBy('whisper-1'), ['model', 'gpt-4o-transcribe']],
      '400 duplicate_member model',
    ],
    [
      'a stream that is said twice',
      at.transcriptions,
      [...heardBy('whisper-1'), ['stream', 'true'], ['stream', 'false']],
      '400 duplicate_member stream',
    ],
    ['a model without a price', at.transcriptions, heardBy('whisper-9'), '403 price_unknown model'],
    ['no model', at.transcriptions, [['file', recording]], '400 invalid_request model'],
    ['no recording', at.transcriptions, [['model', 'whisper-1']], '400 invalid_request file'],
    [
      'a recording whose length is not told',
      at.transcriptions,
      [
        ['model', 'whisper-1'],
        ['file', new Blob([mp4(9, { codec: 'alac' })])],
      ],
      '403 unbounded_cost file',
    ],
    [
      'a recording that could hide its length, and an answer that does not tell it',
      at.transcriptions,
      [
        ['model', 'whisper-1'],
        ['file', new Blob([mp4(9)])],
        ['response_format', 'text'],
      ],
      '403 unbounded_cost response_format',
    ],
    [
      'the same of a provider that tells it in one format alone',
      at.groq,
      [
        ['model', 'whisper-large-v3'],
        ['file', new Blob([mp4(9)])],
      ],
      '403 unbounded_cost response_format',
    ],
    [
      'a recording somewhere else',
      at.groq,
      [
        ['model', 'whisper-large-v3'],
        ['url', 'https://example.com/a.mp3'],
      ],
      '400 unsupported_parameter url',
    ],
    [
      'images without a model',
      at.edits,
      [
        ['image', new Blob([png])],
        ['prompt', 'x'],
      ],
      '400 invalid_request model',
    ],
    ['more images than there can be', at.edits, edited(['n', '11']), '400 invalid_request n'],
    ['an animation', at.edits, edited(['output_format', 'gif']), '403 unbounded_cost output_format'],
    ['a stream of several', at.edits, edited(['n', '2'], ['stream', 'true']), '400 unsupported_parameter n'],
    ['an odd size', at.edits, edited(['size', '9999x9999']), '403 unbounded_cost size'],
    ['an odd quality', at.edits, edited(['quality', 'max']), '403 unbounded_cost quality'],
    [
      'a model without documented tokens',
      at.generations,
      { model: 'gpt-image-2.6-sunburst', prompt: 'x' },
      '403 price_unknown',
    ],
    [
      'a drawing by another model',
      at.generations,
      { model: 'gpt-image-1-mini', prompt: 'x', svg: { model: 'gpt-5' } },
      '403 unbounded_cost svg',
    ],
    [
      'a stored voice',
      at.speech,
      { model: 'tts-1', input: 'x', voice: { id: 'voice_1' } },
      '403 scope_not_granted voice.id',
    ],
    [
      'speech of which no price is listed',
      at.groqSpeech,
      { model: 'playai-tts', input: 'x' },
      '403 price_unknown model',
    ],
    ['speech without a text', at.speech, { model: 'tts-1', voice: 'ash' }, '400 invalid_request input'],
    ['JSON where a form is', at.edits, { model: 'gpt-image-1-mini' }, '415 unsupported_media_type content-type'],
    ['a form where JSON is', at.speech, heardBy('tts-1'), '415 unsupported_media_type content-type'],
    [
      'what the budget does not cover',
      at.transcriptions,
      heardBy('whisper-1'),
      '402 budget_exceeded',
      { budget: 1_000n },
    ],
    [
      'images that it does not cover',
      at.generations,
      { model: 'gpt-image-1-mini', prompt: 'x' },
      '402 budget_exceeded',
      { budget: 10_000_000_000n },
    ],
    [
      'more bytes than the provider takes',
      at.transcriptions,
      [['file', new Blob([new Uint8Array(27 * 1024 * 1024)])]],
      '413 body_too_large',
    ],
    [
      'more bytes than are held',
      at.transcriptions,
      heardBy('whisper-1'),
      '503 server_busy',
      { limits: { maxUploadBytes: 10_000 } },
    ],
  ];

  test.each(cases)('%s', async (...[, path, body, expected, setup]) => {
    const { upstream, keypass } = start(setup);
    expect(await send(keypass, path, body)).toBe(expected);
    expect(upstream.requests).toEqual([]);
    expect(keypass.ledger.held).toBe(0n);
    expect(keypass.ledger.settlements).toEqual([]);
    expect(keypass.log.join()).not.toContain(providerKey);
  });

  test('a model that is not allowed, wherever it stands', async () => {
    const providers = [{ id: 'openai', keyId: '00000000-0000-4000-8000-000000000001', models: ['whisper-1'] }];
    const { upstream, keypass } = start({ policy: { providers } });
    expect(await send(keypass, at.transcriptions, heardBy('gpt-4o-transcribe'))).toBe('403 model_not_allowed model');
    const [file, model] = heardBy('gpt-4o-transcribe');
    if (file === undefined || model === undefined) throw new Error('no fields');
    expect(await send(keypass, at.transcriptions, [model, file])).toBe('403 model_not_allowed model');
    expect(upstream.requests).toEqual([]);
    expect(await send(keypass, at.transcriptions, heardBy('whisper-1'))).toBe('200');
  });
});

describe('what is held of uploads', () => {
  test('is given back after each, whatever became of it', async () => {
    const size = wav(1).length + 2_000;
    const { upstream, keypass } = start({ limits: { maxUploadBytes: size } });
    for (const model of ['whisper-1', 'no-such-model', 'whisper-1', 'whisper-1']) {
      await send(keypass, at.transcriptions, heardBy(model));
    }
    expect(upstream.requests).toHaveLength(3);
  });

  test('is given back where a client leaves in the middle of one; nothing is held or sent', async () => {
    const { upstream, keypass } = start({ limits: { maxUploadBytes: wav(1).length + 400 } });
    const isHere = Promise.withResolvers<void>();
    const authenticate = keypass.access.authenticate.bind(keypass.access);
    keypass.access.authenticate = (token) => {
      isHere.resolve();
      return authenticate(token);
    };
    const socket = connect(Number(new URL(keypass.url).port), '127.0.0.1');
    socket.on('error', () => {});
    // The body's beginning comes in one piece with the head.
    socket.write(
      `POST ${at.transcriptions} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${keypass.token}\r\n` +
        `content-type: multipart/form-data; boundary=b\r\ncontent-length: 900\r\n\r\n--b${'x'.repeat(397)}`,
    );
    await isHere.promise;
    const sent = () => send(keypass, at.transcriptions, heardBy('whisper-1'));
    expect(await sent()).toBe('503 server_busy');
    socket.destroy();
    let last = '';
    while (last !== '200') last = await sent();
    await keypass.proxy.settled();
    expect(upstream.requests).toHaveLength(1);
    expect(keypass.ledger.requests).toHaveLength(1);
    expect(keypass.ledger.held).toBe(0n);
  });
});

test('a failure of the provider costs nothing', async () => {
  const { keypass } = start({ answer: () => Response.json({ error: { message: 'bad file' } }, { status: 400 }) });
  expect(await send(keypass, at.transcriptions, heardBy('whisper-1'))).toBe('400');
  await keypass.proxy.settled();
  expect(keypass.ledger.settlements).toMatchObject([{ cost: 0n, quality: 'measured', status: 400 }]);
});

test('a client that leaves before the answer has come has what was sent booked', async () => {
  const raw = await startRawUpstream(() => {});
  const keypass = startProxy({ policy: whole, origin: raw.origin });
  running.push(keypass, raw);
  const leaving = new AbortController();
  const form = new FormData();
  for (const [name, value] of heardBy('whisper-1')) form.append(name, value);
  const headers = { authorization: `Bearer ${keypass.token}` };
  const request = fetch(keypass.url + at.transcriptions, {
    method: 'POST',
    headers,
    body: form,
    signal: leaving.signal,
  });
  await until(() => raw.exchanges.length === 1);
  leaving.abort();
  await request.catch(() => {});
  await until(() => keypass.ledger.settlements.length === 1);
  expect(keypass.ledger.settlements).toMatchObject([{ quality: 'unknown', flags: ['no_answer'] }]);
  expect(keypass.ledger.held).toBe(0n);
});

test('one that leaves in the middle of the answer has the recording booked', async () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
  const raw = await startRawUpstream(async (exchange) => {
    await exchange.write(head);
    await exchange.write(chunk('{"text":"The'));
  });
  const keypass = startProxy({ policy: whole, origin: raw.origin });
  running.push(keypass, raw);
  const form = new FormData();
  for (const [name, value] of heardBy('whisper-1')) form.append(name, value);
  const headers = { authorization: `Bearer ${keypass.token}` };
  const response = await fetch(keypass.url + at.transcriptions, { method: 'POST', headers, body: form });
  await response.body?.cancel();
  await until(() => keypass.ledger.settlements.length === 1);
  expect(keypass.ledger.settlements).toMatchObject([
    { quality: 'estimated', usage: { seconds: 1 }, flags: ['ended_left', 'usage_missing'] },
  ]);
});

describe('on the wire', () => {
  test('the form is of one length, with a boundary and a file name of its own, and no byte of what was not checked', async () => {
    const raw = await startRawUpstream(async (exchange) => {
      const body = JSON.stringify({ text: 'Hi', usage: { type: 'duration', seconds: 1 } });
      await exchange.write(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    });
    const keypass = startProxy({ policy: whole, origin: raw.origin });
    running.push(keypass, raw);
    const odd = concat(utf8('x"; name="model\u0000'), bytesOf(0xff));
    const body = concat(
      utf8('--b\r\nContent-Disposition: form-data; name="file"; filename="'),
      utf8('x\\"; name=\\"model\\"'),
      odd.slice(-1),
      utf8('"\r\nContent-Type: text/html\r\n\r\n'),
      wav(1),
      utf8('\r\n--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\nand more'),
    );
    const headers = { authorization: `Bearer ${keypass.token}`, 'content-type': 'multipart/form-data; boundary=b' };
    const response = await fetch(keypass.url + at.transcriptions, { method: 'POST', headers, body });
    expect(response.status).toBe(200);
    const [exchange] = raw.exchanges;
    expect(exchange?.head).toMatch(/^content-type: multipart\/form-data; boundary=keypass-[\da-f-]{36}\r?$/im);
    expect(exchange?.head).toMatch(/^content-length: \d+\r?$/im);
    expect(exchange?.head).not.toContain('boundary=b');
    const names = [...(exchange?.body ?? '').matchAll(/name="([^"]*)"/g)].map(([, name]) => name);
    expect(names).toEqual(['file', 'file.wav', 'model']);
    expect(exchange?.body).not.toContain('text/html');
    expect(exchange?.body).not.toContain('and more');
    expect(exchange?.body).not.toContain(keypass.token);
  });
});
