import type { Log } from '../http/log.ts';
import type { Config } from '../config.ts';
import { type CustomPrices, type OperatorPrices, PriceBook } from '../money/price-book.ts';
import { parsePriceFile, PriceFileError } from '../money/price-file.ts';
import { readTextFile } from './files.ts';

type Prices = Pick<Config, 'pricesFile' | 'providers'>;

/** What everything costs on this server. Throws a {@link PriceFileError} that names every fault of the price file. */
export async function openPrices(config: Prices): Promise<PriceBook> {
  const custom = [...config.providers.values()].flatMap(({ id: provider, custom: facts }): CustomPrices[] =>
    facts === undefined ? [] : [{ provider, isFree: facts.isFree }],
  );
  return new PriceBook(await readPrices(config), custom);
}

/** The operator's price file, or undefined where none is set. */
async function readPrices({ pricesFile: path, providers }: Prices): Promise<OperatorPrices | undefined> {
  if (path === null) return undefined;
  const text = await readTextFile(path).catch(() => {
    throw new PriceFileError([{ place: 'KEYPASS_PRICES_FILE', expected: 'the path of a file that can be read' }]);
  });
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return { ...parsePriceFile(text, [...providers.keys()]), hash: new Uint8Array(digest).toHex().slice(0, 12) };
}

/** Reads the price file again. A sound one is in force for the calls that start from now on; else the old one stays. */
export async function reloadPrices(book: PriceBook, config: Prices, log: Log): Promise<void> {
  try {
    const file = await readPrices(config);
    book.replace(file);
    log.event('prices_replaced', { hash: file?.hash ?? 'none', entries: file?.entries.length ?? 0 });
  } catch (error) {
    // Neither part of a fault repeats a value of the file.
    const faults = error instanceof PriceFileError ? error.faults : [];
    for (const { place, expected } of faults) log.event('prices_fault', { place, expected });
    log.fault('prices_kept', error);
  }
}
