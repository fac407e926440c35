import { parse as parseToml, TomlDate, TomlError } from 'smol-toml';
import { exactText, type Fraction } from './amount.ts';
import { isObject, type JsonObject } from './json.ts';
import { type Peak, timesRates } from './price-peak.ts';
import { type Rate, rateKeys, type RateName, type Rates, rateStep, type RateStep } from './price-rates.ts';
import { type ImagePrice, type Tier, tiers } from './prices.ts';

/** One `[[price]]` of a price file: all that there is to know of what these models cost in this tier. */
export interface PriceEntry {
  readonly provider: string;
  /** In lower case; one that ends in `*` stands for every name that begins so. */
  readonly models: readonly string[];
  /** Null for the standard one. */
  readonly tier: Tier | null;
  readonly rates: Rates;
  readonly images: readonly ImagePrice[];
  /** Absent where the price is the same at all hours. */
  readonly peak?: Peak;
}

export interface PriceFile {
  /** The day that the file says it is of. */
  readonly updated: string | null;
  readonly entries: readonly PriceEntry[];
}

/** A place in the file, such as `price 3, input_mtok`, and what was expected there. Neither repeats a value. */
export interface PriceFault {
  readonly place: string;
  readonly expected: string;
}

/** Every fault of a price file at once. */
export class PriceFileError extends Error {
  override readonly name = 'PriceFileError';
  readonly faults: readonly PriceFault[];

  constructor(faults: readonly PriceFault[]) {
    const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
    super(
      `The price file has ${count}:\n  ${faults.map(({ place, expected }) => `${place}: expected ${expected}`).join('\n  ')}`,
    );
    this.faults = faults;
  }
}

const wellKnown = ['provider', 'models', 'tier', 'images', 'peak'];

/**
 * Reads a price file (docs/prices.md). Throws a {@link PriceFileError} that names every fault.
 * `providers` are the ids that an entry may be for.
 */
export function parsePriceFile(text: string, providers: readonly string[]): PriceFile {
  const reader = new Reader(providers);
  const file = reader.file(text);
  if (reader.faults.length > 0) throw new PriceFileError(reader.faults);
  return file;
}

class Reader {
  readonly faults: PriceFault[] = [];
  readonly #providers: readonly string[];
  /** Where each model's price in each tier was stated first. */
  readonly #stated = new Map<string, number>();

  constructor(providers: readonly string[]) {
    this.#providers = providers;
  }

  file(text: string): PriceFile {
    const { updated, price = [], ...others } = this.#table(text);
    for (const key of Object.keys(others)) this.#fault(shown(key), 'only `updated` and `[[price]]` at the top');
    const entries =
      Array.isArray(price) && price.every(isTable) ? price : this.#fault('price', '`[[price]]` tables', []);
    return { updated: this.#day(updated), entries: entries.map((entry, index) => this.#entry(entry, index + 1)) };
  }

  #table(text: string): JsonObject {
    try {
      return parseToml(text, { unsafeKeyBehaviour: 'throw' });
    } catch (error) {
      const place = error instanceof TomlError ? `line ${error.line}, column ${error.column}` : 'the file';
      return this.#fault(place, 'TOML', {});
    }
  }

