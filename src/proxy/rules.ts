import type { PolicyProvider, PolicyScope } from '../crypto/policy.ts';
import { KeyPassError } from '../errors.ts';
import { isAbsent, memberAt, type JsonObject } from '../money/json.ts';
import type { BodyRule, BodyRules, Endpoint, Provider } from '../providers/index.ts';
import { valuesAt } from './places.ts';
import type { Grantee } from './ports.ts';

/** The owner's part of the policy for a provider. Throws `provider_not_connected`. */
export function grantFor(grantee: Grantee, provider: Provider): PolicyProvider {
  const grant = grantee.policy.providers.find(({ id }) => id === provider.id);
  if (grant !== undefined) return grant;
  throw new KeyPassError(
    'provider_not_connected',
    `This connection does not include ${provider.name}. Ask for it through KeyPass Link.`,
    { param: 'provider' },
  );
}

/** Throws `scope_not_granted` unless the owner allowed this kind of call. */
export function checkScope(grantee: Grantee, endpoint: Endpoint): void {
  if (endpoint.scope !== null) requireScope(grantee, endpoint.scope);
  if (endpoint.metering === 'unmetered') requireScope(grantee, 'unmetered');
}

/** Throws `model_not_allowed` unless the owner allowed this model, or, of a call that hides them, all. */
export function checkModel(grant: PolicyProvider, model: string | null, { hidesModels }: Endpoint): void {
  if (grant.models === null) return;
  if (hidesModels === true) {
    const message =
      'The models of this call stand in a file, and the owner of this connection allowed some models only.';
    throw new KeyPassError('model_not_allowed', message);
  }
  if (model === null || grant.models.includes(model)) return;
  throw new KeyPassError('model_not_allowed', 'The owner of this connection did not allow this model.', {
    param: 'model',
  });
}

/**
 * The body that may be sent: the same one, or a copy with what a call without state has to say. Throws
 * `scope_not_granted` where it reaches for what the provider stores, `unsupported_parameter` for what nobody may send.
 */
export function withinState(rules: BodyRules, body: JsonObject, grantee: Grantee): JsonObject {
  const refused = rules.refused?.find((rule) => applies(rule, body));
  if (refused !== undefined) {
    throw new KeyPassError('unsupported_parameter', refused.why, { param: refused.at });
  }
  if (grantee.policy.scopes.includes('stateful')) return body;
  const stateful = rules.stateful.find((rule) => applies(rule, body));
  if (stateful !== undefined) throw notGranted('stateful', stateful.at);
  const added = Object.entries(rules.withoutState ?? {}).filter(([name]) => isAbsent(body[name]));
  return added.length === 0 ? body : { ...body, ...Object.fromEntries(added) };
}

/**
 * What a policy takes for the name of a model; one of KeyPass's own tokens is none, because names go up and stand on
 * receipts. Half a surrogate pair counts as a control, too.
 */
const modelName = /^(?!kp_[a-z]{2,3}_)[^\s\p{C}]{1,200}$/u;

/**
 * The one model of a call: the path's, else the body's `model`. Wherever else a model can be named, it must be this one,
 * so that neither the owner's list nor the price can be walked around.
 */
export function modelOf(rules: BodyRules, pathModel: string | null, body: JsonObject): string {
  const model = pathModel ?? memberAt(body, 'model');
  if (typeof model !== 'string' || !modelName.test(model)) {
    const message = 'Name the model: 1 to 200 characters, none of them white space or a control.';
    throw new KeyPassError('invalid_request', message, { param: 'model' });
  }
  // Google's names carry the collection: `models/gemini-2.5-flash` is the path's `gemini-2.5-flash`.
  const names = pathModel === null ? [model] : [model, `models/${model}`];
  const other = rules.models.find((at) =>
    valuesAt(body, at).some(({ value }) => !names.some((name) => name === value)),
  );
  if (other === undefined) return model;
  throw new KeyPassError('model_not_allowed', 'A call has one model: every place that names one must name the same.', {
    param: other,
  });
}

function applies(rule: BodyRule, body: JsonObject): boolean {
  return valuesAt(body, rule.at).some(({ value, holder }) => {
    if (rule.is !== undefined && !rule.is.some((known) => known === value)) return false;
    if (rule.isNot !== undefined && value === rule.isNot) return false;
    if (rule.matches !== undefined && !isText(value, rule.matches)) return false;
    return rule.lacks === undefined || isAbsent(memberAt(holder, rule.lacks));
  });
}

function isText(value: unknown, pattern: string): boolean {
  return typeof value === 'string' && new RegExp(pattern, 'i').test(value);
}

function requireScope(grantee: Grantee, scope: PolicyScope): void {
  if (!grantee.policy.scopes.includes(scope)) throw notGranted(scope);
}

function notGranted(scope: PolicyScope, place?: string): KeyPassError {
  const what =
    scope === 'stateful'
      ? 'This is or would be stored at the provider, where every app of one account could reach it'
      : 'The owner of this connection did not allow this kind of call';
  return new KeyPassError('scope_not_granted', `${what}: it needs the scope \`${scope}\`.`, {
    ...(place === undefined ? {} : { param: place }),
    details: { scope },
  });
}
