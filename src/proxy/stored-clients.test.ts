import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import Groq from 'groq-sdk';
import OpenAI, { toFile } from 'openai';
import { startProxy, type ProxyHarness } from '../../test/harness/proxy.ts';
import { startRecorder, type RecordedRequest, type Recorder } from '../../test/harness/upstream.ts';
import { policyScopes } from '../crypto/index.ts';

/** The official clients' files and stored chats: straight at a provider and through KeyPass, what arrives must be the same. */
let upstream: Recorder;
let keypass: ProxyHarness;

const bytes = crypto.getRandomValues(new Uint8Array(300_000));
const uploads = new Map<string, number>();

beforeAll(() => {
  upstream = startRecorder(answer);
  keypass = startProxy({ origin: upstream.origin, policy: { scopes: [...policyScopes] } });
});

afterAll(async () => {
  await keypass.stop();
  await upstream.stop();
});

/** As the APIs answer, as far as the clients look. */
function answer({ method, path, headers, bytes: body }: RecordedRequest): Response {
  if (path.startsWith('/upload/')) return uploadAnswer(path, headers, body);
  if (path.endsWith('/content')) {
    return new Response(bytes, {
      headers: { 'content-type': 'application/octet-stream', 'content-disposition': 'attachment; filename="a.bin"' },
    });
  }
  if (method === 'DELETE') return Response.json({ id: 'x_1', deleted: true });
  if (method === 'GET' && /\/(files|items|input_items|batches|vector_stores|conversations)(\?|$)/.test(path)) {
    return Response.json({ object: 'list', data: [{ id: 'x_1' }], has_more: false, files: [{ name: 'files/x1' }] });
  }
  return Response.json({ id: 'x_1', status: 'completed', output: [], name: 'files/x1', uri: 'https://x/files/x1' });
}

/** Google's resumable protocol: the first answer names where the bytes go, on its own host. */
function uploadAnswer(path: string, headers: Headers, body: Uint8Array): Response {
  const command = headers.get('x-goog-upload-command') ?? '';
  const id = new URLSearchParams(path.split('?')[1] ?? '').get('upload_id');
  if (id === null) {
    const next = crypto.randomUUID();
    uploads.set(next, 0);
    const [own = ''] = path.split('?');
    const url = `${upstream.origin}${own}?upload_id=${next}&upload_protocol=resumable`;
    return new Response(null, { headers: { 'x-goog-upload-url': url, 'x-goog-upload-control-url': url } });
  }
  const at = uploads.get(id);
  if (at !== Number(headers.get('x-goog-upload-offset'))) return new Response('wrong offset', { status: 400 });
  uploads.set(id, at + body.length);
  const isLast = command.includes('finalize');
  return Response.json(isLast ? { file: { name: 'files/x1', sizeBytes: String(at + body.length) } } : {}, {
    headers: { 'x-goog-upload-status': isLast ? 'final' : 'active' },
  });
}

interface At {
  /** Base URL of an API: direct, or its drop-in. */
  readonly url: (mount: string, direct?: string) => string;
  readonly apiKey: string;
}

type Scenario = (at: At) => Promise<unknown>;

const openai = ({ url, apiKey }: At) => new OpenAI({ baseURL: url('/openai/v1', '/v1'), apiKey, maxRetries: 0 });
const anthropic = ({ url, apiKey }: At) => new Anthropic({ baseURL: url('/anthropic'), apiKey, maxRetries: 0 });
const groq = ({ url, apiKey }: At) => new Groq({ baseURL: url('/groq'), apiKey, maxRetries: 0 });
const google = ({ url, apiKey }: At) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url('/google') } });
const file = () => new File([bytes], 'ä "b".jsonl', { type: 'application/jsonl' });
const uploaded = () => toFile(bytes, 'a.jsonl');

