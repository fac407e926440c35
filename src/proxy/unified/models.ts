import { v7 as uuidv7 } from 'uuid';
import type { Clock } from '../../clock.ts';
import type { PolicyProvider } from '../../crypto/policy.ts';
import { KeyPassError } from '../../errors.ts';
import { isObject, listAt, memberAt, parseBytes, textAt } from '../../money/json.ts';
import type { PriceBook } from '../../money/price-book.ts';
import type { Catalogue, Provider } from '../../providers/index.ts';
import { refuseKeyInQuery, targetOf } from '../paths.ts';
import type { Limits } from '../ports.ts';
import type { Route } from '../paths.ts';
import type { Caller, Proxy } from '../service.ts';
import { bareProvider, nameFor, splitName } from './address.ts';
import { readWhole, refusalOf, unreadable } from './failures.ts';
import { Offers } from './offers.ts';

/** https://platform.openai.com/docs/api-reference/models/object */
interface Model {
  readonly id: string;
  readonly object: 'model';
  /** Unix time in seconds; 0 where the provider does not say. */
  readonly created: number;
  readonly owned_by: string;
}

/** What a connection may call; `unlisted` are the providers whose own list could not be had. */
interface ModelList {
  readonly models: readonly Model[];
  readonly unlisted: readonly string[];
}

interface Parts {
  readonly proxy: Proxy;
  readonly providers: Catalogue;
  readonly prices: PriceBook;
  readonly limits: Limits;
  readonly clock: Clock;
  /** How long a provider may take for its list. */
  readonly patienceMs: number;
}

/** A model by its provider's own name. */
interface Named {
  readonly name: string;
  readonly created: number;
}

/** A list is asked for again after this long: tools ask whenever one of their pages is opened. */
const listedMs = 5 * 60_000;
const mostLists = 1_000;

/**
 * The models of a connection by the names under which `/openai/v1` takes them: those that the owner named, else those
 * that the provider lists for the owner's key. What has no known price is not offered, since it would be refused.
 */
export class Models {
  readonly #parts: Parts;
  /** By provider and key, whose owner's connections share it. A list costs nothing and holds names alone. */
  readonly #lists = new Map<string, { readonly until: number; readonly names: Promise<readonly Named[]> }>();
  /** Of each list what is offered of it, by the seal of the connection: hundreds of names are checked once. */
  readonly #offers = new WeakMap<readonly Named[], Map<string, readonly Model[]>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Answers `GET /openai/v1/models`. A provider that can't be asked leaves out its models alone; where nothing is left,
   * its failure is thrown.
   */
  async list(request: Request): Promise<ModelList> {
    const caller = await this.#caller(request);
    const granted = caller.grantee.policy.providers;
    const lists = await Promise.allSettled(granted.map((grant) => this.#offered(caller, grant)));
    const models = lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []));
    const failed = lists.find((list) => list.status === 'rejected');
    if (models.length === 0 && failed !== undefined) throw failed.reason;
    return { models, unlisted: granted.filter((_, index) => lists[index]?.status === 'rejected').map(({ id }) => id) };
  }

  /** Answers `GET /openai/v1/models/{id}`; a slash in the id may be written as it is or escaped. Throws `not_found`. */
  async find(request: Request): Promise<Model> {
    const caller = await this.#caller(request);
    const id = idIn(request.url);
    const split = splitName(this.#parts.providers, id);
    const grant = caller.grantee.policy.providers.find((one) => one.id === (split?.provider.id ?? bareProvider));
    const offered = grant === undefined ? [] : await this.#offered(caller, grant);
    const name = split === undefined ? id : nameFor(split.provider, split.model);
    const model = offered.find((one) => one.id === name);
    if (model !== undefined) return model;
    throw new KeyPassError('not_found', 'This connection has no such model. GET /openai/v1/models lists what it has.', {
      param: 'model',
    });
  }

  /** Nothing is held for a list that is known, so whether the connection is still in force is asked here. */
  #caller({ url, headers }: Request): Promise<Caller> {
    refuseKeyInQuery(targetOf(url).query);
    return this.#parts.proxy.caller(headers, { anew: true });
  }

