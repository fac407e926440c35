import { delta, done, stop } from '../harness/streams.ts';
import { chunk, eventStreamHead, type RawExchange } from '../harness/upstream.ts';
import type { Chance } from './chance.ts';

/** What one stream of the trial does. */
export interface SoakPlan {
  readonly marker: string;
  /** `paced`: an event now and then, as a model writes. `hose`: all that the other side takes, to a slow reader. */
  readonly kind: 'paced' | 'hose';
  /** When the provider ends it, in milliseconds from its beginning. */
  readonly lastsMs: number;
  /** Between two events, or two readings. */
  readonly pauseMs: number;
  /** When the client leaves; null: it stays to the end. */
  readonly leavesMs: number | null;
}

const hoses = 0.1;
const aborts = 0.3;

export function planOf(chance: Chance, index: number, longestMs: number): SoakPlan {
  const lastsMs = chance.int(Math.ceil(longestMs / 10), longestMs);
  const kind = chance.is(hoses) ? 'hose' : 'paced';
  return {
    marker: `soak-${index};`,
    kind,
    lastsMs,
    pauseMs: kind === 'hose' ? chance.int(500, 2_000) : chance.int(50, 400),
    leavesMs: chance.is(aborts) ? chance.int(0, lastsMs) : null,
  };
}

/** The provider's side of a stream, as far as it is counted. */
export interface Source {
  readonly exchange: RawExchange;
  /** Bytes that it has written, sent or not. */
  written: number;
  /** Times that it had more to say than was taken. */
  held: number;
  looks: number;
}

/** What a provider keeps ready to be sent. */
const readyBytes = 512 * 1024;
const lookMs = 20;
export const usedTokens = 77;
const usage = `data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":${usedTokens},"total_tokens":${9 + usedTokens}}}\n\n`;
const paced = chunk(delta('word '));
const large = chunk(delta('words '.repeat(2_500)));

/** Plays the provider's part until its time is up or the other side is gone. */
export async function play(plan: SoakPlan, source: Source): Promise<void> {
  const { exchange } = source;
  const gone = new AbortController();
  void exchange.closed.then(() => gone.abort());
  const write = (bytes: Uint8Array | string) => {
    source.written += bytes.length;
    void exchange.write(bytes);
  };
  write(eventStreamHead);
  const endsAt = performance.now() + plan.lastsMs;
  while (!gone.signal.aborted && performance.now() < endsAt) {
    if (plan.kind === 'paced') {
      write(paced);
      await Bun.sleep(plan.pauseMs);
    } else {
      source.looks += 1;
      if (exchange.bytesBuffered >= readyBytes) source.held += 1;
      while (exchange.bytesBuffered < readyBytes) write(large);
      await Bun.sleep(lookMs);
    }
  }
  if (!gone.signal.aborted) write(Buffer.concat([chunk(stop() + usage + done), chunk('')]));
}
