import { KeyPassError } from '../../errors.ts';
import type { JsonObject } from '../../money/json.ts';
import type { Catalogue, Provider } from '../../providers/index.ts';
import { malformed } from './refusal.ts';

/** A call and whom it is for: the body with that provider's own name of the model, and without `provider`. */
export interface Addressed {
  readonly provider: Provider;
  readonly model: string;
  readonly body: JsonObject;
}

/** Reads KeyPass's own form, `{ provider, model, … }`. Throws `provider_unknown` and `invalid_request`. */
export function readAddress(providers: Catalogue, { provider, ...body }: JsonObject): Addressed {
  if (typeof provider !== 'string') throw malformed('provider', 'the id of a provider, such as "openai"');
  const known = providers.get(provider);
  if (known === undefined) {
    throw new KeyPassError('provider_unknown', 'KeyPass does not know this provider.', { param: 'provider' });
  }
  return addressed(known, body['model'], body);
}

/** The provider of names without one, on `/openai/v1`. */
export const bareProvider = 'openai';

/**
 * Reads a name such as `anthropic/claude-opus-4-8`: what stands before the first slash is a provider if the catalogue
 * has it, the rest is the model verbatim. Undefined for every other name, which is OpenAI's own.
 */
export function splitName(providers: Catalogue, name: string): { provider: Provider; model: string } | undefined {
  const slash = name.indexOf('/');
  const provider = providers.get(name.slice(0, Math.max(slash, 0)));
  return provider && { provider, model: name.slice(slash + 1) };
}

/** The name of a provider's model on `/openai/v1`. */
export function nameFor({ id }: Provider, model: string): string {
  return id === bareProvider ? model : `${id}/${model}`;
}

/** Whom the body's `model` is for, by {@link splitName}. Throws `invalid_request`. */
export function readModelName(providers: Catalogue, body: JsonObject): Addressed | undefined {
  const { model: name } = body;
  const split = typeof name === 'string' ? splitName(providers, name) : undefined;
  return split && addressed(split.provider, split.model, body);
}

function addressed(provider: Provider, model: unknown, body: JsonObject): Addressed {
  if (typeof model !== 'string' || model === '') throw malformed('model', "the provider's own name of a model");
  return { provider, model, body: { ...body, model } };
}
