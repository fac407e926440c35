import { expect, test } from 'bun:test';
import { sealingKey } from '../crypto/index.ts';
import { policyFor } from '../../test/harness/people.ts';
import { OpenedConnections, shared, type Opened } from './opened.ts';

const minute = 60_000;

async function scene() {
  let time = 0;
  const opened = new OpenedConnections({ now: () => new Date(time) });
  const connectionKey = await sealingKey(new Uint8Array(32));
  const connection = (connectionId: string): Opened => ({
    grantee: {
      connectionId,
      userId: 'u',
      appId: null,
      policy: policyFor('00000000-0000-4000-8000-000000000001', {}),
      seal: 's',
      revision: 1,
      generation: 1,
    },
    connectionKey,
    keys: new Map(),
  });
  return { opened, connection, pass: (milliseconds: number) => (time += milliseconds) };
}

test('is found until it is forgotten, and by its latest token alone', async () => {
  const { opened, connection } = await scene();
  opened.add('old', connection('a'));
  opened.add('other', connection('b'));
  opened.add('new', connection('a'));
  expect(opened.find('old')).toBeUndefined();
  expect(opened.find('new')?.grantee.connectionId).toBe('a');
  opened.forget('a');
  expect(opened.find('new')).toBeUndefined();
  expect(opened.find('other')).toBeDefined();
});

test('what nobody has used for ten minutes is let go of', async () => {
  const { opened, connection, pass } = await scene();
  opened.add('busy', connection('a'));
  opened.add('idle', connection('b'));
  pass(9 * minute);
  expect(opened.find('busy')).toBeDefined();
  pass(2 * minute);
  opened.sweep();
  expect(opened.find('idle')).toBeUndefined();
  expect(opened.find('busy')).toBeDefined();
});

test('of too many the least lately used goes', async () => {
  const { opened, connection } = await scene();
  for (let index = 0; index < 10_000; index++) opened.add(`t${index}`, connection(`c${index}`));
  expect(opened.find('t0')).toBeDefined();
  opened.add('one more', connection('d'));
  expect(opened.find('t1')).toBeUndefined();
  expect(opened.find('t0')).toBeDefined();
  expect(opened.find('one more')).toBeDefined();
});

const keyOf = (...bytes: number[]) => ({ keyId: 'k', version: 1, secret: Uint8Array.of(...bytes), headers: {} });
const copied = ({ secret }: { secret: Uint8Array }) => [...secret];
const fails = () => {
  throw new Error('no use for it');
};

test('a crowd opens once, and nothing is left of the key when the last has used it', async () => {
  const opened: { secret: Uint8Array }[] = [];
  const use = shared(async () => {
    await Promise.resolve();
    const key = keyOf(1, 2, 3);
    opened.push(key);
    return key;
  });
  const crowd = await Promise.allSettled([use(copied), use(fails), use(copied)]);
  expect(crowd).toMatchObject([{ value: [1, 2, 3] }, { reason: new Error('no use for it') }, { value: [1, 2, 3] }]);
  expect(opened.map(copied)).toEqual([[0, 0, 0]]);
  expect(await use(copied)).toEqual([1, 2, 3]);
  expect(await Promise.allSettled([use(fails)])).toMatchObject([{ status: 'rejected' }]);
  expect(opened.map(copied)).toEqual([
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ]);
});

test('what fails to open fails for the whole crowd, and is tried again by the next', async () => {
  let attempts = 0;
  const use = shared(async () => {
    attempts += 1;
    if (attempts === 1) throw new Error('does not open');
    return keyOf(1);
  });
  const crowd = await Promise.allSettled([use(copied), use(copied)]);
  expect(crowd.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await use(copied)).toEqual([1]);
});
