import type { Config } from '../config.ts';
import { KeyPassError } from '../errors.ts';
import { formatUsd } from '../money/amount.ts';
import { costOf } from '../money/cost.ts';
import type { ModelLimits } from '../money/limits.ts';
import type { PriceBook } from '../money/price-book.ts';
import { PriceFileError } from '../money/price-file.ts';
import { rateKeys } from '../money/price-rates.ts';
import { type ImagePrice, type Price, type Rate, tiers } from '../money/prices.ts';
import { noTokens, type Usage } from '../money/usage.ts';
import { type Catalogue, limitsOf } from '../providers/index.ts';
import { openPrices } from '../runtime/prices.ts';
import { exit, writeErrorLine, writeLine } from '../runtime/process.ts';
import { settings } from './settings.ts';

const usage = `Usage: keypass prices check [MODEL…] [options]

  Reads the price file, if KEYPASS_PRICES_FILE names one, and prints what each model costs and which list says so.
  MODEL is provider/model, or a name that is looked up at every provider.

  The example of a call that is printed with it:
  --input N --output N      tokens; 1000 each
  --cached N                tokens of the input that are read from a cache; 0
  --seconds N               of audio to transcribe; 60
  --characters N            to be spoken; 1000
  --images N                pictures, at the dearest size and quality; 1`;

const quantities = ['input', 'output', 'cached', 'seconds', 'characters', 'images'] as const;

type Quantities = { [Name in (typeof quantities)[number]]?: number };

/** `keypass prices check`: the price file's faults, and prices as the server would book them. */
export async function pricesCommand([step, ...args]: readonly string[]): Promise<void> {
  const asked = step === 'check' ? parse(args) : undefined;
  if (asked === undefined) {
    writeErrorLine(usage);
    return exit(2);
  }
  const config = await settings();
  const { providers } = config;
  const book = await openBook(config);
  const reports = asked.models.map((name) => ({ name, lines: report({ book, providers }, name, asked.example) }));
  for (const { name, lines } of reports) {
    if (lines.length === 0) writeErrorLine(`${name}: no price is known, so it is not called.`);
    for (const line of lines) writeLine(line);
  }
  if (reports.some(({ lines }) => lines.length === 0)) exit(1);
}

function parse(args: readonly string[]): { models: string[]; example: Quantities } | undefined {
  const models: string[] = [];
  const example: Quantities = {};
  const rest = args.values();
  for (const arg of rest) {
    if (!arg.startsWith('--')) {
      models.push(arg);
      continue;
    }
    const name = quantities.find((quantity) => arg === `--${quantity}`);
    const value = rest.next().value;
    if (name === undefined || value === undefined || !/^\d{1,9}$/.test(value)) return undefined;
    example[name] = Number(value);
  }
  return { models, example };
}

async function openBook(config: Config): Promise<PriceBook> {
  try {
    const book = await openPrices(config);
    const { file } = book;
    if (file !== undefined) writeLine(`The price file (${file.hash}) is sound. Prices in it: ${file.entries.length}`);
    return book;
  } catch (error) {
    if (!(error instanceof PriceFileError)) throw error;
    writeErrorLine(error.message);
    return exit(1);
  }
}

interface Lists {
  readonly book: PriceBook;
  readonly providers: Catalogue;
}

/** Every price that goes by this name, at all providers that it may mean and in all tiers. */
function report({ book, providers }: Lists, name: string, example: Quantities): string[] {
  const [id = '', ...rest] = name.split('/');
  const stated = providers.has(id) ? pricesOf(book, id, rest.join('/')) : [];
  const named = [...providers.keys()].flatMap((each) => pricesOf(book, each, name));
  // Any name is free at a server that is: that says nothing of a model.
  const prices = stated.length > 0 ? stated : named.filter(({ source }) => source.list !== 'configuration');
  return prices.flatMap((price) => {
    const provider = providers.get(price.provider);
    return describe(price, provider && limitsOf(provider, price.model), example);
  });
}

function pricesOf(book: PriceBook, provider: string, model: string): Price[] {
  const now = new Date();
  return [null, ...tiers].map((tier) => book.find(provider, model, now, tier)).filter((price) => price !== undefined);
}

function describe(price: Price, limits: ModelLimits | undefined, example: Quantities): string[] {
  const { provider, model, source, rates, images = [] } = price;
  const { list, version, entry, match, tier } = source;
  return [
    `${provider}/${model}${tier === undefined ? '' : `, tier ${tier}`}`,
    row('from', `${list} ${version}, ${match === 'exact' ? 'entry' : 'pattern'} ${entry}`),
    ...[...rateKeys].flatMap(([key, { name }]) => ratesRows(key, rates[name])),
    ...images.map((image) => row('images', `$${image.step.usd} for one${variantOf(image)}`)),
    row('limits', `context ${tokens(limits?.context)}, output ${tokens(limits?.output)}`),
    row('a call', exampleCost(price, example)),
  ];
}

function ratesRows(key: string, rate: Rate | undefined): string[] {
  if (rate === undefined) return [];
  const unit = units[key.slice(key.lastIndexOf('_') + 1)] ?? '';
  return rate.map(({ above, usd }) =>
    row(above < 0 ? key : '', `$${usd} for ${unit}${above < 0 ? '' : `, above ${count(above)} tokens of input`}`),
  );
}

/** By the end of a rate's key. */
const units: Readonly<Record<string, string>> = {
  mtok: 'a million tokens',
  hours: 'an hour of audio',
  mchars: 'a million characters',
  kcount: 'a thousand uses',
};

function variantOf({ size, quality }: ImagePrice): string {
  const named = [size, quality].filter((part) => part !== null);
  return named.length === 0 ? '' : `, ${named.join(' ')}`;
}

/** What a call of this size would be booked at, by the very code that books. */
function exampleCost(price: Price, example: Quantities): string {
  const used = exampleUsage(price, example);
  try {
    const { cost, lines } = costOf(used, price);
    const parts = lines.map(({ bucket, quantity }) => `${count(quantity)} ${bucket}`);
    return `$${formatUsd(cost)} for ${parts.length === 0 ? 'nothing' : parts.join(', ')}`;
  } catch (error) {
    if (!(error instanceof KeyPassError)) throw error;
    return error.message;
  }
}

/** Of what the price is for, the quantities asked for or else typical ones. */
function exampleUsage({ rates, images = [] }: Price, example: Quantities): Usage {
  const input = example.input ?? (rates.input === undefined ? 0 : 1000);
  const cached = Math.min(example.cached ?? 0, input);
  return {
    ...noTokens,
    uncachedInput: input - cached,
    cacheRead: cached,
    output: example.output ?? (rates.output === undefined ? 0 : 1000),
    seconds: example.seconds ?? (rates.audioSecond === undefined ? 0 : 60),
    characters: example.characters ?? (rates.character === undefined ? 0 : 1000),
    images: { count: example.images ?? (images.length === 0 ? 0 : 1), size: null, quality: null },
    raw: null,
  };
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(24)}${text}`;
}

function tokens(quantity: number | undefined): string {
  return quantity === undefined ? 'not known' : `${count(quantity)} tokens`;
}

function count(quantity: number): string {
  return quantity.toLocaleString('en');
}
