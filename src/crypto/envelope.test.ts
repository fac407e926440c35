import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { concat, utf8, type Bytes } from './bytes.ts';
import { sealingKey } from './derive.ts';
import { openEnvelope, sealEnvelope } from './envelope.ts';
import { CryptoError } from './errors.ts';

fc.configureGlobal({ seed: 1 });

const chunk = 16 * 1024;
const sealedChunk = chunk + 16;
const header = 57;
const key = await sealingKey(Uint8Array.from({ length: 32 }, (_, index) => index));
const context = utf8('a context');
const unopened = new CryptoError('does not open');

function message(length: number): Bytes {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
}

async function refused(envelope: Uint8Array): Promise<void> {
  expect(await refusal(openEnvelope(key, context, envelope))).toEqual(unopened);
}

/** Why a promise was refused; undefined if it was not. */
function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

describe('seal and open', () => {
  test.each([0, 1, 32, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 5])('%d bytes', async (length) => {
    const envelope = await sealEnvelope(key, context, message(length));
    expect(envelope.length).toBe(header + length + 16 * (Math.floor(length / chunk) + 1));
    expect(envelope[0]).toBe(1);
    expect(await openEnvelope(key, context, envelope)).toEqual(message(length));
  });

  test('any message under any context', async () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(bytes, bytes, async (plaintext, anyContext) => {
        const envelope = await sealEnvelope(key, anyContext, plaintext);
        expect(await openEnvelope(key, anyContext, envelope)).toEqual(new Uint8Array(plaintext));
      }),
      { numRuns: 50 },
    );
  });

  test('one message sealed twice has nothing in common', async () => {
    const [a, b] = await Promise.all([1, 2].map(() => sealEnvelope(key, context, message(64))));
    expect(a?.subarray(1, 25)).not.toEqual(b?.subarray(1, 25));
    expect(a?.subarray(25, header)).not.toEqual(b?.subarray(25, header));
    expect(a?.subarray(header)).not.toEqual(b?.subarray(header));
  });

  test('bytes in shared memory', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(8)).fill(9);
    const envelope = await sealEnvelope(key, context, shared);
    expect(await openEnvelope(key, context, envelope)).toEqual(new Uint8Array(8).fill(9));
  });

  test('neither the envelope nor the message is changed by it', async () => {
    const plaintext = message(40);
    const envelope = await sealEnvelope(key, context, plaintext);
    const copy = new Uint8Array(envelope);
    await openEnvelope(key, context, envelope);
    expect(plaintext).toEqual(message(40));
    expect(envelope).toEqual(copy);
  });
});

describe('does not open', () => {
  test('under another key or context', async () => {
    const envelope = await sealEnvelope(key, context, message(10));
    const other = await sealingKey(new Uint8Array(32).fill(1));
    expect(await refusal(openEnvelope(other, context, envelope))).toEqual(unopened);
    for (const wrong of ['', 'a contex', 'a context ', 'A context']) {
      expect(await refusal(openEnvelope(key, utf8(wrong), envelope))).toEqual(unopened);
    }
  });

  test('cut to any shorter length, or made longer', async () => {
    const envelope = await sealEnvelope(key, context, message(10));
    for (let length = 0; length < envelope.length; length++) await refused(envelope.subarray(0, length));
    await refused(concat(envelope, Uint8Array.of(0)));
    await refused(concat(envelope, new Uint8Array(sealedChunk)));
    await refused(concat(Uint8Array.of(0), envelope));
  });

  test('with another version', async () => {
    const envelope = await sealEnvelope(key, context, message(10));
    for (const version of [0, 2, 255]) await refused(concat(Uint8Array.of(version), envelope.subarray(1)));
  });

  test('with its chunks cut off, swapped, repeated or left out', async () => {
    const envelope = await sealEnvelope(key, context, message(2 * chunk + 3));
    const head = envelope.subarray(0, header);
    const [first, second, last] = [0, 1, 2].map((index) =>
      envelope.subarray(header + index * sealedChunk, header + (index + 1) * sealedChunk),
    );
    if (first === undefined || second === undefined || last === undefined) throw new Error('three chunks');
    expect(await openEnvelope(key, context, concat(head, first, second, last))).toEqual(message(2 * chunk + 3));
    await refused(concat(head, first, second));
    await refused(concat(head, first));
    await refused(concat(head, last));
    await refused(concat(head, second, first, last));
    await refused(concat(head, first, first, last));
    await refused(concat(head, first, last));
    await refused(concat(head, first, second, last, last));
    await refused(concat(head, last, first, second));
  });

  test('with the chunks of another envelope of the same key and context', async () => {
    const one = await sealEnvelope(key, context, message(10));
    const two = await sealEnvelope(key, context, message(10));
    await refused(concat(one.subarray(0, header), two.subarray(header)));
    await refused(concat(one.subarray(0, 25), two.subarray(25)));
  });

  test('with a byte changed while it is being opened', async () => {
    const envelope = await sealEnvelope(key, context, message(10));
    const opening = openEnvelope(key, context, envelope);
    envelope.fill(0);
    expect(await opening).toEqual(message(10));
  });
});
