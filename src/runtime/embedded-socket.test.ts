import { afterAll, beforeAll, expect, test } from 'bun:test';
import { once } from 'node:events';
import { buildDataDirectory } from '../../scripts/data-directory.ts';
import type { EmbeddedSocket } from './embedded-socket.ts';
import { openInMemory } from './embedded.ts';
import { serveEngine, type Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => {
  await buildDataDirectory();
  engine = serveEngine(await openInMemory());
});
afterAll(() => engine.close());

const startup = withLength(Buffer.concat([int32(196_608), Buffer.from('user\0postgres\0database\0postgres\0\0')]));
const encryptionRequest = withLength(int32(80_877_103));
const cancelRequest = withLength(Buffer.concat([int32(80_877_102), int32(1), int32(2)]));

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function withLength(body: Buffer): Buffer {
  return Buffer.concat([int32(body.length + 4), body]);
}

function message(type: string, body = ''): Buffer {
  return Buffer.concat([Buffer.from(type), withLength(Buffer.from(body))]);
}

function query(statement: string): Buffer {
  return message('Q', `${statement}\0`);
}

/** Writes, and gives the types of the messages that come back, with the transaction's state after ReadyForQuery. */
async function exchange(socket: EmbeddedSocket, bytes: Buffer): Promise<string> {
  const answered = once(socket, 'data');
  socket.write(bytes);
  const [answer = Buffer.alloc(0)]: Buffer[] = await answered;
  let types = '';
  for (let at = 0; at < answer.length; at += 1 + answer.readInt32BE(at + 1)) {
    types += String.fromCharCode(answer[at] ?? 0);
    if (types.endsWith('Z')) types += String.fromCharCode(answer[at + 5] ?? 0);
  }
  return types.replaceAll(/S+/g, '');
}

async function end(socket: EmbeddedSocket): Promise<void> {
  const closed = once(socket, 'close');
  socket.end(message('X'));
  await closed;
}

async function start(): Promise<EmbeddedSocket> {
  const socket = engine.connect();
  expect(await exchange(socket, startup)).toEndWith('ZI');
  return socket;
}

test('statements, errors and transactions are answered as a server would', async () => {
  const socket = await start();
  expect(await exchange(socket, query('select 1'))).toBe('TDCZI');
  expect(await exchange(socket, query('select nothing_of_that_name'))).toBe('EZI');
  expect(await exchange(socket, query('begin'))).toBe('CZT');
  expect(await exchange(socket, query('select 1/0'))).toEndWith('EZE');
  expect(await exchange(socket, query('select 1'))).toBe('EZE');
  expect(await exchange(socket, query('rollback'))).toBe('CZI');
  await end(socket);
});

test('messages that were pipelined are all answered, and after an error only from the next Sync on', async () => {
  const socket = await start();
  const run = (statement: string): Buffer =>
    Buffer.concat([message('P', `\0${statement}\0\0\0`), message('B', '\0\0\0\0\0\0\0\0'), message('E', '\0\0\0\0\0')]);
  const sync = message('S');
  const pipelined = Buffer.concat([run('select 1'), run('select 1/0'), run('select 2'), sync, run('select 3'), sync]);
  expect(await exchange(socket, pipelined)).toBe('12DC1EZI12DCZI');
  await end(socket);
});

test('encryption is declined and the session goes on', async () => {
  const socket = engine.connect();
  const declined = once(socket, 'data');
  socket.write(encryptionRequest);
  expect(String((await declined)[0])).toBe('N');
  expect(await exchange(socket, startup)).toEndWith('ZI');
  await end(socket);
});

test('a request to cancel is let in beside the session and closed without an answer', async () => {
  const socket = await start();
  const canceller = engine.connect();
  const closed = once(canceller, 'close');
  canceller.write(cancelRequest);
  await closed;
  expect(await exchange(socket, query('select 1'))).toBe('TDCZI');
  await end(socket);
});

test('a second session is refused while the first lives', async () => {
  const socket = await start();
  const second = engine.connect();
  const refused = once(second, 'error');
  second.write(startup);
  expect(String((await refused)[0])).toContain('one connection at a time');
  expect(await exchange(socket, query('select 1'))).toBe('TDCZI');
  await end(socket);
});

test('a new session finds nothing of the one before: no transaction, no setting, no prepared statement', async () => {
  const socket = await start();
  await exchange(socket, query("set application_name = 'before'"));
  await exchange(socket, query('prepare kept as select 1'));
  expect(await exchange(socket, query('begin; create table kept (id int)'))).toEndWith('ZT');
  socket.destroy();
  const next = await start();
  expect(await exchange(next, query('execute kept'))).toBe('EZI');
  expect(await exchange(next, query('select * from kept'))).toBe('EZI');
  expect(await exchange(next, query("select 1/(current_setting('application_name') <> 'before')::int"))).toBe('TDCZI');
  await end(next);
});
