import type { PolicyProvider, PolicyScope } from '../crypto/policy.ts';
import { KeyPassError } from '../errors.ts';
import { isAbsent, memberAt, noMembers, type JsonObject } from '../money/json.ts';
import type { BodyRule, BodyRules, Endpoint, Provider, RefusedRule } from '../providers/index.ts';
import { Places } from './places.ts';
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
 * What a call without state has to say in the app's place: the members that its body lacks. Throws `scope_not_granted`
 * where it reaches for what the provider stores, `unsupported_parameter` for what nobody may send.
 */
export function withoutState(rules: BodyRules, body: JsonObject, grantee: Grantee): JsonObject {
  const { refused, stateful } = prepared(rules);
  const unsupported = refused.find(body, applies);
  if (unsupported !== undefined) {
    throw new KeyPassError('unsupported_parameter', unsupported.why, { param: unsupported.at });
  }
  if (grantee.policy.scopes.includes('stateful')) return noMembers;
  const storing = stateful.find(body, applies);
  if (storing !== undefined) throw notGranted('stateful', storing.at);
  const { withoutState: said = noMembers } = rules;
  const lacks = (name: string) => isAbsent(body[name]);
  if (Object.keys(said).every(lacks)) return said;
  return Object.fromEntries(Object.entries(said).filter(([name]) => lacks(name)));
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
  const inCollection = pathModel === null ? model : `models/${model}`;
  const other = prepared(rules).models.find(body, (_, value) => value !== model && value !== inCollection);
  if (other === undefined) return model;
  throw new KeyPassError('model_not_allowed', 'A call has one model: every place that names one must name the same.', {
    param: other,
  });
}

/** Rules as they are held against a body, with their regular expressions. */
type Ready<Rule extends BodyRule> = Rule & { readonly pattern: RegExp | undefined };

interface PreparedRules {
  readonly models: Places<string>;
  readonly refused: Places<Ready<RefusedRule>>;
  readonly stateful: Places<Ready<BodyRule>>;
}

/** The rules are the tables' own, so there are only so many. */
const known = new WeakMap<BodyRules, PreparedRules>();

function prepared(rules: BodyRules): PreparedRules {
  const earlier = known.get(rules);
  if (earlier !== undefined) return earlier;
  const { models, refused = [], stateful } = rules;
  const ready = { models: new Places(models, (at) => at), refused: placesOf(refused), stateful: placesOf(stateful) };
  known.set(rules, ready);
  return ready;
}

function placesOf<Rule extends BodyRule>(rules: readonly Rule[]): Places<Ready<Rule>> {
  const ready = rules.map((rule) => {
    const pattern = rule.matches === undefined ? undefined : new RegExp(rule.matches, 'i');
    return { ...rule, pattern };
  });
  return new Places(ready, ({ at }) => at);
}

function applies({ is, isNot, pattern, lacks }: Ready<BodyRule>, value: unknown, holder: unknown): boolean {
  if (is !== undefined && !is.some((listed) => listed === value)) return false;
  if (isNot !== undefined && value === isNot) return false;
  if (pattern !== undefined && !(typeof value === 'string' && pattern.test(value))) return false;
  return lacks === undefined || isAbsent(memberAt(holder, lacks));
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
