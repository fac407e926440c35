import type { JsonObject } from '../../money/json.ts';
import type { ProviderId } from '../../providers/index.ts';
import type { AddressedChat } from './address.ts';
import { fromAnthropic, toAnthropic } from './anthropic.ts';
import { AnthropicStream } from './anthropic-stream.ts';
import { asksForUsage, parseChat } from './chat.ts';
import type { ChunkReader } from './chunks.ts';
import type { CallFacts, ChatCompletion } from './completion.ts';
import { fromGoogle, toGoogle } from './google.ts';
import { GoogleStream } from './google-stream.ts';
import { malformed } from './refusal.ts';

/** What a chat is at its provider: a listed endpoint, its body, and the way back. */
export interface Exchange extends Wire {
  readonly provider: ProviderId;
  readonly model: string;
}

interface Wire {
  readonly path: string;
  /** Without the question mark; empty if there is none. */
  readonly query: string;
  readonly body: JsonObject;
  readonly isStream: boolean;
  /** Absent where the provider speaks OpenAI's chat itself: then its answers stay as they are. */
  readonly translation?: Translation;
}

export interface Translation {
  whole(answer: JsonObject, facts: CallFacts): ChatCompletion;
  stream(facts: CallFacts): ChunkReader;
}

/** Throws `invalid_request` and `unsupported_parameter`, with the parameter's name. */
export function exchangeFor(chat: AddressedChat): Exchange {
  const { provider, model } = chat;
  return { provider, model, ...wires[provider](chat) };
}

const wires: Record<ProviderId, (chat: AddressedChat) => Wire> = {
  openai: ({ body }) => sameShape('/v1/chat/completions', body),
  groq: ({ body }) => sameShape('/openai/v1/chat/completions', body),
  anthropic: ({ body }) => anthropicWire(body),
  google: ({ model, body }) => googleWire(model, body),
};

function sameShape(path: string, body: JsonObject): Wire {
  return { path, query: '', body, isStream: body['stream'] === true };
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
  // Google's lists name a model with its collection; the path has the collection already.
  const name = model.replace(/^models\//, '');
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) throw malformed('model', "one of Google's names, such as gemini-2.5-flash");
  const translation = {
    whole: fromGoogle,
    stream: (facts: CallFacts) => new GoogleStream(facts, asksForUsage(body)),
  };
  return {
    path: `/v1beta/models/${name}:${chat.stream ? 'streamGenerateContent' : 'generateContent'}`,
    query: chat.stream ? 'alt=sse' : '',
    body: toGoogle(chat),
    isStream: chat.stream,
    translation,
  };
}
