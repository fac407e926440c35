import { describe, expect, test } from 'bun:test';
import { delta } from '../../test/harness/streams.ts';
import { Lifeline } from './lifeline.ts';
import { relay, type RelayEnd } from './relay.ts';
import { StreamTap } from './tap.ts';

/** Longer than a client that keeps up would have taken to read on. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 300));

/** Passes a body on to a client, and tells how that ended. */
function start(body: ReadableStream<Uint8Array>) {
  const limits = {
    maxJsonBytes: 1,
    maxUploadBytes: 1,
    maxFileBytes: 1,
    maxCopyBytes: 1_000_000,
    firstByteMs: 60_000,
    silenceMs: 60_000,
    totalMs: 60_000,
    drainMs: 60_000,
  };
  const lifeline = new Lifeline({ client: new AbortController().signal, limits, listenForCut: () => () => {} });
  const tap = new StreamTap('openai-chat', false, limits.maxCopyBytes);
  const ended = Promise.withResolvers<[end: RelayEnd, isBehind: boolean]>();
  const onEnd = (...how: [RelayEnd, boolean]) => ended.resolve(how);
  const reader = relay(body, { tap, lifeline, drainMs: limits.drainMs, onEnd }).getReader();
  return { reader, lifeline, ended: ended.promise, said: () => tap.result().output.texts().join('') };
}

const eventsOf = (words: readonly string[]) => words.map((word) => new TextEncoder().encode(delta(word)));

describe('a client that leaves', () => {
  test('is not waited for where it has kept up', async () => {
    const [first] = eventsOf(['one ']);
    const { reader, ended, said } = start(new ReadableStream({ start: (controller) => controller.enqueue(first) }));
    await reader.read();
    await reader.cancel();
    expect(await ended).toEqual(['left', false]);
    expect(said()).toBe('one ');
  });

  test('after a pause leaves behind what had come meanwhile: that is read first', async () => {
    const events = eventsOf(['one ', 'two ', 'three ']);
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => events.forEach((each) => controller.enqueue(each)),
    });
    const { reader, lifeline, ended, said } = start(body);
    await reader.read();
    await pause();
    await reader.cancel();
    expect(await ended).toEqual(['left', false]);
    expect(said()).toBe('one two three ');
    expect(lifeline.signal.aborted).toBe(true);
  });

  test('after a pause, of an answer that does not end: what is not read in time is not known', async () => {
    const [first = new Uint8Array()] = eventsOf(['one ']);
    const { reader, lifeline, ended, said } = start(
      new ReadableStream({ pull: (controller) => controller.enqueue(first) }),
    );
    await reader.read();
    await pause();
    await reader.cancel();
    expect(await ended).toEqual(['left', true]);
    expect(said().length).toBeGreaterThan('one '.length);
    expect(lifeline.signal.aborted).toBe(true);
  });

  test('after a pause, of an answer that has ended meanwhile: all of it is read', async () => {
    const events = eventsOf(['one ', 'two ']);
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const each of events) controller.enqueue(each);
        controller.close();
      },
    });
    const { reader, ended, said } = start(body);
    await reader.read();
    await pause();
    await reader.cancel();
    expect(await ended).toEqual(['left', false]);
    expect(said()).toBe('one two ');
  });
});
