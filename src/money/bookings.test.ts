import { expect, test } from 'bun:test';
import postgres from 'postgres';
import { Bookings } from './bookings.ts';
import { released } from './receipts.ts';
import type { HoldEnd } from './settle-store.ts';

const end = (callId: number): HoldEnd => ({ ...released(String(callId)), flags: [] });
const never = () => {};
const refused = Object.assign(new postgres.PostgresError('refused'), { code: '22P05' });

/** Bookings over a ledger that takes what `write` lets it take. */
function open(write: (ends: readonly HoldEnd[]) => Promise<readonly boolean[]> = async (ends) => ends.map(() => true)) {
  const batches: string[][] = [];
  const faults: string[] = [];
  const bookings = new Bookings({
    write: async (ends) => {
      batches.push(ends.map(({ callId, flags }) => [callId, ...flags].join()));
      return write(ends);
    },
    onLate: () => {},
    onFault: (event) => faults.push(event),
  });
  return { bookings, batches, faults };
}

test('what has ended is gathered for a moment, or until there is a crowd, or until somebody waits', async () => {
  const { bookings, batches } = open();
  await Promise.all([bookings.add(end(1)), bookings.add(end(2))]);
  expect(batches).toEqual([['1', '2']]);
  for (let call = 0; call < 600; call += 1) void bookings.add(end(call));
  await bookings.booked();
  expect(batches.slice(1).map(({ length }) => length)).toEqual([256, 256, 88]);
  void bookings.add(end(1));
  const first = bookings.booked();
  await Promise.resolve();
  // While one batch is on its way, whoever waits for the next does not wait for company either.
  void bookings.add(end(2));
  await Promise.all([first, bookings.booked()]);
  expect(batches.slice(4)).toEqual([['1'], ['2']]);
});

test('an end that is told twice goes up once', async () => {
  const { bookings, batches } = open();
  await Promise.all([bookings.add(end(1)), bookings.add(end(2)), bookings.add(end(1))]);
  expect(batches).toEqual([['1', '2']]);
});

test('whoever waits for what was added waits for that, and for nothing that comes after', async () => {
  let pass = never;
  const { bookings } = open(async (ends) => {
    await new Promise<void>((resolve) => (pass = resolve));
    return ends.map(() => true);
  });
  await bookings.booked();
  void bookings.add(end(1));
  const booked = bookings.booked();
  await new Promise((resolve) => setTimeout(resolve, 0));
  let isTried = false;
  const later = bookings.add(end(2)).then(() => (isTried = true));
  pass();
  await booked;
  expect(isTried).toBe(false);
  void bookings.booked();
  await new Promise((resolve) => setTimeout(resolve, 0));
  pass();
  await later;
});

test('one that the database refuses for its values keeps no other from being booked, and goes without its details', async () => {
  const { bookings, batches, faults } = open(async (ends) => {
    if (ends.some(({ callId, flags }) => callId === '13' && flags.length === 0)) throw refused;
    return ends.map(() => true);
  });
  for (const call of [12, 13, 14]) void bookings.add(end(call));
  await bookings.booked();
  expect(batches).toEqual([['12', '13', '14'], ['12'], ['13'], ['13,details_lost'], ['14']]);
  expect(faults).toEqual(['receipt_refused']);
  expect(bookings.has('13')).toBe(false);
});

test('what a database that was away did not take is booked when it is back', async () => {
  let isAway = true;
  const { bookings, batches, faults } = open(async (ends) => {
    if (isAway) throw new Error('away');
    return ends.map(() => true);
  });
  void bookings.add(end(1));
  await bookings.booked();
  expect(faults).toEqual(['booking_failed']);
  expect(bookings.has('1')).toBe(true);
  isAway = false;
  await Promise.all([bookings.bookRest(), bookings.bookRest()]);
  expect(batches).toEqual([['1'], ['1']]);
  expect(bookings.has('1')).toBe(false);
});

test('a hold that may still come about is given back until it has come, or can not come any more', async () => {
  let isThere = false;
  const { bookings } = open(async (ends) => ends.map(() => isThere));
  bookings.keep(end(1), performance.now() + 60_000);
  await bookings.bookRest();
  expect(bookings.has('1')).toBe(true);
  isThere = true;
  await bookings.bookRest();
  expect(bookings.has('1')).toBe(false);
  isThere = false;
  bookings.keep(end(2), performance.now());
  await bookings.bookRest();
  expect(bookings.has('2')).toBe(false);
});
