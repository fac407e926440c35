import type { JsonObject } from '../../money/json.ts';
import type { OpenAiChat, Provider } from '../../providers/index.ts';
import type { Addressed } from './address.ts';
import { toAnthropic } from './anthropic.ts';
import { fromAnthropic } from './anthropic-answer.ts';
import { AnthropicStream } from './anthropic-stream.ts';
import { asksForUsage, parseChat } from './chat.ts';
import type { ChunkReader } from './chunks.ts';
import type { CallFacts } from './completion.ts';
import { fromGoogle, toGoogle } from './google.ts';
import { GoogleStream } from './google-stream.ts';
import { fromOpenAi, toOpenAi } from './openai.ts';
import { OpenAiStream } from './openai-stream.ts';
import { malformed } from './refusal.ts';

/** What a chat is at its provider: a listed endpoint, its body, and the way back. */
export interface Exchange extends Wire {
  readonly provider: Provider;
  readonly model: string;
}

interface Wire {
  readonly path: string;
  /** Without the question mark; empty if there is none. */
  readonly query: string;
  readonly body: JsonObject;
  readonly isStream: boolean;
  /** Absent where the answers are OpenAI's own: then they stay as they are. */
  readonly translation?: Translation;
}

export interface Translation {
  whole(answer: JsonObject, facts: CallFacts): object;
  stream(facts: CallFacts): ChunkReader;
}

/** Throws `invalid_request` and `unsupported_parameter`, with the parameter's name. */
export function exchangeFor(chat: Addressed): Exchange {
  const { provider, model } = chat;
  return { provider, model, ...wireFor(chat) };
}

function wireFor({ provider, model, body }: Addressed): Wire {
  const { chat } = provider;
  if (chat.shape === 'openai') return openAiWire(provider, chat, body);
  return chat.shape === 'anthropic' ? anthropicWire(body) : googleWire(model, body);
}

function openAiWire(provider: Provider, chat: OpenAiChat, body: JsonObject): Wire {
  const isStream = body['stream'] === true;
  const wire = { path: chat.path, query: '', body: toOpenAi(provider, chat, body), isStream };
  if (chat.isExact === true) return wire;
  const stream = (facts: CallFacts) => new OpenAiStream(facts, asksForUsage(body));
  return { ...wire, translation: { whole: fromOpenAi, stream } };
}

function anthropicWire(body: JsonObject): Wire {
  const chat = parseChat(body);
  const translation = {
    whole: fromAnthropic,
    stream: (facts: CallFacts) => new AnthropicStream(facts, asksForUsage(body)),
  };
  return { path: '/v1/messages', query: '', body: toAnthropic(chat), isStream: chat.stream, translation };
}

function googleWire(model: string, body: JsonObject): Wire {
  const chat = parseChat(body);
  const translation = {
    whole: fromGoogle,
    stream: (facts: CallFacts) => new GoogleStream(facts, asksForUsage(body)),
  };
  return {
    path: `/v1beta/models/${googleName(model)}:${chat.stream ? 'streamGenerateContent' : 'generateContent'}`,
    query: chat.stream ? 'alt=sse' : '',
    body: toGoogle(chat),
    isStream: chat.stream,
    translation,
  };
}

/** The name of a model as Google's paths have it: its lists put the collection before it. Throws `invalid_request`. */
export function googleName(model: string): string {
  const name = model.replace(/^models\//, '');
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) throw malformed('model', "one of Google's names, such as gemini-2.5-flash");
  return name;
}
