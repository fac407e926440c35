import { connect, type Socket } from 'node:net';
import { type Framed, framedBody } from './attack/framing.ts';

/** One answer as it came; its body without the framing. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

export interface Heard {
  readonly answers: readonly Answer[];
  /** What came and was no whole answer. */
  readonly rest: string;
  /** The server has ended the connection. */
  readonly isClosed: boolean;
}

/** After so long without what was expected it will not come. */
const patienceMs = 5_000;
/** For what must not come. */
const lingerMs = 60;

/**
 * Sends bytes on a connection of their own and listens until so many answers have come or the server hangs up; to none
 * for a moment. `isHead`: the answers have no body, whatever they announce.
 */
export async function converse(
  port: number,
  bytes: Uint8Array,
  { expected, lingers, isHead }: { expected: number; lingers: boolean; isHead: boolean },
): Promise<Heard> {
  const line = new Line(port, bytes);
  const heard = () => readAnswers(line.text, line.isClosed, isHead);
  if (expected > 0) await line.listen(patienceMs, () => heard().answers.length >= expected);
  if (expected === 0 || lingers) await line.listen(lingerMs, () => false);
  line.hangUp();
  return { ...heard(), isClosed: line.isClosed };
}

class Line {
  /** What has come, as latin-1. */
  text = '';
  /** The other side has ended it. */
  isClosed = false;
  readonly #socket: Socket;
  #news = Promise.withResolvers<void>();

  constructor(port: number, bytes: Uint8Array) {
    this.#socket = connect({ port, host: 'localhost' });
    this.#socket.on('data', (data) => {
      this.text += data.toString('latin1');
      this.#news.resolve();
    });
    // A reset is one way of hanging up.
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', this.#end);
    this.#socket.write(bytes);
  }

  async listen(milliseconds: number, isEnough: () => boolean): Promise<void> {
    const late = Promise.withResolvers<true>();
    const timer = setTimeout(() => late.resolve(true), milliseconds);
    for (let isLate = false; !isLate && !isEnough() && !this.isClosed;) {
      this.#news = Promise.withResolvers<void>();
      isLate = await Promise.race([late.promise, this.#news.promise.then(() => false)]);
    }
    clearTimeout(timer);
  }

  hangUp(): void {
    this.#socket.off('close', this.#end);
    this.#socket.destroy();
  }

  readonly #end = (): void => {
    this.isClosed = true;
    this.#news.resolve();
  };
}

function readAnswers(text: string, isClosed: boolean, isHead: boolean): Omit<Heard, 'isClosed'> {
  const answers: Answer[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return { answers, rest };
    const head = rest.slice(0, end);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    const hasBody = !isHead && status >= 200 && status !== 204 && status !== 304;
    const body = hasBody ? bodyOf(head, rest, end + 4, isClosed) : { text: '', end: end + 4 };
    if (body === undefined) return { answers, rest };
    // An interim answer is none yet.
    if (!(status < 200)) answers.push({ status, head, body: body.text });
    rest = rest.slice(body.end);
  }
}

/** Without a length and in one piece, a body ends with the connection. */
function bodyOf(head: string, text: string, from: number, isClosed: boolean): Framed | undefined {
  if (/^(?:transfer-encoding|content-length):/im.test(head)) return framedBody(head, text, from);
  return isClosed ? { text: text.slice(from), end: text.length } : undefined;
}
