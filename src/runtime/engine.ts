import type { PGlite } from '@electric-sql/pglite';
import { EmbeddedSocket } from './embedded-socket.ts';

/** The embedded database as a server of one connection. */
export interface Engine {
  /** The client's end of a new connection. The one before must have ended. */
  connect(): EmbeddedSocket;
  close(): Promise<void>;
}

/**
 * Serves an opened PGlite. `onFailure` is told once, when the engine has given up (a full disk, a damaged file): from
 * then on every statement fails, and only a new process can recover what was acknowledged.
 */
export function serveEngine(pglite: PGlite, onFailure: (error: Error) => void = () => {}): Engine {
  let session: EmbeddedSocket | undefined;
  let failure: Error | undefined;

  async function exchange(messages: Uint8Array): Promise<Uint8Array> {
    if (failure !== undefined) throw failure;
    const parts: Uint8Array[] = [];
    await pglite.execProtocolRawStream(messages, {
      syncToFs: false,
      // The bytes lie in the engine's memory and are overwritten next.
      onRawData: (bytes) => parts.push(bytes.slice()),
    });
    const answer = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    if (reportsFailure(answer)) {
      failure = new EngineFailure();
      onFailure(failure);
      throw failure;
    }
    return answer;
  }

  async function claim(socket: EmbeddedSocket): Promise<void> {
    if (session !== undefined) {
      if (!session.destroyed) throw new Error('The embedded database serves one connection at a time.');
      // The engine has one session for life, with whatever the client before left in it.
      await exchange(simpleQuery('rollback'));
      await exchange(simpleQuery('discard all'));
    }
    // It takes no settings from a client that starts. Plans are kept, and tables grow and fill with dead rows.
    await exchange(simpleQuery('set enable_seqscan = off'));
    session = socket;
  }

  return {
    connect: () => new EmbeddedSocket(exchange, claim),
    close: async () => {
      session?.destroy();
      if (!pglite.closed) await pglite.close();
    },
  };
}

class EngineFailure extends Error {
  override readonly name = 'EngineFailure';
  // A lost connection is what it means to whoever waits for an answer.
  readonly code = 'ECONNRESET';

  constructor() {
    super('The embedded database stopped: its disk may be full or damaged. Make room and start KeyPass again.');
  }
}

const errorResponse = 'E'.charCodeAt(0);
const severityField = 'V'.charCodeAt(0);
const messageHeaderLength = 5;

/**
 * Whether the answer holds a FATAL or PANIC error, after which PostgreSQL ends its process. PGlite goes on, without
 * ReadyForQuery and with undefined state.
 */
function reportsFailure(answer: Uint8Array): boolean {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  let start = 0;
  while (start + messageHeaderLength <= answer.byteLength) {
    const end = start + 1 + view.getInt32(start + 1);
    if (answer[start] === errorResponse && isFatal(answer.subarray(start + messageHeaderLength, end))) return true;
    start = end;
  }
  return false;
}

/** Reads the severity, which is never translated, out of the fields: a type byte and a text that ends with zero each. */
function isFatal(fields: Uint8Array): boolean {
  let start = 0;
  while (start < fields.length && fields[start] !== 0) {
    const end = fields.indexOf(0, start);
    if (fields[start] === severityField) {
      const severity = new TextDecoder().decode(fields.subarray(start + 1, end));
      return severity === 'FATAL' || severity === 'PANIC';
    }
    start = end + 1;
  }
  return false;
}

function simpleQuery(statement: string): Uint8Array {
  const text = new TextEncoder().encode(`${statement}\0`);
  const message = new Uint8Array(messageHeaderLength + text.length);
  message[0] = 'Q'.charCodeAt(0);
  new DataView(message.buffer).setInt32(1, message.length - 1);
  message.set(text, messageHeaderLength);
  return message;
}