  async #offered(caller: Caller, grant: PolicyProvider): Promise<readonly Model[]> {
    const { proxy, providers, prices, clock } = this.#parts;
    const provider = providers.get(grant.id);
    if (provider === undefined) return [];
    const named = grant.models?.map((name) => ({ name, created: 0 })) ?? (await this.#listed(caller, provider, grant));
    const { grantee } = caller;
    const known = this.#offers.get(named)?.get(grantee.seal);
    if (known !== undefined) return known;
    const offers = new Offers(proxy, grantee, { book: prices, at: clock.now() });
    const models = named.filter(({ name }) => offers.has(provider, name)).map((model) => modelOf(provider, model));
    this.#offers.set(named, (this.#offers.get(named) ?? new Map<string, readonly Model[]>()).set(grantee.seal, models));
    return models;
  }

  async #listed(caller: Caller, provider: Provider, { keyId }: PolicyProvider): Promise<readonly Named[]> {
    const key = `${provider.id} ${keyId}`;
    const now = this.#parts.clock.now().getTime();
    const known = this.#lists.get(key);
    if (known !== undefined && known.until > now) return known.names;
    if (this.#lists.size >= mostLists) this.#lists.clear();
    const names = this.#ask(caller, provider);
    const list = { until: now + listedMs, names };
    this.#lists.set(key, list);
    try {
      return await names;
    } catch (error) {
      if (this.#lists.get(key) === list) this.#lists.delete(key);
      throw error;
    }
  }

  async #ask(caller: Caller, provider: Provider): Promise<readonly Named[]> {
    const { modelList } = provider;
    if (modelList === undefined) return [];
    const route = this.#parts.proxy.route(provider.id, 'GET', modelList.path, modelList.query ?? '');
    const signal = AbortSignal.timeout(this.#parts.patienceMs);
    try {
      return await this.#read(caller, route, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new KeyPassError('provider_timeout', 'The provider did not list its models in time.');
    }
  }

  /** A free call like any other: checked, held at nothing, and on a receipt. It does not end with the one that asked. */
  async #read(caller: Caller, route: Route, signal: AbortSignal): Promise<readonly Named[]> {
    const { proxy, limits } = this.#parts;
    const call = { callId: uuidv7(), headers: new Headers(), content: null, tellsErrors: false };
    const answer = await proxy.callAs(caller, { ...call, route, signal });
    if (answer.status < 200 || answer.status >= 300) throw await refusalOf(answer);
    return namesIn(parseBytes(await readWhole(answer.body, limits.maxCopyBytes)));
  }
}

function modelOf(provider: Provider, { name, created }: Named): Model {
  return { id: nameFor(provider, name), object: 'model', created, owned_by: provider.id };
}

/** Lists are `{ data: [{ id }] }`, Google's and Cohere's `{ models: [{ name }] }`, Together's the list alone. */
function namesIn(body: unknown): Named[] {
  const list: unknown = Array.isArray(body) ? body : (memberAt(body, 'data') ?? memberAt(body, 'models'));
  if (!Array.isArray(list)) throw unreadable();
  return listAt({ list }, 'list').flatMap((item) => {
    const name = textAt(item, 'id') ?? textAt(item, 'name')?.replace(/^models\//, '');
    return isObject(item) && name !== undefined && isModelName(name) ? [{ name, created: createdAt(item) }] : [];
  });
}

/** Anthropic has a date in the place of the number. */
function createdAt(item: unknown): number {
  const created = memberAt(item, 'created') ?? Math.floor(Date.parse(textAt(item, 'created_at') ?? '') / 1000);
  return typeof created === 'number' && Number.isSafeInteger(created) ? created : 0;
}

function idIn(url: string): string {
  const { path } = targetOf(url);
  const written = path.slice('/v1/models/'.length);
  try {
    return decodeURIComponent(written);
  } catch {
    throw new KeyPassError('invalid_path', 'The name of the model is not escaped as a URL has it.');
  }
}

/** What a policy takes for one, and a call. */
function isModelName(name: string): boolean {
  return /^[^\s\p{C}]{1,200}$/u.test(name);
}
