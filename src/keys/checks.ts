import type { Clock } from '../clock.ts';
import { concat } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { Limiter } from '../http/limiter.ts';
import { parseBytes } from '../money/json.ts';
import { type Catalogue, checkVerdictOf, guessKey, type KeyVerdict, type Provider } from '../providers/index.ts';

interface Parts {
  readonly providers: Catalogue;
  readonly clock: Clock;
  readonly fetch: (url: URL, init: RequestInit) => Promise<Response>;
}

/** A key in the clear, which is asked about once and kept nowhere. */
interface CheckedKey {
  readonly provider: string;
  readonly secret: string;
  /** What the owner keeps with the key; only those pass that the provider's data lists. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const patienceMs = 10_000;
/** Lists of models are the longest answers; of one that is longer, the status tells. */
const longestBody = 1024 * 1024;

/**
 * Asks a provider about a key for a person whose browser may not. The call is the one of the provider's data and goes to
 * no other place; nothing of its answer is passed on but what it says of the key.
 */
export class KeyChecks {
  readonly #parts: Parts;
  /** Of each person, and of each place: nobody should try out a list of keys here. */
  readonly #calls: Limiter;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#calls = new Limiter(10, 20_000, () => parts.clock.now().getTime());
  }

  /** Throws `too_many_attempts`, `provider_unknown`, and `invalid_request` for what is no key of a provider. */
  async check(caller: { userId: string; place: string }, key: CheckedKey, signal: AbortSignal): Promise<KeyVerdict> {
    const provider = this.#parts.providers.get(key.provider);
    if (provider === undefined) throw refused('provider_unknown', 'provider', 'KeyPass does not know this provider.');
    if (provider.keyHeader === null) throw refused('invalid_request', 'provider', 'This provider takes no key.');
    refuseOtherSecrets(key.secret);
    this.#calls.take(`user ${caller.userId}`);
    this.#calls.take(`place ${caller.place}`);
    return this.#ask(provider, key, signal);
  }

  async #ask(provider: Provider, key: CheckedKey, signal: AbortSignal): Promise<KeyVerdict> {
    const { check } = provider;
    const origin = check.method === 'GET' ? (check.origin ?? provider.origin) : provider.origin;
    const url = new URL(origin + check.path);
    // The host is of the data alone, whatever the path is.
    if (url.origin !== origin) throw new Error('a check that leaves its origin');
    try {
      const response = await this.#parts.fetch(url, {
        method: check.method,
        headers: headersOf(provider, key),
        body: check.method === 'POST' ? JSON.stringify(check.body) : null,
        // Never followed: `fetch` takes x-api-key and x-goog-api-key along to the host that a redirect names.
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
      });
      const body = parseBytes(await beginningOf(response));
      return checkVerdictOf({ status: response.status, body }, provider.keyStatuses);
    } catch {
      // Whatever went wrong on the way says nothing of the key, and may have it in its words.
      return 'unknown';
    }
  }
}

/** A KeyPass token or an administrator's key is sent to nobody, least of all by mistake. */
function refuseOtherSecrets(secret: string): void {
  const guess = guessKey(secret);
  if (guess === undefined || guess.kind === 'key') return;
  const what = {
    'admin-key': 'the key of an administrator',
    'keypass-token': 'a token of KeyPass',
    'oauth-token': 'a sign-in token',
  };
  throw refused('invalid_request', 'secret', `This is ${what[guess.kind]}, not an API key. It was sent nowhere.`);
}

function refused(code: 'provider_unknown' | 'invalid_request', param: string, message: string): KeyPassError {
  return new KeyPassError(code, message, { param });
}

function headersOf(provider: Provider, { secret, headers = {} }: CheckedKey): Headers {
  const { keyHeader } = provider;
  const sent = new Headers(provider.defaultHeaders);
  for (const [name, value] of Object.entries(headers)) {
    if (provider.ownerHeaders.includes(name.toLowerCase())) sent.set(name, value);
  }
  sent.set('accept', 'application/json');
  if (provider.check.method === 'POST') sent.set('content-type', 'application/json');
  sent.set('user-agent', 'KeyPass');
  if (keyHeader !== null) sent.set(keyHeader, keyHeader === 'authorization' ? `Bearer ${secret}` : secret);
  return sent;
}

/** As much of a body as is read; nothing of one that is longer. */
async function beginningOf({ body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    // Leaving the loop cancels the body.
    if (length > longestBody) return new Uint8Array();
    chunks.push(chunk);
  }
  return concat(...chunks);
}
