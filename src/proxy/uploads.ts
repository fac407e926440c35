import { KeyPassError } from '../errors.ts';
import { readBody } from '../http/body.ts';
import type { Endpoint, FormRules } from '../providers/index.ts';
import { boundaryOf, formContent, parseForm } from './multipart.ts';
import type { Limits } from './ports.ts';
import { readContent } from './prepare.ts';
import type { Content } from './pricing.ts';
import { type Upload, uploadOf } from './upload-stream.ts';

/** Enough for the largest file over a slow line. */
const longestMs = 180_000;

/** A body as it will be sent, null where an endpoint takes none. The bytes of a form count as held until it is released. */
interface Received {
  readonly content: Content | null;
  /** In its place, what is not read here. */
  readonly upload: Upload | null;
  release(): void;
}

const holdsNothing = () => {};

/**
 * Forms with files. They are held whole, because what they cost has to be known before they are sent, so all that are
 * held at one time have a limit together: each byte counts from the moment it arrives.
 */
export class Uploads {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The body of a request, as the endpoint takes it. */
  async receive(request: Request, endpoint: Endpoint, { maxJsonBytes, maxFileBytes }: Limits): Promise<Received> {
    if (endpoint.upload !== undefined) {
      const upload = uploadOf(request, endpoint.upload, maxFileBytes);
      return { content: null, upload, release: holdsNothing };
    }
    const form = endpoint.body?.form;
    if (form !== undefined) return this.#read(request, form);
    return { content: await readContent(request, endpoint, maxJsonBytes), upload: null, release: holdsNothing };
  }

  /** Throws `unsupported_media_type`, `body_too_large`, `body_timeout`, `server_busy`, and what a form's fields throw. */
  async #read(request: Request, rules: FormRules): Promise<Received> {
    const boundary = boundaryOf(request.headers.get('content-type'));
    if (boundary === undefined) {
      throw new KeyPassError('unsupported_media_type', 'Send the body as multipart/form-data with a boundary.', {
        param: 'content-type',
      });
    }
    let held = 0;
    const take = (length: number) => {
      if (this.#held + length > this.#limit) throw busy();
      this.#held += length;
      held += length;
    };
    const release = () => {
      this.#held -= held;
      held = 0;
    };
    try {
      const bytes = await readBody(request, rules.maxBytes, longestMs, take);
      const body = parseForm(bytes, boundary, rules);
      return { content: { body, ...formContent(body) }, upload: null, release };
    } catch (error) {
      release();
      throw error;
    }
  }
}

function busy(): KeyPassError {
  const message = 'Too many files are being sent through KeyPass in this moment. Send the request again.';
  return new KeyPassError('server_busy', message, { retryAfter: 1 });
}
