import { catalogueOf } from '../../providers/index.ts';
import { exchangeFor } from './exchange.ts';

export const catalogue = catalogueOf();

export const facts = { id: 'chatcmpl-own', created: 1, model: 'asked' };

/** A chat of one question at a provider, with members of the request's own. */
export function exchange(id: string, body: object) {
  const provider = catalogue.get(id);
  if (provider === undefined) throw new Error(`no provider ${id}`);
  return exchangeFor({ provider, model: 'm', body: { model: 'm', messages: [question], ...body } });
}

export const question = { role: 'user', content: 'Hi' };
