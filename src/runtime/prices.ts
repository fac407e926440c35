import type { Log } from '../http/log.ts';
import type { OperatorPrices, PriceBook } from '../money/price-book.ts';
import { parsePriceFile, PriceFileError } from '../money/price-file.ts';
import { providerIds } from '../providers/index.ts';
import { readTextFile } from './files.ts';

/** The operator's price file, or undefined where none is set. Throws a {@link PriceFileError} that names every fault. */
export async function readPrices(path: string | null): Promise<OperatorPrices | undefined> {
  if (path === null) return undefined;
  const text = await readTextFile(path).catch(() => {
    throw new PriceFileError([{ place: 'KEYPASS_PRICES_FILE', expected: 'the path of a file that can be read' }]);
  });
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return { ...parsePriceFile(text, providerIds), hash: new Uint8Array(digest).toHex().slice(0, 12) };
}

/** Reads the price file again. A sound one is in force for the calls that start from now on; else the old one stays. */
export async function reloadPrices(book: PriceBook, path: string | null, log: Log): Promise<void> {
  try {
    const file = await readPrices(path);
    book.replace(file);
    log.event('prices_replaced', { hash: file?.hash ?? 'none', entries: file?.entries.length ?? 0 });
  } catch (error) {
    // Neither part of a fault repeats a value of the file.
    const faults = error instanceof PriceFileError ? error.faults : [];
    for (const { place, expected } of faults) log.event('prices_fault', { place, expected });
    log.fault('prices_kept', error);
  }
}
