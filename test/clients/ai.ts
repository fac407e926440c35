import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createGroq } from '@ai-sdk/groq';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embed, embedMany, generateImage, generateSpeech, transcribe } from 'ai';
import { chatScenarios, type Models } from './ai-chat.ts';
import * as ask from './prompts.ts';
import type { Client, Target } from './scenario.ts';
import { answers } from './upstream.ts';

const openaiOf = ({ root, apiKey }: Target) => createOpenAI({ baseURL: `${root}/v1`, apiKey });
const googleOf = ({ root, apiKey }: Target) => createGoogle({ baseURL: `${root}/v1beta`, apiKey });
const groqOf = ({ root, apiKey }: Target) => createGroq({ baseURL: `${root}/openai/v1`, apiKey });
const compatibleOf = ({ root, apiKey }: Target) =>
  createOpenAICompatible({ name: 'keypass', baseURL: `${root}/v1`, apiKey, supportsStructuredOutputs: true });

type EmbeddingModel = Parameters<typeof embed>[0]['model'];
type TranscriptionModel = Parameters<typeof transcribe>[0]['model'];

const retries = { maxRetries: 0 };

/** Made for every call: how long it took, and what it was called. */
async function embedded(model: EmbeddingModel): Promise<unknown> {
  const { value, embedding, usage, warnings, response, providerMetadata } = await embed({
    model,
    value: ask.hello,
    ...retries,
  });
  return { value, embedding, usage, warnings, response, providerMetadata };
}

async function manyEmbedded(model: EmbeddingModel): Promise<unknown> {
  const values = [ask.hello, ask.brief];
  const { embeddings, usage, warnings, responses } = await embedMany({ model, values, ...retries });
  return { embeddings, usage, warnings, responses };
}

async function transcribed(model: TranscriptionModel): Promise<unknown> {
  const audio = ask.silence();
  const { text, segments, language, durationInSeconds, responses } = await transcribe({ model, audio, ...retries });
  return { text, segments, language, durationInSeconds, responses };
}

async function drawn(target: Target): Promise<unknown> {
  const { images, warnings, responses } = await generateImage({
    model: openaiOf(target).image('gpt-image-1'),
    prompt: 'A cat',
    size: '1024x1024',
    providerOptions: { openai: { quality: 'low' } },
    ...retries,
  });
  return { images: images.map(({ mediaType, base64 }) => ({ mediaType, base64 })), warnings, responses };
}

async function spoken(target: Target): Promise<unknown> {
  const model = openaiOf(target).speech('tts-1');
  const { audio, warnings, responses } = await generateSpeech({ model, text: ask.hello, voice: 'alloy', ...retries });
  return { mediaType: audio.mediaType, base64: audio.base64, warnings, responses };
}

const openaiModels: Models = {
  usual: (target) => openaiOf(target)('gpt-4o-mini'),
  thinking: (target) => openaiOf(target)('o4-mini'),
};
const compatibleModels: Models = {
  usual: (target) => compatibleOf(target)('gpt-4o-mini'),
  thinking: (target) => compatibleOf(target)('o4-mini'),
};
const anthropicModels: Models = {
  usual: ({ root, apiKey }) => createAnthropic({ baseURL: `${root}/v1`, apiKey })('claude-opus-4-8'),
  thinking: ({ root, apiKey }) => createAnthropic({ baseURL: `${root}/v1`, apiKey })('claude-opus-4-8'),
};
const googleModels: Models = {
  usual: (target) => googleOf(target)('gemini-2.5-flash'),
  thinking: (target) => googleOf(target)('gemini-2.5-flash'),
};
const groqModels: Models = {
  usual: (target) => groqOf(target)('openai/gpt-oss-20b'),
  thinking: (target) => groqOf(target)('openai/gpt-oss-20b'),
};

const vector = { values: [0.5, -0.25, 0.125] };

/** Vercel's `ai` with each of its packages. */
export const aiClients: readonly Client[] = [
  {
    name: '`@ai-sdk/openai`',
    packages: ['ai', '@ai-sdk/openai'],
    provider: 'openai',
    scenarios: {
      ...chatScenarios('openai-responses', openaiModels),
      embedding: (target) => embedded(openaiOf(target).embedding('text-embedding-3-small')),
      'several embeddings': (target) => manyEmbedded(openaiOf(target).embedding('text-embedding-3-small')),
      'picture made': drawn,
      speech: spoken,
      transcription: (target) => transcribed(openaiOf(target).transcription('whisper-1')),
    },
  },
  {
    name: '`@ai-sdk/anthropic`',
    packages: ['ai', '@ai-sdk/anthropic'],
    provider: 'anthropic',
    scenarios: chatScenarios('anthropic', anthropicModels),
  },
  {
    name: '`@ai-sdk/google`',
    packages: ['ai', '@ai-sdk/google'],
    provider: 'google',
    scenarios: {
      ...chatScenarios('google', googleModels),
      embedding: {
        run: (target) => embedded(googleOf(target).embedding('gemini-embedding-001')),
        plan: () => [answers({ embedding: vector })],
      },
      'several embeddings': {
        run: (target) => manyEmbedded(googleOf(target).embedding('gemini-embedding-001')),
        plan: () => [answers({ embeddings: [vector, vector] })],
      },
    },
  },
  {
    name: '`@ai-sdk/groq`',
    packages: ['ai', '@ai-sdk/groq'],
    provider: 'groq',
    scenarios: {
      ...chatScenarios('groq', groqModels),
      transcription: {
        run: (target) => transcribed(groqOf(target).transcription('whisper-large-v3-turbo')),
        plan: () => [answers({ text: 'Hello there.', x_groq: { id: 'req_1' } })],
      },
    },
  },
  {
    name: '`@ai-sdk/openai-compatible`',
    packages: ['ai', '@ai-sdk/openai-compatible'],
    provider: 'openai',
    scenarios: {
      ...chatScenarios('openai-chat', compatibleModels),
      embedding: (target) => embedded(compatibleOf(target).embeddingModel('text-embedding-3-small')),
      'several embeddings': (target) => manyEmbedded(compatibleOf(target).embeddingModel('text-embedding-3-small')),
    },
  },
];