const scenarios: [string, Scenario][] = [
  ['openai files.create', async (at) => openai(at).files.create({ file: file(), purpose: 'user_data' })],
  [
    'openai files.create with an expiry',
    async (at) =>
      openai(at).files.create({
        file: await uploaded(),
        purpose: 'batch',
        expires_after: { anchor: 'created_at', seconds: 3600 },
      }),
  ],
  [
    'openai files.list',
    async (at) => (await openai(at).files.list({ purpose: 'user_data', limit: 5, order: 'asc' })).data,
  ],
  ['openai files.retrieve', async (at) => openai(at).files.retrieve('file-1')],
  ['openai files.content', async (at) => (await openai(at).files.content('file-1')).bytes()],
  ['openai files.delete', async (at) => openai(at).files.delete('file-1')],
  [
    'openai uploads',
    async (at) => {
      const client = openai(at);
      const upload = await client.uploads.create({
        bytes: 9,
        filename: 'a',
        mime_type: 'text/plain',
        purpose: 'user_data',
      });
      await client.uploads.parts.create(upload.id, { data: file() });
      return client.uploads.complete(upload.id, { part_ids: ['part_1'] });
    },
  ],
  [
    'openai responses.retrieve',
    async (at) =>
      openai(at).responses.retrieve('resp_1', {
        include: ['reasoning.encrypted_content', 'message.input_image.image_url'],
      }),
  ],
  ['openai responses.delete', async (at) => openai(at).responses.delete('resp_1')],
  ['openai responses.cancel', async (at) => openai(at).responses.cancel('resp_1')],
  [
    'openai responses.inputItems',
    async (at) => (await openai(at).responses.inputItems.list('resp_1', { limit: 2 })).data,
  ],
  [
    'openai conversations',
    async (at) => {
      const { conversations } = openai(at);
      const { id } = await conversations.create({ items: [{ role: 'user', content: 'x' }], metadata: { a: 'b' } });
      await conversations.items.create(id, {
        items: [{ role: 'user', content: 'y' }],
        include: ['file_search_call.results'],
      });
      await conversations.items.retrieve('msg_1', { conversation_id: id });
      await conversations.items.list(id, { limit: 2 });
      await conversations.update(id, { metadata: { a: 'c' } });
      return conversations.delete(id);
    },
  ],
  [
    'openai stored completions',
    async (at) => {
      const { completions } = openai(at).chat;
      await completions.retrieve('chatcmpl-1');
      await completions.update('chatcmpl-1', { metadata: { a: 'b' } });
      return completions.delete('chatcmpl-1');
    },
  ],
  [
    'openai vectorStores',
    async (at) => {
      const { vectorStores } = openai(at);
      const store = await vectorStores.create({ name: 'a', file_ids: ['file-1'] });
      await vectorStores.files.create(store.id, { file_id: 'file-2' });
      await vectorStores.list({ limit: 3 });
      return vectorStores.delete(store.id);
    },
  ],
  [
    'openai batches',
    async (at) => {
      const { batches } = openai(at);
      const batch = await batches.create({ input_file_id: 'f', endpoint: '/v1/responses', completion_window: '24h' });
      await batches.retrieve(batch.id);
      return batches.cancel(batch.id);
    },
  ],
  [
    'anthropic beta.files.upload',
    async (at) => anthropic(at).beta.files.upload({ file: file(), betas: ['files-api-2025-04-14'] }),
  ],
  ['anthropic beta.files.list', async (at) => (await anthropic(at).beta.files.list({ limit: 5 })).data],
  ['anthropic beta.files.download', async (at) => (await anthropic(at).beta.files.download('file_1')).bytes()],
  ['anthropic beta.files.retrieveMetadata', async (at) => anthropic(at).beta.files.retrieveMetadata('file_1')],
  ['anthropic beta.files.delete', async (at) => anthropic(at).beta.files.delete('file_1')],
  ['groq files.create', async (at) => groq(at).files.create({ file: await uploaded(), purpose: 'batch' })],
  ['groq files.list', async (at) => groq(at).files.list()],
  ['groq files.content', async (at) => (await groq(at).files.content('file_1')).bytes()],
  ['groq files.delete', async (at) => groq(at).files.delete('file_1')],
  [
    'groq batches',
    async (at) => {
      const { batches } = groq(at);
      await batches.create({ input_file_id: 'f', endpoint: '/v1/chat/completions', completion_window: '24h' });
      await batches.list();
      return batches.cancel('batch_1');
    },
  ],
  [
    'google files.upload',
    async (at) =>
      google(at).files.upload({ file: new Blob([bytes]), config: { mimeType: 'audio/wav', displayName: 'grün' } }),
  ],
  ['google files.get', async (at) => google(at).files.get({ name: 'files/x1' })],
  ['google files.list', async (at) => (await google(at).files.list({ config: { pageSize: 5 } })).page],
  ['google files.delete', async (at) => google(at).files.delete({ name: 'files/x1' })],
];

/** What a request says, without what differs from one to the next: boundaries, ids of uploads. */
function told({ method, path, headers, bytes: body }: RecordedRequest) {
  const type = headers.get('content-type') ?? '';
  const [, boundary = ''] = /boundary="?([^";]+)/.exec(type) ?? [];
  const text = new TextDecoder('latin1').decode(body);
  // A body that a GET or DELETE has from a client means nothing (RFC 9110, 9.3), and goes no further.
  const hasBody = method === 'POST';
  const steering = [...headers].filter(([name]) => /^(anthropic|openai|x-goog-upload)-/.test(name));
  return {
    line: `${method} ${path.replace(/upload_id=[\da-f-]+/, 'upload_id=…')}`,
    ...(hasBody && {
      type: boundary === '' ? type : type.replaceAll(boundary, '…'),
      body: boundary === '' ? text : text.replaceAll(boundary, '…'),
      length: headers.get('content-length'),
    }),
    steering: Object.fromEntries(steering),
  };
}

/** Google's client hands the answer's headers on. */
const withoutHeaders = (name: string, value: unknown) => (name === 'sdkHttpResponse' ? undefined : value);

async function run(scenario: Scenario, at: At) {
  const from = upstream.requests.length;
  const result = await scenario(at);
  const shown = result instanceof Uint8Array ? result.toBase64() : JSON.stringify(result, withoutHeaders);
  return { result: shown, requests: upstream.requests.slice(from).map(told) };
}

describe('through KeyPass as at the provider', () => {
  test.each(scenarios)('%s', async (_, scenario) => {
    const direct = await run(scenario, { url: (_mount, own = '') => upstream.origin + own, apiKey: 'own' });
    const through = await run(scenario, { url: (mount) => keypass.url + mount, apiKey: keypass.token });
    expect(through.requests).toEqual(direct.requests);
    expect(through.result).toEqual(direct.result);
    expect(through.requests.length).toBeGreaterThan(0);
    expect(JSON.stringify(through.requests)).not.toContain(keypass.token);
  });
});