  #day(value: unknown): string | null {
    if (value === undefined) return null;
    if (value instanceof TomlDate && value.isDate()) return value.toISOString();
    return this.#fault('updated', 'a date such as 2026-11-20', null);
  }

  #entry(entry: JsonObject, number: number): PriceEntry {
    const at = `price ${number}`;
    const { provider, models, tier, images, peak, ...listed } = entry;
    const read = {
      provider: this.#oneOf(`${at}, provider`, provider, this.#providers, ''),
      models: this.#models(`${at}, models`, models),
      tier: tier === undefined ? null : this.#oneOf<Tier | null>(`${at}, tier`, tier, tiers, null),
      rates: this.#rates(at, listed),
      images: images === undefined ? [] : this.#images(`${at}, images`, images),
    };
    const isEmpty = Object.keys(listed).length === 0 && images === undefined;
    if (isEmpty) this.#fault(at, 'at least one rate, "0" if it is free');
    for (const model of read.models) this.#once(at, number, `${read.provider} ${model} ${read.tier ?? ''}`);
    return peak === undefined ? read : { ...read, peak: this.#peak(`${at}, peak`, peak, read.rates) };
  }

  #once(at: string, number: number, name: string): void {
    const first = this.#stated.get(name);
    if (first === undefined) this.#stated.set(name, number);
    else this.#fault(`${at}, models`, `each model once in a tier: one of these is in price ${first}`);
  }

  #models(at: string, value: unknown): string[] {
    const expected = 'a list of names such as ["gpt-4o", "gpt-4o-2024-*"], the `*` only at the end';
    if (!Array.isArray(value) || value.length === 0) return this.#fault(at, expected, []);
    const names = value.filter((name) => typeof name === 'string' && /^[\w.:@/-]{1,200}\*?$/.test(name));
    return names.length === value.length ? names.map((name) => name.toLowerCase()) : this.#fault(at, expected, []);
  }

  #rates(at: string, listed: JsonObject): Rates {
    const rates: { [Name in RateName]?: Rate } = {};
    for (const [key, value] of Object.entries(listed)) {
      const target = rateKeys.get(key);
      if (target === undefined)
        this.#fault(`${at}, ${shown(key)}`, `one of ${[...wellKnown, ...rateKeys.keys()].join(', ')}`);
      else rates[target.name] = this.#rate(`${at}, ${key}`, value, target.per, key.endsWith('_mtok'));
    }
    return rates;
  }

  #rate(at: string, value: unknown, per: number, canStep: boolean): Rate {
    if (!canStep || !isTable(value)) return [this.#step(at, -1, value, per)];
    const { base, above, ...others } = value;
    const steps = isTable(above) ? Object.entries(above) : this.#fault(`${at}.above`, 'amounts by tokens', []);
    for (const key of Object.keys(others)) this.#fault(`${at}.${shown(key)}`, '`base` and `above` only');
    return [
      this.#step(`${at}.base`, -1, base, per),
      ...steps
        .map(([tokens, usd]) => this.#step(`${at}.above.${shown(tokens)}`, this.#tokens(at, tokens), usd, per))
        .toSorted((a, b) => a.above - b.above),
    ];
  }

  #tokens(at: string, key: string): number {
    if (/^[1-9]\d{0,9}$/.test(key)) return Number(key);
    return this.#fault(`${at}.above`, 'whole numbers of input tokens, as in `above = { 200000 = "2.50" }`', 0);
  }

  #step(at: string, above: number, value: unknown, per: number): RateStep {
    const usd = typeof value === 'string' ? exactText(value) : undefined;
    if (usd !== undefined) return rateStep(above, usd, per);
    const hint = typeof value === 'number' ? ', in quotes: a number would not be exact' : '';
    return this.#fault(at, `US dollars as a text such as "0.15"${hint}`, rateStep(above, zero, per));
  }

  #images(at: string, value: unknown): ImagePrice[] {
    if (!Array.isArray(value) || value.length === 0 || !value.every(isTable))
      return this.#fault(at, 'a list such as [{ size = "1024x1024", quality = "hd", usd = "0.08" }]', []);
    const images = value.map((image, index) => this.#image(`${at} ${index + 1}`, image));
    const names = images.map(({ size, quality }) => `${size} ${quality}`);
    if (new Set(names).size < names.length) this.#fault(at, 'each size and quality once');
    return images;
  }

  #image(at: string, image: JsonObject): ImagePrice {
    const { size, quality, usd, ...others } = image;
    for (const key of Object.keys(others)) this.#fault(`${at}, ${shown(key)}`, '`size`, `quality` and `usd` only');
    return {
      size: this.#word(`${at}, size`, size),
      quality: this.#word(`${at}, quality`, quality),
      step: this.#step(`${at}, usd`, -1, usd, 1),
    };
  }

  #peak(at: string, value: unknown, rates: Rates): Peak {
    const {
      hours,
      days = weekdays,
      times,
      ...others
    } = isTable(value) ? value : this.#fault<JsonObject>(at, peakForm, {});
    for (const key of Object.keys(others)) this.#fault(`${at}, ${shown(key)}`, '`hours`, `days` and `times` only');
    const spans = Array.isArray(hours) ? hours.map(spanOf) : [];
    const named = Array.isArray(days) ? days.map((day) => weekdays.indexOf(String(day))) : [-1];
    const factor = typeof times === 'string' ? exactText(times) : undefined;
    const isSound = spans.length > 0 && spans.every((span) => span !== undefined) && !named.includes(-1);
    if (!isSound || factor === undefined) return this.#fault(at, peakForm, { hours: [], days: [], rates });
    return { hours: spans, days: named, rates: timesRates(rates, factor) };
  }

  #word(at: string, value: unknown): string | null {
    if (value === undefined) return null;
    const isWord = typeof value === 'string' && /^[\w:.-]{1,40}$/.test(value) && value !== 'auto';
    return isWord ? value.toLowerCase() : this.#fault(at, 'a word as the API names it; left out, it fits any', null);
  }

  #oneOf<T>(at: string, value: unknown, allowed: readonly T[], fallback: T): T {
    return allowed.find((item) => item === value) ?? this.#fault(at, `one of ${allowed.join(', ')}`, fallback);
  }

  #fault<T = void>(place: string, expected: string, fallback?: T): T;
  #fault(place: string, expected: string, fallback: unknown): unknown {
    this.faults.push({ place, expected });
    return fallback;
  }
}

const zero: Fraction = { numerator: 0n, denominator: 1n };

/** As a date of JavaScript counts them. */
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const peakForm = '{ hours = ["01:00-04:00"], days = ["mon", "tue"], times = "2" }, the hours in UTC';

/** "01:00-04:00" in minutes of a day. */
function spanOf(text: unknown): readonly [number, number] | undefined {
  const parts = typeof text === 'string' ? /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$/.exec(text) : null;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = parts?.slice(1).map(Number) ?? [];
  const [from, to] = [fromHour * 60 + fromMinute, toHour * 60 + toMinute];
  return from < to && to <= 24 * 60 ? [from, to] : undefined;
}

/** A date of TOML is an object too. */
function isTable(value: unknown): value is JsonObject {
  return isObject(value) && !(value instanceof Date);
}

/** A key of the file as far as it may be repeated: whatever was given for a price file, it may be another. */
function shown(key: string): string {
  return /^[\w-]{1,40}$/.test(key) ? key : 'a key';
}
