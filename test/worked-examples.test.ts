import { afterAll, beforeAll, expect, test } from 'bun:test';
import { parseUsd } from '../src/money/amount.ts';
import { today, type UsageFixture } from '../src/money/fixtures/fixture.ts';
import { usageFixtures } from '../src/money/fixtures/index.ts';
import type { UsageFormat } from '../src/money/usage.ts';
import { eachDatabase } from './harness/databases.ts';
import { call, openVault, recordOf } from './harness/people.ts';
import { startTestServer, TestClock, type TestServer } from './harness/server.ts';
import { startRecorder, type Recorder } from './harness/upstream.ts';

const secrets = {
  openai: `sk-proj-${'o'.repeat(40)}`,
  anthropic: `sk-ant-api03-${'a'.repeat(93)}AA`,
  google: `AIza${'g'.repeat(35)}`,
  groq: `gsk_${'q'.repeat(52)}`,
  mistral: 'm'.repeat(32),
  openrouter: `sk-or-v1-${'a'.repeat(64)}`,
  xai: `xai-${'x'.repeat(80)}`,
  deepseek: `sk-${'d'.repeat(32)}`,
  together: `tgp_v1_${'t'.repeat(43)}`,
  fireworks: `fw_${'f'.repeat(24)}`,
  cohere: 'c'.repeat(40),
  perplexity: `pplx-${'p'.repeat(48)}`,
  cerebras: `csk-${'c'.repeat(48)}`,
  huggingface: `hf_${'h'.repeat(34)}`,
};

/** The table's answers of today's prices, through the front door: from the provider's bytes to the person's receipt. */
const examples = usageFixtures.filter(({ date, differs }) => date === today && differs === undefined);

const messages = [{ role: 'user', content: 'Hi' }];
const chat = { messages, max_completion_tokens: 500 };
const olderChat = { messages, max_tokens: 500 };
const content = { parts: [{ text: 'Hi' }] };

/** Where the answers of each format come from, and what asks for one. */
const requests: Record<UsageFormat, { path: string; body: object }> = {
  'openai-chat': { path: '/v1/chat/completions', body: chat },
  'openai-responses': { path: '/v1/responses', body: { input: 'Hi', max_output_tokens: 500 } },
  'openai-embeddings': { path: '/v1/embeddings', body: { input: 'Hi' } },
  'openai-images': { path: '/v1/images/generations', body: { prompt: 'A bird', n: 1 } },
  'openai-speech': { path: '/v1/audio/speech', body: { input: 'Hi', voice: 'alloy', stream_format: 'sse' } },
  'openai-transcription': { path: '/v1/audio/transcriptions', body: { file: recording() } },
  'anthropic-messages': { path: '/v1/messages', body: { messages, max_tokens: 500 } },
  gemini: {
    path: '/v1beta/models/{model}:generateContent',
    body: { contents: [content], generationConfig: { maxOutputTokens: 500 } },
  },
  'gemini-embed': { path: '/v1beta/models/{model}:embedContent', body: { content } },
  'groq-chat': { path: '/openai/v1/chat/completions', body: chat },
  'compatible-chat': { path: '/v1/chat/completions', body: olderChat },
  'compatible-completions': { path: '/v1/fim/completions', body: { prompt: 'Hi', max_tokens: 500 } },
  'xai-responses': { path: '/v1/responses', body: { input: 'Hi', max_output_tokens: 500 } },
  'openrouter-chat': { path: '/api/v1/chat/completions', body: olderChat },
  'perplexity-chat': { path: '/chat/completions', body: olderChat },
  'cohere-chat': { path: '/v2/chat', body: olderChat },
  'cohere-embed': { path: '/v2/embed', body: {} },
  'groq-speech': { path: '/openai/v1/audio/speech', body: { input: 'Hi', voice: 'tara' } },
  'groq-transcription': {
    path: '/openai/v1/audio/transcriptions',
    body: { file: recording(), response_format: 'verbose_json' },
  },
};

/** Where the API of one format has another path. */
const otherPaths: Readonly<Record<string, string>> = {
  'fireworks compatible-chat': '/inference/v1/chat/completions',
  'fireworks compatible-completions': '/inference/v1/completions',
  'cohere compatible-chat': '/compatibility/v1/chat/completions',
};

