import { KeyPassError } from '../../errors.ts';
import type { JsonObject } from '../../money/json.ts';
import { providerIds, type ProviderId } from '../../providers/index.ts';
import { malformed } from './refusal.ts';

/** A chat and whom it is for: the body with that provider's own name of the model, and without `provider`. */
export interface AddressedChat {
  readonly provider: ProviderId;
  readonly model: string;
  readonly body: JsonObject;
}

/** Reads KeyPass's own form, `{ provider, model, … }`. Throws `provider_unknown` and `invalid_request`. */
export function readAddress({ provider, ...body }: JsonObject): AddressedChat {
  if (typeof provider !== 'string') throw malformed('provider', 'the id of a provider, such as "openai"');
  const id = providerIds.find((known) => known === provider);
  if (id === undefined) {
    throw new KeyPassError('provider_unknown', 'KeyPass does not know this provider.', { param: 'provider' });
  }
  return addressed(id, body['model'], body);
}

/**
 * Reads a name such as `anthropic/claude-opus-4-8`: what stands before the first slash is a provider if the catalogue
 * has it, the rest is the model verbatim. Undefined for every other name, which is OpenAI's own.
 */
export function readModelName(body: JsonObject): AddressedChat | undefined {
  const name = body['model'];
  if (typeof name !== 'string') return undefined;
  const id = providerIds.find((known) => name.startsWith(`${known}/`));
  return id === undefined ? undefined : addressed(id, name.slice(id.length + 1), body);
}

function addressed(provider: ProviderId, model: unknown, body: JsonObject): AddressedChat {
  if (typeof model !== 'string' || model === '') throw malformed('model', "the provider's own name of a model");
  return { provider, model, body: { ...body, model } };
}
