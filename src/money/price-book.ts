import { type CatalogueEntry, catalogueVersion, findEntry, plainName } from './catalogue.ts';
import { catalogueRates } from './price-catalogue.ts';
import type { PriceEntry, PriceFile } from './price-file.ts';
import { ratesAt } from './price-peak.ts';
import { supplement } from './price-supplement.ts';
import { zeroRates } from './price-rates.ts';
import type { Price, PriceSource, Tier } from './prices.ts';

/** An operator's price file that was read and is sound. */
export interface OperatorPrices extends PriceFile {
  /** The first twelve hex digits of the file's SHA-256. */
  readonly hash: string;
}

/** A server of the operator's own, of whose prices no public list can know. */
export interface CustomPrices {
  readonly provider: string;
  /** All of it costs nothing. */
  readonly isFree: boolean;
}

/** A price as far as it is known before the moment of the call is. */
type Found = (at: Date) => Price | undefined;

/** A price as it is stated for one of the names in its entry. */
interface Stated {
  readonly model: string;
  readonly entry: PriceEntry;
}

/** A list of prices, and how receipts name it. */
interface List {
  readonly name: Pick<PriceSource, 'list' | 'version'>;
  readonly exact: ReadonlyMap<string, Stated>;
  /** The longest first: the one that says most of a name. */
  readonly prefixes: readonly (Stated & { readonly prefix: string })[];
}

/** Names of models come from requests: only so many are remembered, and none that is longer than any model's. */
const mostFound = 1000;
const longestName = 256;

/**
 * What every model costs: the operator's file before the supplement before the catalogue. An entry is a model's whole
 * price: what it leaves out is unknown, and nothing is filled in from a list behind it. Of the operator's own servers
 * only the operator knows, whatever their ids: by the file, or by the word that they are free.
 */
export class PriceBook {
  readonly #supplement = listOf({ list: 'supplement', version: supplement.updated ?? '' }, supplement.entries);
  readonly #custom: ReadonlySet<string>;
  readonly #free: List;
  #operator: OperatorPrices | undefined;
  #file: List | undefined;
  readonly #found = new Map<string, Found>();

  constructor(file?: OperatorPrices, custom: readonly CustomPrices[] = []) {
    const free = custom.filter(({ isFree }) => isFree);
    const entries = free.map(({ provider }) => ({
      provider,
      models: ['*'],
      tier: null,
      rates: zeroRates(),
      images: [],
    }));
    this.#custom = new Set(custom.map(({ provider }) => provider));
    this.#free = listOf({ list: 'configuration', version: 'free' }, entries);
    this.replace(file);
  }

  /** The operator's file that is in force. */
  get file(): OperatorPrices | undefined {
    return this.#operator;
  }

  /** Puts another file in force, or none, for the calls that start from now on. */
  replace(file: OperatorPrices | undefined): void {
    this.#operator = file;
    this.#file = file && listOf({ list: 'file', version: versionOf(file) }, file.entries);
    this.#found.clear();
  }

  /** The price of a model in a service tier (null: the standard one) at a moment; undefined when it is not known. */
  find(provider: string, model: string, at: Date, tier: Tier | null = null): Price | undefined {
    if (model.length > longestName) return undefined;
    const key = keyOf(provider, tier, model);
    const known = this.#found.get(key);
    if (known !== undefined) return known(at);
    const found = this.#look(provider, model, tier);
    if (found === undefined) return undefined;
    if (this.#found.size >= mostFound) this.#found.clear();
    this.#found.set(key, found);
    return found(at);
  }

  #look(provider: string, model: string, tier: Tier | null): Found | undefined {
    const stated = this.#file && inList(this.#file, provider, model, tier);
    const isCustom = this.#custom.has(provider);
    const found = stated ?? inList(isCustom ? this.#free : this.#supplement, provider, model, tier);
    if (found !== undefined) return found;
    if (isCustom) return undefined;
    // The catalogue knows the standard tier alone.
    const entry = tier === null ? findEntry(provider, model) : undefined;
    return entry && inCatalogue(entry, provider, model);
  }
}

function listOf(name: List['name'], entries: readonly PriceEntry[]): List {
  const stated = entries.flatMap((entry) => entry.models.map((model) => ({ model, entry })));
  return {
    name,
    exact: new Map(
      stated
        .filter(({ model }) => !model.endsWith('*'))
        .map((one) => [keyOf(one.entry.provider, one.entry.tier, one.model), one]),
    ),
    prefixes: stated
      .filter(({ model }) => model.endsWith('*'))
      .map((one) => ({ ...one, prefix: keyOf(one.entry.provider, one.entry.tier, one.model.slice(0, -1)) }))
      .toSorted((a, b) => b.prefix.length - a.prefix.length),
  };
}

/** The model comes last: a prefix of a name is one of its key. */
function keyOf(provider: string, tier: Tier | null, model: string): string {
  return `${provider} ${tier ?? 'standard'} ${model}`;
}

function inList(
  { name, exact, prefixes }: List,
  provider: string,
  model: string,
  tier: Tier | null,
): Found | undefined {
  const key = keyOf(provider, tier, plainName(model));
  const stated = exact.get(key) ?? prefixes.find(({ prefix }) => key.startsWith(prefix));
  if (stated === undefined) return undefined;
  const { model: named, entry } = stated;
  const match = named.endsWith('*') ? 'pattern' : 'exact';
  const source: PriceSource = { ...name, entry: named, match, ...(tier === null ? {} : { tier }) };
  const price = { provider, model, source, rates: entry.rates, images: entry.images };
  return entry.peak === undefined ? () => price : (at) => ({ ...price, rates: ratesAt(entry, at) });
}

function inCatalogue({ info, match }: CatalogueEntry, provider: string, model: string): Found {
  const source: PriceSource = { list: 'catalogue', version: catalogueVersion, entry: info.id, match };
  return (at) => {
    const rates = catalogueRates(info, at);
    return rates && { provider, model, source, rates };
  };
}

function versionOf({ updated, hash }: OperatorPrices): string {
  return updated === null ? hash : `${updated} ${hash}`;
}
