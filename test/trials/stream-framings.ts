import type { RecordedEvent, Recording } from './stream-recordings.ts';

/** One of the ways in which the same events can be written (WHATWG HTML, 9.2). */
export interface Framing {
  readonly name: string;
  /** A stream's bytes. `isAsked`: to somebody who asked for usage. */
  write(recording: Recording, isAsked: boolean): Uint8Array<ArrayBuffer>;
}

/** Writes one event; before it may stand what is none. */
type Frame = (event: RecordedEvent, lineEnd: string) => string;

const framing = (name: string, frame: Frame, before: (index: number) => string = () => ''): Framing => ({
  name,
  write({ events, lineEnd }, isAsked) {
    const frames = events.map((event, index) => {
      const data = isAsked || event.unasked === undefined ? event.data : event.unasked;
      return before(index) + (data === null ? '' : frame({ ...event, data }, lineEnd));
    });
    return new TextEncoder().encode(frames.join(''));
  },
});

const byteOrderMark = '\u{FEFF}';

/** As the provider itself does it. */
export const ownFraming = framing('own line ends', fields);

export const framings: readonly Framing[] = [
  ownFraming,
  framing('LF', (event) => fields(event, '\n')),
  framing('CRLF', (event) => fields(event, '\r\n')),
  framing('CR', (event) => fields(event, '\r')),
  framing(
    'comments',
    (event) => `: ×\nid: 7\nretry: 10\n${fields(event, '\n')}`,
    () => ': keep-alive\n\n',
  ),
  framing('no spaces', (event, lineEnd) => fields(event, lineEnd, ':')),
  framing('byte order mark', fields, (index) => (index === 0 ? byteOrderMark : '')),
];

/** JSON over several lines of data. What KeyPass takes out of a stream is in one line wherever it is sent. */
export const severalLines = framing('data in several lines', ({ name, data }, lineEnd) => {
  const lines = typeof data === 'string' ? [data] : JSON.stringify(data, null, 1).split('\n');
  const all = [...(name === undefined ? [] : [`event: ${name}`]), ...lines.map((line) => `data: ${line}`), ''];
  return all.map((line) => line + lineEnd).join('');
});

function fields({ name, data }: RecordedEvent, lineEnd: string, colon = ': '): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${name === undefined ? '' : `event${colon}${name}${lineEnd}`}data${colon}${text}${lineEnd}${lineEnd}`;
}
