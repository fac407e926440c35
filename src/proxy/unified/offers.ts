import type { PolicyScope } from '../../crypto/policy.ts';
import { KeyPassError } from '../../errors.ts';
import type { JsonObject } from '../../money/json.ts';
import type { Price } from '../../money/prices.ts';
import type { Provider } from '../../providers/index.ts';
import type { Grantee } from '../ports.ts';
import { prepare, type PricesAt } from '../prepare.ts';
import { contentOf } from '../pricing.ts';
import type { Proxy } from '../service.ts';
import { bareProvider } from './address.ts';
import { embeddingsFor } from './embeddings.ts';
import { exchangeFor } from './exchange.ts';

/** What a connection can call on `/openai/v1`, by the rules that hold for the call itself. */
export class Offers {
  readonly #proxy: Pick<Proxy, 'route'>;
  readonly #grantee: Grantee;
  readonly #prices: PricesAt;

  constructor(proxy: Pick<Proxy, 'route'>, grantee: Grantee, prices: PricesAt) {
    this.#proxy = proxy;
    this.#grantee = grantee;
    this.#prices = prices;
  }

  /** Whether the model has a price, and the owner's word for what it is for. */
  has(provider: Provider, model: string): boolean {
    const price = this.#prices.book.find(provider.id, model, this.#prices.at);
    if (price === undefined) return false;
    const kind = kindOf(provider, model, price);
    if (kind === 'chat') return this.#allows(provider, () => exchangeFor({ provider, model, body: smallChat(model) }));
    if (kind === 'embeddings') {
      return this.#allows(provider, () => embeddingsFor({ provider, model, body: { model, input: '?' } }));
    }
    // Of the other providers, only chat and embeddings are reached from here.
    return provider.id === bareProvider && this.#grantee.policy.scopes.includes(kind);
  }

  /** A call of this model that asks for next to nothing is checked and priced, and goes no further. */
  #allows({ id }: Provider, probe: () => { path: string; query?: string; body: JsonObject }): boolean {
    try {
      const { path, query = '', body } = probe();
      prepare(this.#proxy.route(id, 'POST', path, query), this.#grantee, contentOf(body), this.#prices);
      return true;
    } catch (error) {
      if (error instanceof KeyPassError) return false;
      throw error;
    }
  }
}

const smallChat = (model: string) => ({ model, messages: [{ role: 'user', content: '?' }], max_tokens: 16 });

/** No list says what a model is for, but its price does, and the name of those that embed. */
function kindOf({ id }: Provider, model: string, { rates, images }: Price): PolicyScope {
  if (/embed/i.test(model) || (rates.input !== undefined && rates.output === undefined)) return 'embeddings';
  if (images !== undefined && images.length > 0) return 'images';
  // Google's models of this kind are called by chat.
  if (id === bareProvider && rates.imageOutput !== undefined) return 'images';
  return rates.input === undefined ? 'audio' : 'chat';
}
