import { afterAll, beforeAll, expect, test } from 'bun:test';
import { once } from 'node:events';
import { connect } from 'node:net';
import { freePort } from '../../test/harness/process.ts';
import { serve, type RunningServer } from '../runtime/serve.ts';
import { fileResponse } from './export.ts';

const rowBytes = 1000;
const pageRows = 250;
/** More than any socket buffers on the way. */
const pageCount = 120;

let server: RunningServer;
let read = 0;
let failsAt = Infinity;
let ended = Promise.withResolvers<void>();
const faults: unknown[] = [];

async function* pages() {
  try {
    for (let page = 0; page < pageCount; page++) {
      if (page === failsAt) throw new Error('the database is away');
      read++;
      yield Array.from({ length: pageRows }, () => 'x'.repeat(rowBytes));
    }
  } finally {
    ended.resolve();
  }
}

const sheet = { columns: ['text'], cells: (text: string) => [text] };

const onFault = (error: unknown) => faults.push(error);
const answer = () => fileResponse(pages(), { format: 'csv', sheet, name: 'test', onFault });

beforeAll(() => {
  server = serve({ hostname: '127.0.0.1', port: freePort(), fetch: answer });
});

afterAll(() => server.stop(0));

function begin(failure = Infinity): void {
  read = 0;
  failsAt = failure;
  ended = Promise.withResolvers();
  faults.length = 0;
}

/** Whether pages were read within the last moment, or the first is still to come. */
async function isReading(): Promise<boolean> {
  const before = read;
  await Bun.sleep(300);
  return read === 0 || read !== before;
}

test('a file comes whole', async () => {
  begin();
  const response = await fetch(server.url);
  expect(response.headers.get('content-disposition')).toBe('attachment; filename="test.csv"');
  const text = await response.text();
  expect(text.length).toBe('text\r\n'.length + pageCount * pageRows * (rowBytes + 2));
  expect(read).toBe(pageCount);
});

test('whoever does not read holds the reading up, and whoever leaves ends it', async () => {
  begin();
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  while (await isReading()) {
    // It ends where all buffers on the way are full.
  }
  expect(read).toBeLessThan(pageCount / 2);
  socket.destroy();
  await ended.promise;
  expect(read).toBeLessThan(pageCount / 2);
  expect(faults).toEqual([]);
});

test('what fails at once has a status of its own: nothing was sent', async () => {
  begin(0);
  const failure = await answer().catch((error: unknown) => error);
  expect(String(failure)).toContain('the database is away');
});

test('what fails later tears the file, so that it does not look whole', async () => {
  begin(3);
  const response = await fetch(server.url);
  expect(response.status).toBe(200);
  expect(await response.text().catch(() => 'torn')).toBe('torn');
  await ended.promise;
  expect(faults.map(String)).toEqual(['Error: the database is away']);
});
