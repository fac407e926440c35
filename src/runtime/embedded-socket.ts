import { Duplex } from 'node:stream';
import { KeyPassError } from '../errors.ts';

/** One message in, all that the engine answers out. It runs to the end before it returns. */
export type Exchange = (message: Uint8Array) => Uint8Array[];

// Frontend messages, https://www.postgresql.org/docs/15/protocol-message-formats.html
const terminate = 'X'.charCodeAt(0);
const cancelRequest = 80_877_102;
const encryptionRequests = new Set([80_877_103, 80_877_104]);
const encryptionRefused = Buffer.from('N');
const requestCodeOffset = 4;
const startupHeaderLength = 8;

/**
 * The client's end of a connection to the engine, for postgres.js's `socket` option. postgres.js writes whole messages
 * only, and the engine answers a batch of them at once, ReadyForQuery and errors as a server would.
 */
export class EmbeddedSocket extends Duplex {
  readonly #exchange: Exchange;
  readonly #claim: (socket: EmbeddedSocket) => void;
  #started = false;

  /** `claim` is told before the session starts, and throws when another one is under way. */
  constructor(exchange: Exchange, claim: (socket: EmbeddedSocket) => void) {
    super();
    this.#exchange = exchange;
    this.#claim = claim;
  }

  /** What postgres.js asks of a `net.Socket` before it says goodbye. */
  get readyState(): 'open' | 'closed' {
    return this.destroyed ? 'closed' : 'open';
  }

  override _read(): void {
    // Answers are pushed as they come.
  }

  override _write(message: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    // Not at once: postgres.js does not expect the answer before its own `write` has returned.
    queueMicrotask(() => {
      if (this.destroyed) return done();
      try {
        this.#take(message);
        done();
      } catch (error) {
        done(error instanceof Error ? error : new Error('The embedded database failed.', { cause: error }));
      }
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    done();
    this.destroy();
  }

  #take(message: Uint8Array): void {
    if (!this.#started) return this.#start(message);
    if (message[0] === terminate) {
      this.destroy();
      return;
    }
    for (const answer of this.#exchange(message)) this.push(answer);
  }

  #start(message: Uint8Array): void {
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    const code = message.byteLength < startupHeaderLength ? 0 : view.getInt32(requestCodeOffset);
    if (encryptionRequests.has(code)) {
      this.push(encryptionRefused);
      return;
    }
    // Statements run to their end before a request to cancel one can be heard.
    if (code === cancelRequest) {
      this.destroy();
      return;
    }
    this.#claim(this);
    this.#started = true;
    for (const answer of this.#exchange(message)) this.push(answer);
  }
}

/** The failure after which the engine can't go on; whoever waits for an answer gets it. */
export function engineFailure(message: string, cause?: unknown): KeyPassError {
  return new KeyPassError('database_unavailable', message, { cause });
}
