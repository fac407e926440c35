import { concat } from '../crypto/index.ts';
import { parseBytes, parseObject } from '../money/json.ts';
import { createUsageReader, type UsageReading } from '../money/reader.ts';
import { noOutput } from '../money/tokens-output.ts';
import type { Tap } from './tap.ts';

const nothing = new Uint8Array();

/** An answer that is sound: it states no usage, but is as long as it is. */
export class SizeTap implements Tap {
  readonly hasSeen = false;
  #bytes = 0;

  push(chunk: Uint8Array): Uint8Array {
    this.#bytes += chunk.length;
    return chunk;
  }

  end(): Uint8Array {
    return nothing;
  }

  tear(): void {}

  result(): UsageReading {
    return { usage: undefined, finished: true, output: noOutput, bytes: this.#bytes };
  }
}

/** In which the usage stands after the last image. */
const tailBytes = 64 * 1024;

/** Images as one JSON body. What is longer than what is kept has its usage at its end. */
export class ImagesTap implements Tap {
  readonly #reader = createUsageReader('openai-images');
  readonly #limit: number;
  #chunks: Uint8Array[] = [];
  #length = 0;
  readonly hasSeen = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(chunk: Uint8Array): Uint8Array {
    this.#length += chunk.length;
    this.#chunks.push(chunk);
    if (this.#isCut) this.#chunks = [concat(...this.#chunks.map(tailOf)).slice(-tailBytes)];
    return chunk;
  }

  end(): Uint8Array {
    const bytes = concat(...this.#chunks);
    this.#chunks = [];
    const body = this.#isCut ? usageIn(new TextDecoder().decode(bytes)) : parseBytes(bytes);
    if (body !== undefined) this.#reader.onJson(body);
    return nothing;
  }

  tear(): void {
    this.#chunks = [];
  }

  result(): UsageReading {
    return this.#reader.result();
  }

  get #isCut(): boolean {
    return this.#length > this.#limit;
  }
}

function tailOf(chunk: Uint8Array): Uint8Array {
  return chunk.subarray(-tailBytes);
}

/** The last member of this name and its object. Within a text, its quotes would be escaped. */
function usageIn(tail: string): object | undefined {
  const name = '"usage":';
  const start = tail.lastIndexOf(name) + name.length;
  if (start < name.length) return undefined;
  for (let end = tail.indexOf('}', start); end >= 0; end = tail.indexOf('}', end + 1)) {
    const usage = parseObject(tail.slice(start, end + 1));
    if (usage !== undefined) return { usage };
  }
  return undefined;
}
