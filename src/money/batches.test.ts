import { expect, test } from 'bun:test';
import postgres from 'postgres';
import { Batches } from './batches.ts';

const never = () => {};

test('one goes at once; what comes while it is on its way goes together, in order', async () => {
  const batches: (readonly number[])[] = [];
  let pass = never;
  const numbers = new Batches<number, string>(async (items) => {
    batches.push(items);
    await new Promise<void>((resolve) => (pass = resolve));
    return items.map(String);
  });
  const first = numbers.add(1);
  const rest = [2, 3, 4].map((number) => numbers.add(number));
  expect(batches).toEqual([[1]]);
  pass();
  expect(await first).toBe('1');
  await Promise.resolve();
  pass();
  expect(await Promise.all(rest)).toEqual(['2', '3', '4']);
  expect(batches).toEqual([[1], [2, 3, 4]]);
});

test('a crowd is cut into pieces that do not keep the last one waiting for long', async () => {
  const sizes: number[] = [];
  const numbers = new Batches<number, number>(async (items) => {
    sizes.push(items.length);
    return items;
  });
  const all = Array.from({ length: 600 }, (_, index) => index);
  expect(await Promise.all(all.map((number) => numbers.add(number)))).toEqual(all);
  expect(Math.max(...sizes)).toBe(64);
});

const failing = (error: Error) =>
  new Batches<number, number>(async (items) => {
    if (items.includes(13)) throw error;
    return items;
  });

const outcomes = async (numbers: Batches<number, number>) => {
  const settled = await Promise.allSettled([1, 12, 13, 14].map((number) => numbers.add(number)));
  return settled.map(({ status }) => status);
};

test('one that the database refuses for its values fails alone', async () => {
  const error = Object.assign(new postgres.PostgresError('refused'), { code: '22P05' });
  expect(await outcomes(failing(error))).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
});

test('a database that is away fails all that were on their way', async () => {
  expect(await outcomes(failing(new Error('away')))).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
});
