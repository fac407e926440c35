import { KeyPassError } from '../errors.ts';
import { csvLine, type Cell } from './csv.ts';

export type FileFormat = 'csv' | 'ndjson';

/** A kind of file: what it has for columns as CSV. */
export interface Sheet<Item> {
  readonly columns: readonly string[];
  readonly cells: (item: Item) => readonly Cell[];
}

interface File<Item> {
  readonly format: FileFormat;
  readonly sheet: Sheet<Item>;
  /** Without its ending. */
  readonly name: string;
  /** Told of a failure that comes when the answer has begun. */
  readonly onFault: (error: unknown) => void;
}

const contentTypes = { csv: 'text/csv; charset=utf-8; header=present', ndjson: 'application/x-ndjson' } as const;

/**
 * An answer that is a file. The first page is read before it, so that what fails at once fails with a status of its own;
 * each other page only when the client has taken the one before. A later failure resets the connection: a file that ended
 * early must not look whole.
 */
export async function fileResponse<Item>(
  pages: AsyncIterable<readonly Item[]>,
  { format, sheet, name, onFault }: File<Item>,
): Promise<Response> {
  const chunks = chunksOf(pages, format, sheet);
  let first: IteratorResult<Uint8Array, void> | undefined = await chunks.next();
  let hasLeft = false;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = first ?? (await chunks.next());
          first = undefined;
          if (hasLeft) return;
          if (done === true) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          if (hasLeft) return;
          // A refusal on the way is no fault of ours.
          if (!(error instanceof KeyPassError)) onFault(error);
          controller.error(new Error('The file could not be finished.'));
        }
      },
      cancel: async () => {
        hasLeft = true;
        await chunks.return();
      },
    },
    { highWaterMark: 0 },
  );
  const headers = {
    'content-type': contentTypes[format],
    'content-disposition': `attachment; filename="${name}.${format}"`,
  };
  return new Response(body, { headers });
}

async function* chunksOf<Item>(
  pages: AsyncIterable<readonly Item[]>,
  format: FileFormat,
  { columns, cells }: Sheet<Item>,
): AsyncGenerator<Uint8Array, void> {
  const encoder = new TextEncoder();
  let head = format === 'csv' ? csvLine(columns) : '';
  for await (const page of pages) {
    const lines = page.map((item) => (format === 'csv' ? csvLine(cells(item)) : `${JSON.stringify(item)}\n`));
    const text = head + lines.join('');
    head = '';
    if (text !== '') yield encoder.encode(text);
  }
}
