import { isObject, memberAt } from './json.ts';

/** The text of an answer as far as it came. */
export interface OutputText {
  /** What was said one after the other in one place; a text, a call's name and its arguments are apart. */
  texts(): readonly string[];
  /** UTF-8 bytes that came and were not kept. */
  readonly lostBytes: number;
}

export const noOutput: OutputText = { texts: () => [], lostBytes: 0 };

/** Kept of one stream: more than the longest answer that any model gives. */
const mostBytes = 2 ** 20;
const firstBytes = 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Between two strings of a JSON list: no string's own bytes can have it, since its quotes would be escaped. */
const border = encoder.encode('","');

/**
 * Collects the text of a stream while it passes, for the case that it has to be counted: bytes are copied, nothing is
 * parsed, and no event is kept alive. Memory is that of the text itself, up to 1 MiB.
 */
export class StreamedText implements OutputText {
  #bytes = new Uint8Array();
  #length = 0;
  #place: string | undefined;
  #lostBytes = 0;

  /** `escaped`: what stands between the quotes of a JSON string. `place`: where; another one begins another text. */
  add(place: string, escaped: string): void {
    if (escaped === '') return;
    const isNew = this.#place !== undefined && this.#place !== place;
    const bytes = encoder.encode(escaped);
    if (!this.#hasRoom(border.length + bytes.length)) {
      this.#lostBytes += bytes.length;
      return;
    }
    if (isNew) {
      this.#bytes.set(border, this.#length);
      this.#length += border.length;
    }
    this.#place = place;
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  get lostBytes(): number {
    return this.#lostBytes;
  }

  texts(): string[] {
    const escaped = decoder.decode(this.#bytes.subarray(0, this.#length));
    if (escaped === '') return [];
    try {
      const texts: string[] = JSON.parse(`["${escaped}"]`);
      return texts;
    } catch {
      // A provider's JSON that is none: with its escapes it is rather longer than it was meant.
      return [escaped];
    }
  }

  #hasRoom(more: number): boolean {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return true;
    if (needed > mostBytes) return false;
    const grown = new Uint8Array(Math.min(mostBytes, Math.max(firstBytes, needed, 2 * this.#bytes.length)));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    return true;
  }
}

/** Where each API's whole answer has what was generated. */
const roots = ['choices', 'output', 'content', 'candidates'];
const labels = new Set(
  `type id call_id role status finish_reason finishReason signature thoughtSignature encrypted_content logprobs
  logprobsResult annotations safetyRatings data`.split(/\s+/),
);

/**
 * The texts of an answer that came as one JSON value: every string of what was generated but its labels, and the objects
 * of calls as JSON. An answer of no known form counts as a whole.
 */
export function answerTexts(body: unknown): string[] {
  const bodies: unknown[] = Array.isArray(body) ? body : [body];
  const generated = bodies.flatMap((each) => roots.map((root) => memberAt(each, root)));
  const isKnown = generated.some((value) => value !== undefined);
  return isKnown ? generated.flatMap((value) => stringsIn(value)) : [JSON.stringify(body) ?? ''];
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(stringsIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    if (labels.has(name)) return [];
    return isObject(member) && (name === 'args' || name === 'input') ? [JSON.stringify(member)] : stringsIn(member);
  });
}
