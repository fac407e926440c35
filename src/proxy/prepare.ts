import { KeyPassError } from '../errors.ts';
import { readBody } from '../http/body.ts';
import { parseStrictJson } from '../http/strict-json.ts';
import type { PriceBook } from '../money/price-book.ts';
import { priceCeilingMembers } from '../money/price-ceiling.ts';
import { callPrices } from '../money/price-tiers.ts';
import { listPriceMembers } from '../money/tier.ts';
import type { UsageFormat } from '../money/usage.ts';
import { isAbsent, isObject, type JsonObject } from '../money/json.ts';
import { type Endpoint, limitsOf, type Metering, type Provider } from '../providers/index.ts';
import { includeUsageMembers } from './include-usage.ts';
import type { Route } from './paths.ts';
import type { Grantee } from './ports.ts';
import { contentWith, jsonType, quote, type Content, type PricedCall, type Quote } from './pricing.ts';
import { checkModel, checkScope, grantFor, modelOf, withoutState } from './rules.ts';

/** A call that the policy allows, with what it may cost. */
export interface PreparedCall {
  readonly keyId: string;
  readonly model: string | null;
  readonly content: Content | null;
  /** Null where nothing is billed. */
  readonly priced: { readonly call: PricedCall; readonly quote: Quote } | null;
  /** The stream's usage was asked for on KeyPass's account and has to be taken out again. */
  readonly removesUsage: boolean;
}

/** The JSON body of a request for an endpoint that takes one; null for one that takes none. */
export async function readContent(request: Request, endpoint: Endpoint, limit: number): Promise<Content | null> {
  if (endpoint.body === undefined) return null;
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? '')) {
    throw new KeyPassError('unsupported_media_type', 'Send the body as application/json.', { param: 'content-type' });
  }
  const bytes = await readBody(request, limit);
  const body = parseStrictJson(bytes);
  if (!isObject(body)) throw new KeyPassError('invalid_request', 'The body must be a JSON object.');
  return { body, bytes, type: jsonType };
}

/** The prices in force, and the moment of a call. */
export interface PricesAt {
  readonly book: PriceBook;
  readonly at: Date;
}

/** Holds a call against the owner's policy and the price list. What is sent is what was checked here. */
export function prepare(route: Route, grantee: Grantee, content: Content | null, prices: PricesAt): PreparedCall {
  const { provider, endpoint } = route;
  const grant = grantFor(grantee, provider);
  checkScope(grantee, endpoint);
  const { body: rules, metering } = endpoint;
  if (rules === undefined || content === null) {
    checkModel(grant, route.model, endpoint);
    return { keyId: grant.keyId, model: route.model, content: null, priced: null, removesUsage: false };
  }
  if (typeof metering === 'string') {
    const named = rules.models.length === 0 ? route.model : modelOf(rules, route.model, content.body);
    checkModel(grant, named, endpoint);
    const sent = contentWith(content, withoutState(rules, content.body, grantee));
    return { keyId: grant.keyId, model: named, content: sent, priced: null, removesUsage: false };
  }
  const model = modelOf(rules, route.model, content.body);
  checkModel(grant, model, endpoint);
  const stateless = withoutState(rules, content.body, grantee);
  refuseOddStream(metering, content.body);
  const listed = listPriceMembers(metering.format, content.body);
  const asking = metering.includeUsage === true ? includeUsageMembers(content.body) : undefined;
  // The app's own bytes, unless something has to be said in its place.
  const sent = contentWith(content, { ...stateless, ...listed, ...asking });
  const priced = pricedCall(provider, model, metering.format, sent, prices);
  const removesUsage = asking !== undefined;
  return { keyId: grant.keyId, model, content: priced.call.content, priced, removesUsage };
}

/** A provider that takes `"true"` for true would stream what is then metered as one answer. */
function refuseOddStream(metering: Metering, body: JsonObject): void {
  const { stream } = body;
  if (metering.streams !== 'body' || isAbsent(stream) || typeof stream === 'boolean') return;
  throw new KeyPassError('invalid_request', '`stream` must be true or false.', { param: 'stream' });
}

function pricedCall(provider: Provider, model: string, format: UsageFormat, content: Content, { book, at }: PricesAt) {
  const { id } = provider;
  const prices = callPrices(book, { provider: id, model, format, body: content.body }, at);
  const bounded = contentWith(content, priceCeilingMembers(format, content.body, prices));
  const call = { provider: id, model, format, limits: limitsOf(provider, model), prices, content: bounded };
  return { call, quote: quote(call) };
}
