import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { LLMock } from '@copilotkit/aimock';
import Groq from 'groq-sdk';
import OpenAI, { toFile } from 'openai';
import { startProxy, type ProxyHarness } from '../../test/harness/proxy.ts';
import { bytesOf, mp3, oggOpus, opusPacket, wav } from '../../test/harness/recordings.ts';
import { startRecorder, type RecordedRequest, type Recorder } from '../../test/harness/upstream.ts';
import { concat, utf8 } from '../crypto/index.ts';
import { formatUsd } from '../money/amount.ts';

/** Images and sound through the official clients: what arrives at the provider, what comes back, what is on the receipt. */
const scopes = ['audio', 'images'] as const;
const png = concat(bytesOf(0x89), utf8('PNG\r\n\x1a\n'), new Uint8Array(64));
const tokens = { input_tokens: 50, output_tokens: 1056, total_tokens: 1106 };
const imageUsage = { ...tokens, input_tokens_details: { text_tokens: 20, image_tokens: 30 } };

let mock: LLMock;
let recorder: Recorder;
let keypass: ProxyHarness;
let answer: (request: RecordedRequest) => Response | Promise<Response>;

beforeAll(async () => {
  mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent' });
  const spoken = { text: 'The beach was hot.', usage: transcribed };
  mock.onTranscription({ transcription: spoken });
  mock.onTranslation({ transcription: { text: 'The beach.', duration: 2.5 } });
  mock.onSpeech('Grüße 🙂', { audio: Buffer.from(mp3(40)).toString('base64') });
  await mock.start();
  recorder = startRecorder((request) => answer(request));
  keypass = startProxy({ origin: recorder.origin, policy: { scopes: [...scopes] } });
});

const transcribed = {
  type: 'tokens' as const,
  input_tokens: 30,
  input_token_details: { text_tokens: 5, audio_tokens: 25 },
  output_tokens: 9,
  total_tokens: 39,
};

beforeEach(() => {
  answer = () => Response.json({ error: { message: 'not planned' } }, { status: 500 });
});

afterAll(async () => {
  await keypass.stop();
  await recorder.stop();
  await mock.stop();
});

const openai = (to: ProxyHarness = keypass) =>
  new OpenAI({ baseURL: `${to.url}/openai/v1`, apiKey: to.token, maxRetries: 0 });
const groq = (to: ProxyHarness = keypass) => new Groq({ baseURL: `${to.url}/groq`, apiKey: to.token, maxRetries: 0 });

async function receipt(of: ProxyHarness = keypass) {
  await of.proxy.settled();
  const { usage, cost, quality, flags } = of.ledger.settlements.at(-1) ?? { usage: null, cost: 0n };
  expect(of.ledger.held).toBe(0n);
  const { raw: _, ...buckets } = usage ?? { raw: null };
  const used = Object.fromEntries(Object.entries(buckets).filter(([, count]) => count !== 0));
  return { used, cost: formatUsd(cost), quality, flags };
}

function held(of: ProxyHarness = keypass): string {
  return formatUsd(of.ledger.requests.at(-1)?.amount ?? 0n);
}

