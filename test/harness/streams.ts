/** What the providers' APIs send, as their references show it, and the requests that ask for it. */

export const openaiChat = '/openai/v1/chat/completions';
export const bodies = {
  openai: { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 500, stream: true },
  anthropic: { model: 'claude-sonnet-4-5', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 500, stream: true },
  google: { contents: [{ parts: [{ text: 'Hi' }] }], generationConfig: { maxOutputTokens: 500 } },
};

export const delta = (content: string, extra = '') =>
  `data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}},"finish_reason":null}]${extra}}\n\n`;
export const stop = (extra = '') =>
  `data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]${extra}}\n\n`;
export const usageEvent =
  'data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}\n\n';
export const done = 'data: [DONE]\n\n';

/** What OpenAI sends when asked for usage, and what it would have sent without. */
export const asked =
  delta('Grüße ', ',"usage":null') +
  delta('🙂 "usage":null', ',"usage":null') +
  stop(',"usage":null') +
  usageEvent +
  done;
export const plain = delta('Grüße ') + delta('🙂 "usage":null') + stop() + done;

export const anthropicStream =
  'event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":"claude-sonnet-4-5","usage":{"input_tokens":11,"output_tokens":1}}}\n\n' +
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Grüße 🙂"}}\n\n' +
  'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}}\n\n' +
  'event: message_stop\ndata: {"type":"message_stop"}\n\n';

export const googleStream =
  'data: {"candidates":[{"content":{"parts":[{"text":"Grüße"}]}}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":1,"totalTokenCount":6},"modelVersion":"gemini-2.5-flash"}\r\n\r\n' +
  'data: {"candidates":[{"content":{"parts":[{"text":" 🙂"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":3,"totalTokenCount":8},"modelVersion":"gemini-2.5-flash"}\r\n\r\n';