function requestFor({ provider, format, model, answer, request: asked }: UsageFixture): {
  path: string;
  body: BodyInit;
} {
  const { body } = requests[format];
  const path = otherPaths[`${provider} ${format}`] ?? requests[format].path;
  const isStream = 'events' in answer;
  if (path.includes('{model}')) {
    const isArray = 'body' in answer && Array.isArray(answer.body);
    const method = isStream ? 'streamGenerateContent?alt=sse' : isArray ? 'streamGenerateContent' : 'generateContent';
    const place = path.replace('{model}', model).replace('generateContent', method);
    return { path: place, body: JSON.stringify({ ...body, ...asked }) };
  }
  const all = { model, ...body, ...asked, ...(isStream && format !== 'openai-speech' ? { stream: true } : {}) };
  return { path, body: format.endsWith('transcription') ? formOf(all) : JSON.stringify(all) };
}

function formOf(members: object): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(members)) form.append(name, value instanceof Blob ? value : String(value));
  return form;
}

/** A second of silence: a WAV header for 8,000 samples of one byte, and these. */
function recording(): File {
  const fields = '52494646641f000057415645666d74201000000001000100401f0000401f00000100080064617461401f0000';
  return new File([Buffer.from(fields, 'hex'), new Uint8Array(8000).fill(128)], 'silence.wav', { type: 'audio/wav' });
}

/** As the provider sends it. */
function responseOf({ answer }: UsageFixture): Response {
  if ('body' in answer) return Response.json(answer.body);
  const events = answer.events.map((data) => {
    const type = recordOf(data)['type'];
    const name = typeof type === 'string' ? `event: ${type}\n` : '';
    return `${name}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
  });
  return new Response(events.join(''), { headers: { 'content-type': 'text/event-stream' } });
}

eachDatabase((_kind, open) => {
  let upstream: Recorder;
  let server: TestServer;
  let token: string;
  let accessToken: string;
  let answer: () => Response;

  beforeAll(async () => {
    upstream = startRecorder(() => answer());
    const clock = new TestClock();
    clock.advance(Date.parse(`${today}T12:00:00Z`) - clock.now().getTime());
    const settings = Object.fromEntries(
      Object.keys(secrets).map((id) => [`KEYPASS_${id.toUpperCase()}_BASE_URL`, upstream.origin]),
    );
    server = await startTestServer({ database: await open(), settings, clock });
    const opened = await openVault(server);
    token = opened.token;
    for (const [provider, secret] of Object.entries(secrets)) await opened.vault.keys.add({ provider, secret });
    ({ accessToken } = await opened.vault.connections.create({
      name: 'Examples',
      providers: Object.keys(secrets),
      scopes: ['chat', 'embeddings', 'images', 'audio'],
      budgetCents: 100_000,
    }));
  });

  afterAll(async () => {
    await server.stop();
    await upstream.stop();
  });

  /** Sends what asks for it and returns the receipt, which must be the newest. */
  async function receiptFor(provider: string, path: string, body: BodyInit) {
    const sent = await fetch(`${server.url}/v1/proxy/passthrough/${provider}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${accessToken}`,
        ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
      },
      body,
    });
    expect([sent.status, sent.headers.get('x-keypass-error')]).toEqual([200, null]);
    await sent.arrayBuffer();
    await server.settled();
    const listed = await call(server, 'GET', '/v1/usage/calls?limit=1', { token });
    const [receipt] = (Array.isArray(listed.data['items']) ? listed.data['items'] : []).map(recordOf);
    return receipt;
  }

  test.each(examples.map((example) => [`${example.format}: ${example.name}`, example] as const))(
    '%s',
    async (_, example) => {
      answer = () => responseOf(example);
      const { path, body } = requestFor(example);
      const receipt = await receiptFor(example.provider, path, body);
      expect(receipt).toMatchObject({ model: example.model, cost: example.cost, quality: 'measured' });
      const rows = await server.database.sql<{ cost: bigint; provider: string }[]>`
        select cost, provider from receipts where call_id = ${String(receipt?.['id'])}`;
      expect([...rows]).toEqual([{ cost: parseUsd(example.cost), provider: example.provider }]);
    },
  );

  test('speech by the character states no usage: its text is counted', async () => {
    answer = () => new Response(new Uint8Array(64), { headers: { 'content-type': 'audio/mpeg' } });
    // 17 characters × $15/M. https://developers.openai.com/api/docs/models/tts-1
    const body = JSON.stringify({ model: 'tts-1', voice: 'alloy', input: 'Grüße aus Berlin!' });
    expect(await receiptFor('openai', '/v1/audio/speech', body)).toMatchObject({
      cost: '0.000255',
      quality: 'measured',
      usage: { characters: 17 },
    });
  });
});