describe('images', () => {
  const data = [{ b64_json: 'aGk=' }];

  test('are generated', async () => {
    answer = () => Response.json({ created: 1, data, usage: imageUsage });
    const prompt = 'An otter';
    const made = await openai().images.generate({
      model: 'gpt-image-1-mini',
      prompt,
      quality: 'medium',
      size: '1024x1024',
    });
    expect(made.data).toEqual(data);
    expect(recorder.requests.at(-1)?.path).toBe('/v1/images/generations');
    expect(await receipt()).toEqual({
      used: { uncachedInput: 20, imageInput: 30, imageOutput: 1056 },
      cost: '0.008563',
      quality: 'measured',
      flags: [],
    });
  });

  test('are edited: a form is written anew, with the checked values', async () => {
    let sent: FormData | undefined;
    answer = async ({ headers, bytes }) => {
      sent = await new Response(bytes, { headers: { 'content-type': headers.get('content-type') ?? '' } }).formData();
      return Response.json({ created: 1, data, usage: imageUsage });
    };
    const image = await Promise.all(['a"b.exe', 'b.png'].map((name) => toFile(png, name, { type: 'text/html' })));
    await openai().images.edit({
      model: 'gpt-image-1-mini',
      image,
      prompt: 'Grüße',
      n: 2,
      size: '1024x1024',
      quality: 'low',
    });
    expect([...(sent?.keys() ?? [])].toSorted()).toEqual([
      'image[]',
      'image[]',
      'model',
      'n',
      'prompt',
      'quality',
      'size',
    ]);
    expect(sent?.get('prompt')).toBe('Grüße');
    expect(sent?.getAll('image[]').map((file) => (file instanceof File ? file.name : ''))).toEqual([
      'file.png',
      'file.png',
    ]);
    expect(await receipt()).toMatchObject({ cost: '0.008563', quality: 'measured' });
  });

  test('are streamed, byte for byte', async () => {
    const events = [
      { type: 'image_generation.partial_image', b64_json: 'aGk=', partial_image_index: 0 },
      { type: 'image_generation.completed', b64_json: 'aGk=', usage: imageUsage },
    ];
    const stream = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
    answer = () => new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
    const request = { model: 'gpt-image-1-mini', prompt: 'An otter', stream: true, partial_images: 1 } as const;
    const types: string[] = [];
    for await (const event of await openai().images.generate(request)) types.push(event.type);
    expect(types).toEqual(events.map(({ type }) => type));
    expect(await receipt()).toMatchObject({ used: { imageOutput: 1056 }, quality: 'measured' });
  });

  test('of more bytes than are kept have their usage at the end', async () => {
    const large = startProxy({
      origin: recorder.origin,
      policy: { scopes: [...scopes] },
      limits: { maxCopyBytes: 1_000 },
    });
    const words = [{ b64_json: 'A'.repeat(200_000), revised_prompt: '"usage":{"input_tokens":1,"output_tokens":1}' }];
    answer = () => Response.json({ created: 1, data: words, usage: imageUsage, size: '1024x1024' });
    await openai(large).images.generate({ model: 'gpt-image-1-mini', prompt: 'An otter' });
    expect(await receipt(large)).toMatchObject({ used: { imageOutput: 1056 }, quality: 'measured' });
    const event = { type: 'image_generation.completed', b64_json: 'A'.repeat(200_000), usage: imageUsage };
    answer = () =>
      new Response(`data: ${JSON.stringify(event)}\n\n`, { headers: { 'content-type': 'text/event-stream' } });
    const stream = await openai(large).images.generate({ model: 'gpt-image-1-mini', prompt: 'An otter', stream: true });
    for await (const { type } of stream) expect(type).toBe('image_generation.completed');
    expect(await receipt(large)).toMatchObject({ used: { imageOutput: 1056 }, quality: 'measured' });
    await large.stop();
  });

  test('are held by size, quality and number', async () => {
    const prompt = 'An otter';
    const amounts: string[] = [];
    for (const more of [{ quality: 'low' }, { quality: 'low', n: 2 }, { quality: 'high' }, {}] as const) {
      await openai()
        .images.generate({ model: 'gpt-image-1-mini', prompt, size: '1024x1024', ...more })
        .catch(() => {});
      amounts.push(held());
    }
    const [low = 0, two, high = 0, open] = amounts.map(Number);
    expect(two).toBeCloseTo(2 * low, 3);
    // 272 tokens at $8 for a million, 4,160 tokens.
    expect(low).toBeGreaterThan(0.002176);
    expect(low).toBeLessThan(0.005);
    expect(high).toBeGreaterThan(0.03328);
    expect(open).toBeCloseTo(high, 3);
  });
});

describe('speech', () => {
  test('by the character: the text is counted, the sound is passed on', async () => {
    answer = ({ path, headers, body }) => fetch(mock.url + path, { method: 'POST', headers: plain(headers), body });
    const spoken = await openai().audio.speech.create({ model: 'tts-1', input: 'Grüße 🙂', voice: 'ash' });
    expect(new Uint8Array(await spoken.arrayBuffer())).toEqual(mp3(40));
    expect(spoken.headers.get('content-type')).toBe('audio/mpeg');
    expect(await receipt()).toEqual({ used: { characters: 7 }, cost: '0.000105', quality: 'measured', flags: [] });
  });

  test('by the token: told by the length of the sound, flagged', async () => {
    answer = () => new Response(wav(6, { rate: 24_000 }), { headers: { 'content-type': 'audio/wav' } });
    const request = { model: 'gpt-4o-mini-tts', input: 'Hello', voice: 'ash', response_format: 'wav' } as const;
    await (await openai().audio.speech.create(request)).arrayBuffer();
    expect(await receipt()).toMatchObject({
      used: { audioOutput: 126 },
      quality: 'estimated',
      flags: ['usage_missing'],
    });
    const packed = { ...request, response_format: 'opus' } as const;
    answer = () => new Response(oggOpus([opusPacket()]), { headers: { 'content-type': 'audio/ogg' } });
    await (await openai().audio.speech.create(packed)).arrayBuffer();
    expect(await receipt()).toMatchObject({ quality: 'unknown', cost: held() });
  });

  test('by the token, streamed: measured', async () => {
    const done = { type: 'speech.audio.done', usage: { input_tokens: 14, output_tokens: 101, total_tokens: 115 } };
    const stream = `data: {"type":"speech.audio.delta","audio":"aGk="}\n\ndata: ${JSON.stringify(done)}\n\n`;
    answer = () => new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
    const request = { model: 'gpt-4o-mini-tts', input: 'Hello', voice: 'ash', stream_format: 'sse' } as const;
    expect(await (await openai().audio.speech.create(request)).text()).toBe(stream);
    expect(await receipt()).toMatchObject({ used: { uncachedInput: 14, audioOutput: 101 }, cost: '0.0012204' });
  });
});

