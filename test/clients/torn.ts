import type { StandIn } from '../harness/providers.ts';

/** The first events of a stream with the text `Hel`, and the event with which the provider tells that it can't go on. */
interface TornStream {
  readonly start: string;
  readonly error: string;
}

export type Wire = 'openai-chat' | 'openai-responses' | 'anthropic' | 'google' | 'groq';

function named(type: string, members: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`;
}

function unnamed(data: object, newline = '\n'): string {
  return `data: ${JSON.stringify(data)}${newline}${newline}`;
}

const chunk = (model: string) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model,
  choices: [{ index: 0, delta: { role: 'assistant', content: 'Hel' }, finish_reason: null }],
});

const response = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'gpt-4o-mini',
  status: 'in_progress',
  output: [],
};
const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] };
const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-4-8',
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: 9, output_tokens: 1 },
};

/** As each API writes them (the reference of each, and the types of its official client). */
export const torn: Readonly<Record<Wire, TornStream>> = {
  'openai-chat': {
    start: unnamed(chunk('gpt-4o-mini')),
    error: unnamed({ error: { message: 'Overloaded', type: 'server_error', code: 'overloaded', param: null } }),
  },
  'openai-responses': {
    start: [
      named('response.created', { sequence_number: 0, response }),
      named('response.output_item.added', { sequence_number: 1, output_index: 0, item }),
      named('response.content_part.added', {
        sequence_number: 2,
        ...place,
        part: { type: 'output_text', text: '', annotations: [] },
      }),
      named('response.output_text.delta', { sequence_number: 3, ...place, delta: 'Hel', logprobs: [] }),
    ].join(''),
    error: named('error', { sequence_number: 4, code: 'server_error', message: 'Overloaded', param: null }),
  },
  anthropic: {
    start: [
      named('message_start', { message }),
      named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hel' } }),
    ].join(''),
    error: named('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }),
  },
  google: {
    start: unnamed({ candidates: [{ content: { role: 'model', parts: [{ text: 'Hel' }] }, index: 0 }] }, '\r\n'),
    error: unnamed({ error: { code: 503, message: 'Overloaded', status: 'UNAVAILABLE' } }, '\r\n'),
  },
  groq: {
    start: unnamed({ ...chunk('llama-3.3-70b-versatile'), x_groq: { id: 'req_1' } }),
    error: `event: error\n${unnamed({ error: { message: 'Overloaded', type: 'internal_server_error', code: 503 } })}`,
  },
};

/** A provider's own, as its chat writes it. */
export function wireOf(provider: StandIn): TornStream {
  return torn[provider === 'openai' ? 'openai-chat' : provider];
}
