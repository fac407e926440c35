import { KeyPassError } from '../errors.ts';
import { refuseEncoding, tooLarge } from '../http/body.ts';
import type { UploadRules } from '../providers/index.ts';
import { clientLeft, type Lifeline } from './lifeline.ts';
import { boundaryOf } from './multipart.ts';

/** A body that is passed on as it comes: no more of it is held than the piece that is on its way. */
export interface Upload {
  /** As the client states it. */
  readonly type: string | null;
  /** The length, where the client announced it, and what steers the upload. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Begins to read, once; null where there is nothing. What goes wrong with the body ends the call by its lifeline. */
  open(lifeline: Lifeline): ReadableStream<Uint8Array> | null;
}

/** A client that sends nothing for so long has gone, or means to hold a connection open. */
const longestPauseMs = 60_000;

/** A media type (RFC 9110, 8.3.1) with parameters. */
const mediaType = /^[\w.+-]{1,100}\/[\w.+-]{1,100}(?:\s*;\s*[\w.+-]+=(?:[\w.+-]+|"[\w'()+,./:=? -]*"))*$/;

/**
 * Throws `unsupported_encoding`, `unsupported_media_type`, `unsupported_parameter` for a header that steers and is not
 * listed so, and `body_too_large` for what is announced as such.
 */
export function uploadOf(request: Request, rules: UploadRules, maxBytes: number): Upload {
  refuseEncoding(request);
  const type = request.headers.get('content-type');
  const isKnown = rules.type === 'form' ? boundaryOf(type) !== undefined : type === null || mediaType.test(type);
  if (!isKnown) throw unsupported(rules);
  const limit = Math.min(rules.maxBytes, maxBytes);
  const announced = request.headers.get('content-length');
  const length = announced === null ? null : Number(announced);
  if (length !== null && length > limit) throw tooLarge(limit);
  let isOpen = false;
  return {
    type,
    headers: [
      ...steeringHeaders(request, rules),
      ...(announced === null ? [] : [['content-length', announced] as const]),
    ],
    open: (lifeline) => {
      if (isOpen) throw new KeyPassError('connection_changed', 'The connection was edited. Repeat the call.');
      isOpen = true;
      if (request.body === null) return null;
      return passedOn(new Pieces(request.body.getReader(), { length, limit }), lifeline);
    },
  };
}

function steeringHeaders({ headers }: Request, { headers: listed = {} }: UploadRules): [string, string][] {
  return Object.entries(listed).flatMap(([name, pattern]): [string, string][] => {
    const value = headers.get(name);
    if (value === null) return [];
    if (new RegExp(`^(?:${pattern})$`).test(value)) return [[name, value]];
    const message = 'This header has a value that KeyPass does not pass on.';
    throw new KeyPassError('unsupported_parameter', message, { param: name });
  });
}

/** Nothing is read ahead, so a provider that reads slowly slows the client. */
function passedOn(pieces: Pieces, lifeline: Lifeline): ReadableStream<Uint8Array> {
  let isWanted = true;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const piece = await pieces.next();
          if (!isWanted) return;
          lifeline.sending();
          if (piece === undefined) controller.close();
          else controller.enqueue(piece);
        } catch (error) {
          // A provider may answer before it has all of a body, and that answer stands.
          if (!isWanted) return;
          lifeline.cut(error instanceof KeyPassError ? error : clientLeft);
          controller.error(error);
        }
      },
      cancel: () => {
        isWanted = false;
        pieces.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

/** A body as it comes, held against what was announced and what is allowed. */
class Pieces {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #length: number | null;
  readonly #limit: number;
  #passed = 0;

  constructor(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    { length, limit }: { length: number | null; limit: number },
  ) {
    this.#reader = reader;
    this.#length = length;
    this.#limit = limit;
  }

  /** The next piece, or undefined at the end. Throws `body_timeout`, `body_too_large`, `invalid_request`. */
  async next(): Promise<Uint8Array | undefined> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(tooSlow()), longestPauseMs);
    try {
      const { value } = await Promise.race([this.#reader.read(), late.promise]);
      this.#passed += value?.length ?? 0;
      if (this.#passed > this.#limit) throw tooLarge(this.#limit);
      const isWrong =
        value === undefined ? this.#passed !== this.#length : this.#passed > (this.#length ?? this.#limit);
      if (this.#length !== null && isWrong) throw wrongLength();
      return value;
    } catch (error) {
      this.cancel();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  cancel(): void {
    void this.#reader.cancel().catch(() => {});
  }
}

function unsupported({ type }: UploadRules): KeyPassError {
  const message =
    type === 'form' ? 'Send the body as multipart/form-data with a boundary.' : 'State the kind of the body plainly.';
  return new KeyPassError('unsupported_media_type', message, { param: 'content-type' });
}

function tooSlow(): KeyPassError {
  return new KeyPassError('body_timeout', 'Nothing more of the body came for a minute, so KeyPass ended the call.');
}

function wrongLength(): KeyPassError {
  return new KeyPassError('invalid_request', 'The body has another length than its content-length says.', {
    param: 'content-length',
  });
}