/** Headers as a client has them; the body's length is written by whoever sends it. */
function plain(headers: Headers): Headers {
  return new Headers([...headers].filter(([name]) => !['content-length', 'host', 'connection'].includes(name)));
}

const file = () => toFile(wav(12), 'speech.wav');

function forward({ path, headers, bytes }: RecordedRequest): Promise<Response> {
  return fetch(mock.url + path, { method: 'POST', headers: plain(headers), body: bytes });
}

describe('transcriptions', () => {
  test('by the token', async () => {
    answer = forward;
    const said = await openai().audio.transcriptions.create({ file: await file(), model: 'gpt-4o-mini-transcribe' });
    expect(said.text).toBe('The beach was hot.');
    expect(await receipt()).toMatchObject({
      used: { uncachedInput: 5, audioInput: 25, output: 9 },
      quality: 'measured',
      flags: [],
    });
  });

  test('streamed', async () => {
    answer = forward;
    const request = { file: await file(), model: 'gpt-4o-mini-transcribe', stream: true } as const;
    const types: string[] = [];
    for await (const event of await openai().audio.transcriptions.create(request)) types.push(event.type);
    expect(types.at(-1)).toBe('transcript.text.done');
    expect(types.length).toBeGreaterThan(1);
    expect(await receipt()).toMatchObject({ used: { audioInput: 25 }, quality: 'measured' });
  });

  test('by the second, as the provider states them', async () => {
    answer = () => Response.json({ text: 'Hi', usage: { type: 'duration', seconds: 12 } });
    await openai().audio.transcriptions.create({ file: await file(), model: 'whisper-1' });
    expect(await receipt()).toEqual({ used: { seconds: 12 }, cost: '0.0012', quality: 'measured', flags: [] });
    expect(held()).toBe('0.0013');
  });

  test('as text: the seconds are those of the recording, whatever the text says', async () => {
    const said = '{"usage":{"type":"duration","seconds":0}}';
    answer = () => new Response(said, { headers: { 'content-type': 'application/json' } });
    const request = { file: await file(), model: 'whisper-1', response_format: 'text' } as const;
    await openai().audio.transcriptions.create(request);
    expect(await receipt()).toEqual({
      used: { seconds: 12 },
      cost: '0.0012',
      quality: 'estimated',
      flags: ['usage_missing'],
    });
  });

  test('translated', async () => {
    answer = forward;
    const request = { file: await file(), model: 'whisper-1', response_format: 'verbose_json' } as const;
    expect((await openai().audio.translations.create(request)).text).toBe('The beach.');
    expect(await receipt()).toMatchObject({ used: { seconds: 2.5 }, cost: '0.0003', quality: 'measured' });
  });

  test("by Groq: the recording's seconds, ten at least", async () => {
    answer = () => Response.json({ text: 'Hi', x_groq: { id: 'req_1' } });
    const model = 'whisper-large-v3-turbo';
    await groq().audio.transcriptions.create({ file: await file(), model });
    expect(recorder.requests.at(-1)?.path).toBe('/openai/v1/audio/transcriptions');
    expect(await receipt()).toMatchObject({ used: { seconds: 12 }, quality: 'estimated' });
    await groq().audio.translations.create({ file: await toFile(wav(1), 'a.wav'), model });
    // 10 s × $0.04 an hour, rounded up once.
    expect(await receipt()).toMatchObject({ used: { seconds: 1 }, cost: '0.000111111112' });
  });
});

test('a chat that hears and speaks: each kind of token at its own price', async () => {
  const talking = startProxy({ origin: recorder.origin });
  const usage = {
    prompt_tokens: 120,
    prompt_tokens_details: { audio_tokens: 100, text_tokens: 20 },
    completion_tokens: 90,
    completion_tokens_details: { audio_tokens: 70, text_tokens: 20 },
    total_tokens: 210,
  };
  answer = () =>
    Response.json({ choices: [{ index: 0, message: { role: 'assistant' }, finish_reason: 'stop' }], usage });
  const data = wav(10).toBase64();
  await openai(talking).chat.completions.create({
    model: 'gpt-audio',
    modalities: ['text', 'audio'],
    audio: { voice: 'ash', format: 'wav' },
    messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data, format: 'wav' } }] }],
    max_completion_tokens: 200,
  });
  // 20 × $2.50, 100 × $32, 20 × $10, 70 × $64 for a million.
  const used = { uncachedInput: 20, audioInput: 100, output: 20, audioOutput: 70 };
  expect(await receipt(talking)).toMatchObject({ used, cost: '0.00793', quality: 'measured' });
  expect(Number(held(talking))).toBeGreaterThan(0.00793);
  expect(Number(held(talking))).toBeLessThan(0.1);
  await talking.stop();
});
