import { Duplex } from 'node:stream';

/** One batch of messages in, all that the engine answers out. It runs to its end before anything else happens. */
export type Exchange = (messages: Uint8Array) => Promise<Uint8Array>;

// Frontend messages, https://www.postgresql.org/docs/15/protocol-message-formats.html
const terminate = 'X'.charCodeAt(0);
const cancelRequest = 80_877_102;
const encryptionRequests = new Set([80_877_103, 80_877_104]);
const encryptionRefused = 'N';
const requestCodeOffset = 4;
const startupHeaderLength = 8;

/**
 * The client's end of a connection to the engine, for postgres.js's `socket` option. postgres.js writes whole messages
 * only, and the engine answers a batch of them at once, with ReadyForQuery and errors as a server would.
 */
export class EmbeddedSocket extends Duplex {
  readonly #exchange: Exchange;
  readonly #claim: (socket: EmbeddedSocket) => Promise<void>;
  #started = false;

  /** `claim` is awaited before the session starts, and rejects when there can't be one. */
  constructor(exchange: Exchange, claim: (socket: EmbeddedSocket) => Promise<void>) {
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

  override _write(messages: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    void this.#answer(messages, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    done();
    this.destroy();
  }

  async #answer(messages: Uint8Array, done: (error?: Error | null) => void): Promise<void> {
    try {
      await this.#take(messages);
    } catch (error) {
      return done(error instanceof Error ? error : new Error('The engine failed.', { cause: error }));
    }
    done();
  }

  async #take(messages: Uint8Array): Promise<void> {
    if (this.#started) {
      if (messages[0] === terminate) this.destroy();
      else this.push(await this.#exchange(messages));
      return;
    }
    const code = requestCode(messages);
    if (encryptionRequests.has(code)) {
      this.push(encryptionRefused, 'latin1');
    } else if (code === cancelRequest) {
      // By the time it is heard, the statement has run to its end.
      this.destroy();
    } else {
      await this.#claim(this);
      this.#started = true;
      this.push(await this.#exchange(messages));
    }
  }
}

function requestCode(message: Uint8Array): number {
  if (message.byteLength < startupHeaderLength) return 0;
  return new DataView(message.buffer, message.byteOffset, message.byteLength).getInt32(requestCodeOffset);
}
