import OpenAI from 'openai';
import * as ask from './prompts.ts';
import { collected, type Client, type Target } from './scenario.ts';
import { answers } from './upstream.ts';

function clientFor({ root, apiKey }: Target): OpenAI {
  return new OpenAI({ baseURL: `${root}/v1`, apiKey, maxRetries: 0 });
}

const recording = () => new File([ask.silence()], 'hello.wav', { type: 'audio/wav' });
const picture = () => new File([Uint8Array.fromBase64(ask.png)], 'dot.png', { type: 'image/png' });

const notAllowed = {
  by: 'any',
  error: { class: 'PermissionDeniedError', status: 403, code: 'endpoint_not_allowed' },
  reason: 'refused: `endpoint_not_allowed`',
} as const;

/** Everything of the `openai` client that is neither chat nor responses. */
export const openaiMedia: Client['scenarios'] = {
  embedding: (target) =>
    clientFor(target).embeddings.create({
      model: 'text-embedding-3-small',
      input: ask.hello,
      encoding_format: 'float',
      dimensions: 3,
    }),
  'several embeddings': (target) =>
    clientFor(target).embeddings.create({ model: 'text-embedding-3-small', input: [ask.hello, ask.brief] }),
  // KeyPass lists those of the other providers too, as `provider/model`.
  'list of models': {
    run: async (target) => {
      const models = await collected(await clientFor(target).models.list());
      return models.filter(({ id }) => !id.includes('/'));
    },
    comparesResultsOnly: true,
  },
  'one model': {
    comparesResultsOnly: true,
    run: (target) => clientFor(target).models.retrieve('gpt-4o-mini'),
    plan: () => [answers({ id: 'gpt-4o-mini', object: 'model', created: 1, owned_by: 'openai' })],
  },
  'picture made': (target) =>
    clientFor(target).images.generate({ model: 'gpt-image-1', prompt: 'A cat', size: '1024x1024', quality: 'low' }),
  'picture edited': (target) =>
    clientFor(target).images.edit({
      model: 'gpt-image-1',
      prompt: 'A cat',
      image: picture(),
      size: '1024x1024',
      quality: 'low',
    }),
  speech: async (target) => {
    const request = { model: 'tts-1', voice: 'alloy', input: ask.hello };
    const answer = await clientFor(target).audio.speech.create(request);
    return { type: answer.headers.get('content-type'), bytes: await answer.arrayBuffer() };
  },
  transcription: (target) =>
    clientFor(target).audio.transcriptions.create({
      model: 'whisper-1',
      file: recording(),
      response_format: 'verbose_json',
      timestamp_granularities: ['segment'],
    }),
  translation: (target) => clientFor(target).audio.translations.create({ model: 'whisper-1', file: recording() }),
  moderation: {
    run: (target) => clientFor(target).moderations.create({ model: 'omni-moderation-latest', input: ask.hello }),
    refusal: notAllowed,
  },
  files: async (target) => {
    const { files } = clientFor(target);
    const file = await files.create({ file: new File(['{}'], 'lines.jsonl'), purpose: 'user_data' });
    return { file, again: await files.retrieve(file.id), gone: await files.delete(file.id) };
  },
};
