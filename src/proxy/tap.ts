import { concat } from '../crypto/index.ts';
import { parseBytes } from '../money/json.ts';
import { chargesRefusals } from '../money/provider-fees.ts';
import { createUsageReader, type UsageReading } from '../money/reader.ts';
import { noOutput } from '../money/tokens-output.ts';
import type { UsageFormat } from '../money/usage.ts';
import { withoutAddedUsage } from './include-usage.ts';
import { EventSplitter } from './sse.ts';
import { ImagesTap, SizeTap } from './tap-media.ts';

/** Reads an answer's usage from the bytes that pass, and says which bytes pass. */
export interface Tap {
  /** What to pass on for this chunk: the chunk itself, wherever nothing has to be taken out. */
  push(chunk: Uint8Array): Uint8Array;
  /** The stream has ended well; what is left to pass on. */
  end(): Uint8Array;
  /** The stream has been torn off: what is left is the beginning of something. */
  tear(): void;
  /** Whether any of the answer has been seen that an estimate could start from. */
  readonly hasSeen: boolean;
  result(): UsageReading;
}

/** What an answer needs to be metered; `format` is null where nothing is billed. */
interface Metered {
  readonly format: UsageFormat | null;
  readonly isEventStream: boolean;
  /** The usage in the stream was asked for on KeyPass's account. */
  readonly removesUsage: boolean;
  /** The most bytes of a body, or of one event, that are kept. */
  readonly longest: number;
}

export function tapFor(ok: boolean, { format, isEventStream, removesUsage, longest }: Metered): Tap {
  if (format === null) return new NoTap();
  if (!ok) return chargesRefusals(format) ? new JsonTap(format, longest) : new NoTap();
  const isImages = format === 'openai-images';
  if (isEventStream) return new StreamTap(format, removesUsage, isImages ? longestImage : longest);
  if (format === 'openai-speech' || format === 'groq-speech') return new SizeTap();
  return isImages ? new ImagesTap(longest) : new JsonTap(format, longest);
}

/** An event has one image as text; the largest that can be asked for has 8 million pixels. */
const longestImage = 48 * 1024 * 1024;

const nothing = new Uint8Array();

/** The events of a stream. With `removesUsage`, what was asked for on KeyPass's account is taken out again. */
export class StreamTap implements Tap {
  readonly #reader;
  readonly #events: EventSplitter;
  readonly #removesUsage: boolean;
  #hasSeen = false;

  constructor(format: UsageFormat, removesUsage: boolean, longest: number) {
    this.#reader = createUsageReader(format);
    this.#events = new EventSplitter(longest);
    this.#removesUsage = removesUsage;
  }

  push(chunk: Uint8Array): Uint8Array {
    if (this.#events.isTooLong) return chunk;
    const parts: Uint8Array[] = [];
    for (const event of this.#events.push(chunk)) {
      this.#hasSeen = true;
      this.#reader.onEvent(event.name ?? undefined, event.data);
      if (this.#removesUsage) parts.push(withoutAddedUsage(event));
    }
    if (!this.#removesUsage) return chunk;
    if (this.#events.isTooLong) parts.push(this.#events.pending);
    return parts.length === 1 ? (parts[0] ?? nothing) : concat(...parts);
  }

  end(): Uint8Array {
    const rest = this.#events.rest();
    if (rest === undefined) return nothing;
    this.#reader.onEvent(rest.name ?? undefined, rest.data);
    return this.#removesUsage ? withoutAddedUsage(rest) : nothing;
  }

  tear(): void {
    const rest = this.#events.rest();
    if (rest !== undefined) this.#reader.onTorn(rest.data);
  }

  get hasSeen(): boolean {
    return this.#hasSeen && !this.#events.isTooLong;
  }

  result(): UsageReading {
    return this.#reader.result();
  }

  /** Between events, where one of ours can follow without tearing one of the provider's. */
  get isBetweenEvents(): boolean {
    return !this.#events.isTooLong && (this.#removesUsage || this.#events.pending.length === 0);
  }
}

/** One JSON body. A copy is kept up to a limit; of a longer one the usage stays unknown. */
class JsonTap implements Tap {
  readonly #reader;
  readonly #limit: number;
  #chunks: Uint8Array[] = [];
  #length = 0;
  readonly hasSeen = false;

  constructor(format: UsageFormat, limit: number) {
    this.#reader = createUsageReader(format);
    this.#limit = limit;
  }

  push(chunk: Uint8Array): Uint8Array {
    this.#length += chunk.length;
    if (this.#length <= this.#limit) this.#chunks.push(chunk);
    else this.#chunks = [];
    return chunk;
  }

  end(): Uint8Array {
    const [first = nothing] = this.#chunks;
    const bytes = this.#chunks.length <= 1 ? first : concat(...this.#chunks);
    const body = this.#length <= this.#limit ? parseBytes(bytes) : undefined;
    this.#chunks = [];
    if (body !== undefined) this.#reader.onJson(body);
    return nothing;
  }

  tear(): void {
    this.#chunks = [];
  }

  result(): UsageReading {
    return this.#reader.result();
  }
}

/** A body that has no usage to read: errors, lists, token counts. */
class NoTap implements Tap {
  readonly hasSeen = false;

  push(chunk: Uint8Array): Uint8Array {
    return chunk;
  }

  end(): Uint8Array {
    return nothing;
  }

  tear(): void {}

  result(): UsageReading {
    return { usage: undefined, finished: true, output: noOutput };
  }
}
