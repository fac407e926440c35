import type { Socket } from 'bun';
import { wholeLength } from './http-text.ts';

/** Frames of a stream, and the milliseconds between two of them. */
export const stream = { frames: 50, everyMs: 20 } as const;

export interface Upstream {
  readonly port: number;
  /** The key that the last request brought: proof that a subject does its work. */
  readonly lastKey: () => string;
  stop(): void;
}

const usage = { prompt_tokens: 9, completion_tokens: 10, total_tokens: 19 };
const completion = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello! How can I help you?' }, finish_reason: 'stop' }],
  usage,
});
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${completion.length}\r\n\r\n${completion}`,
);
const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

/**
 * A provider that costs next to nothing: fixed bytes on a bare socket, and streams whose frames say when they were sent.
 * It runs in the load generator's own process, so that both read one clock.
 */
export function startUpstream(): Upstream {
  let lastRequest = '';
  const server = Bun.listen<{ pending: string }>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(socket) {
        socket.data = { pending: '' };
      },
      data(socket, chunk) {
        const text = socket.data.pending + chunk.toString('latin1');
        const length = wholeLength(text);
        socket.data.pending = length === undefined ? text : text.slice(length);
        if (length === undefined) return;
        lastRequest = text;
        if (text.includes('"stream":true')) sendStream(socket, text.includes('"include_usage":true'));
        else socket.write(answer);
      },
    },
  });
  return {
    port: server.port,
    lastKey: () => /^authorization: *Bearer +(\S+)/im.exec(lastRequest)?.[1] ?? '',
    stop: () => server.stop(true),
  };
}

function sendStream(socket: Socket<{ pending: string }>, withUsage: boolean): void {
  const startedAt = performance.now();
  let sent = 0;
  const next = (): void => {
    socket.write((sent === 0 ? streamHead : '') + framed(frame(withUsage)));
    sent += 1;
    if (sent < stream.frames) {
      setTimeout(next, Math.max(0, startedAt + sent * stream.everyMs - performance.now()));
      return;
    }
    const last = withUsage ? event({ choices: [], usage }) : '';
    socket.write(`${framed(`${last}data: [DONE]\n\n`)}0\r\n\r\n`);
  };
  next();
}

/** What is between the brackets is read by the load generator: milliseconds of the common clock. */
function frame(withUsage: boolean): string {
  const delta = { content: `<${performance.now()}>` };
  return event({ choices: [{ index: 0, delta, finish_reason: null }], ...(withUsage ? { usage: null } : {}) });
}

function event(members: object): string {
  const chat = { id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini' };
  return `data: ${JSON.stringify({ ...chat, ...members })}\n\n`;
}

function framed(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}
