import { readdirSync, readFileSync } from 'node:fs';
import type { Instance } from './instance.ts';
import type { Followed } from './soak-client.ts';
import type { Source } from './soak-plans.ts';

/** Both ends of one stream. */
export interface Stream {
  readonly source: Source;
  readonly client: Followed;
}

/** What a process holds. */
interface Holding {
  readonly bytes: number;
  /** Open files and sockets. */
  readonly descriptors: number;
}

/** Looks at a process from outside, over and over (Linux: /proc). */
export class Meter {
  readonly before: Holding;
  readonly #instance: Instance;
  readonly #bytes: number[] = [];
  #mostBuffered = 0;
  #mostAhead = 0;

  constructor(instance: Instance) {
    this.#instance = instance;
    this.before = this.now();
  }

  now(): Holding {
    const folder = `/proc/${this.#instance.pid}`;
    const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`${folder}/status`, 'utf8'))?.[1];
    return { bytes: Number(kibibytes) * 1024, descriptors: readdirSync(`${folder}/fd`).length };
  }

  /** Notes what is held in this moment: by the process, ready at the provider, and between it and its readers. */
  look(streams: Iterable<Stream>): void {
    this.#bytes.push(this.now().bytes);
    let buffered = 0;
    for (const { source, client } of streams) {
      const { bytesBuffered } = source.exchange;
      buffered += bytesBuffered;
      // Once its reader is gone, what had come is read out all at once.
      if (client.end === 'running')
        this.#mostAhead = Math.max(this.#mostAhead, source.written - bytesBuffered - client.read);
    }
    this.#mostBuffered = Math.max(this.#mostBuffered, buffered);
  }

  /** The most of one stream that was sent and not read: all of it is in buffers somewhere. */
  get mostAhead(): number {
    return this.#mostAhead;
  }

  /** The most that the provider had ready and nobody took. */
  get mostBuffered(): number {
    return this.#mostBuffered;
  }

  get most(): number {
    return Math.max(...this.#bytes);
  }

  /** The middle of what was held in each third of the time: the first has the start in it. */
  get thirds(): readonly number[] {
    const length = Math.ceil(this.#bytes.length / 3);
    return [0, 1, 2].map((third) => {
      const sorted = this.#bytes.slice(third * length, (third + 1) * length).toSorted((a, b) => a - b);
      return sorted[sorted.length >> 1] ?? 0;
    });
  }
}
