import { bearer } from './credentials.ts';
import { InvalidRequestError } from './errors.ts';

/** What each official client takes, so that it talks to KeyPass with an access token instead of a key. */
export interface ClientOptionsByProvider {
  /** `new OpenAI(…)` of `openai`; models of other providers as `"anthropic/claude-…"`. */
  openai: { apiKey: string; baseURL: string };
  /** `new Anthropic(…)` of `@anthropic-ai/sdk` */
  anthropic: { apiKey: string; baseURL: string };
  /** `new GoogleGenAI(…)` of `@google/genai` */
  google: { apiKey: string; httpOptions: { baseUrl: string } };
  /** `new Groq(…)` of `groq-sdk` */
  groq: { apiKey: string; baseURL: string };
}

/**
 * The clients append these paths: openai `/chat/completions`, anthropic `/v1/messages`, google `/v1/models/…` (or the
 * API version that it was told), groq `/openai/v1/chat/completions`.
 */
export function clientOptionsFor<P extends keyof ClientOptionsByProvider>(
  origin: string,
  apiKey: string,
  provider: P,
): ClientOptionsByProvider[P] {
  bearer(apiKey);
  const all: ClientOptionsByProvider = {
    openai: { apiKey, baseURL: `${origin}/openai/v1` },
    anthropic: { apiKey, baseURL: `${origin}/anthropic` },
    google: { apiKey, httpOptions: { baseUrl: `${origin}/google` } },
    groq: { apiKey, baseURL: `${origin}/groq` },
  };
  if (Object.hasOwn(all, provider)) return all[provider];
  throw new InvalidRequestError('clientOptions knows openai, anthropic, google and groq; use passthrough for others', {
    code: 'provider_unknown',
    type: 'invalid_request_error',
    param: 'provider',
  });
}
