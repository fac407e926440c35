/** One event of a stream; `event` is `message` unless the stream named it. */
export interface ServerSentEvent {
  event: string;
  data: string;
}

/**
 * Reads an event stream (HTML Living Standard §9.2.6) in pieces that may be cut anywhere, inside a character, a line
 * ending or the byte order mark. Comments, ids and retry hints are skipped; an event without data is not one.
 */
export class EventStreamParser {
  readonly #decoder = new TextDecoder();
  #line = '';
  #afterCarriageReturn = false;
  #event = '';
  #data: string[] = [];

  /** The events that `bytes` completed. */
  push(bytes: Uint8Array): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === '') return events;
    // A line feed that belongs to the carriage return at the end of the last piece.
    if (this.#afterCarriageReturn && text.startsWith('\n')) text = text.slice(1);
    this.#afterCarriageReturn = text === '' ? false : text.endsWith('\r');
    const lines = text.split(/\r\n|\n|\r/);
    const rest = lines.pop() ?? '';
    for (const line of lines) {
      this.#endLine(this.#line + line, events);
      this.#line = '';
    }
    this.#line += rest;
    return events;
  }

  #endLine(line: string, events: ServerSentEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) events.push({ event: this.#event || 'message', data: this.#data.join('\n') });
      this.#event = '';
      this.#data = [];
      return;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
  }
}
