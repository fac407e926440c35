import { concat } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { parseBytes } from '../money/json.ts';
import { verdictOf, type Provider } from '../providers/index.ts';
import { codeOf, failureIn, messageIn, safeText } from './failure-text.ts';
import type { Lifeline } from './lifeline.ts';

/** What a provider does not do with a key: with anything, or with what was asked of it. */
export interface KeyRefusal {
  readonly verdict: 'rejected' | 'restricted';
  readonly error: KeyPassError;
}

/**
 * The refusal of a call that was about its key, as the app is told of it; undefined where the answer is about something
 * else. What a provider says of a dead key is not passed on: it quotes a part of the key, or all of it, and reads as if
 * the app had sent it. What a key may not do is told in the provider's words, without what may be a key.
 */
export function keyRefusalIn(provider: Provider, status: number, bytes: Uint8Array): KeyRefusal | undefined {
  const body = parseBytes(bytes);
  const verdict = verdictOf({ status, body }, provider.keyStatuses);
  if (verdict !== 'rejected' && verdict !== 'restricted') return undefined;
  // Google streams its failures as a list of one.
  const holder: unknown = Array.isArray(body) ? body[0] : body;
  const failure = failureIn(holder);
  const providerCode = codeOf(failure);
  const message =
    verdict === 'rejected'
      ? `${provider.name} does not take the stored key: it was rejected, or is out of credit. Its owner must look at it.`
      : `${provider.name} does not let the stored key do this: ${safeText(messageIn(failure))}`;
  const details = { verdict, status, ...(providerCode === undefined ? {} : { providerCode }) };
  return { verdict, error: new KeyPassError('provider_key_rejected', message, { details }) };
}

/** The bytes of an answer, to be read as a whole: a refusal is short, and one that never ends is cut. */
export function bounded(
  { body }: Response,
  limit: number,
  lifeline: Lifeline,
): { bytes(): Promise<Uint8Array<ArrayBuffer>> } {
  return {
    bytes: async () => {
      const chunks: Uint8Array[] = [];
      let [length, since] = [0, performance.now()];
      lifeline.watch(() => performance.now() - since);
      for await (const chunk of body ?? []) {
        since = performance.now();
        length += chunk.length;
        if (length > limit) lifeline.cut(tooLong());
        lifeline.signal.throwIfAborted();
        chunks.push(chunk);
      }
      return concat(...chunks);
    },
  };
}

function tooLong(): KeyPassError {
  return new KeyPassError('provider_error', 'The provider refused the call at a length that KeyPass does not read.');
}
