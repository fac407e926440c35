/** One event of a stream (WHATWG HTML, 9.2.6), and the bytes it came in, with the blank line that ends it. */
export interface ServerSentEvent {
  readonly name: string | null;
  readonly data: string;
  readonly bytes: Uint8Array;
}

const lineFeed = 10;
const carriageReturn = 13;
const byteOrderMark = '\u{FEFF}';
/** It keeps the mark: what an event is without it depends on where it stands. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Cuts a stream of bytes into events, wherever its chunks are split. Holds no more than one event. */
export class EventSplitter {
  /** Begins with the event that is not complete; grows by doubling, so that a long one is not copied with each chunk. */
  #buffer: Uint8Array = new Uint8Array();
  #length = 0;
  readonly #longest: number;
  #isTooLong = false;
  #isAtStart = true;

  /** An event of more than `longest` bytes ends the reading: what follows is not split any more. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** The events that this chunk completes. */
  push(chunk: Uint8Array): ServerSentEvent[] {
    if (this.#isTooLong) return [];
    // An end is at most four bytes long: what was searched before is not searched again.
    const searched = Math.max(0, this.#length - 3);
    const bytes = this.#length === 0 ? chunk : this.#append(chunk);
    const events: ServerSentEvent[] = [];
    let start = 0;
    for (let end = endOfEvent(bytes, searched); end > 0; end = endOfEvent(bytes, start)) {
      events.push(this.#parse(bytes.subarray(start, end)));
      this.#isAtStart = false;
      start = end;
    }
    // Events that were given out are views: what is written from now on must not reach them.
    if (start > 0 || bytes === chunk) this.#buffer = bytes.subarray(start);
    this.#length = bytes.length - start;
    this.#isTooLong = this.#length > this.#longest;
    return events;
  }

  #append(chunk: Uint8Array): Uint8Array {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(length * 2);
      grown.set(this.pending);
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#length);
    return this.#buffer.subarray(0, length);
  }

  /** The bytes that belong to no complete event yet. */
  get pending(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** What is left at the stream's end, as the event that it would have been: some servers leave out the last blank line. */
  rest(): ServerSentEvent | undefined {
    return this.#length === 0 || this.#isTooLong ? undefined : this.#parse(this.pending);
  }

  #parse(bytes: Uint8Array): ServerSentEvent {
    const text = decoder.decode(bytes);
    // A mark of the byte order is no part of the first line; anywhere else it is.
    return eventOf(bytes, this.#isAtStart && text.startsWith(byteOrderMark) ? text.slice(1) : text);
  }

  /** An event was longer than allowed; `pending` is its beginning and everything after it went by unread. */
  get isTooLong(): boolean {
    return this.#isTooLong;
  }
}

/** Where the next event ends: after a blank line, made by any of the three line ends. Zero if it does not end here. */
function endOfEvent(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte !== lineFeed && byte !== carriageReturn) continue;
    const next = afterLineEnd(bytes, at);
    const follower = bytes[next];
    if (follower === lineFeed) return next + 1;
    // A `\r` that nothing follows yet may be half of `\r\n`, which belongs to this event as a whole.
    if (follower === carriageReturn && next + 1 < bytes.length) return afterLineEnd(bytes, next);
  }
  return 0;
}

function afterLineEnd(bytes: Uint8Array, at: number): number {
  return bytes[at] === carriageReturn && bytes[at + 1] === lineFeed ? at + 2 : at + 1;
}

function eventOf(bytes: Uint8Array, text: string): ServerSentEvent {
  let name: string | null = null;
  const data: string[] = [];
  // Nearly all servers end lines with a line feed alone.
  for (const line of text.split(text.includes('\r') ? /\r\n|\r|\n/ : '\n')) {
    const colon = line.indexOf(':');
    // A line without a colon is a field without a value; one that begins with it is a comment.
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (field === 'event') name = value;
    else if (field === 'data') data.push(value);
  }
  return { name, data: data.join('\n'), bytes };
}
