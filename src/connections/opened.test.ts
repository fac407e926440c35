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

test('a crowd opens once: each has bytes of its own, and nothing is left of those between them', async () => {
  const opened: Uint8Array[] = [];
  const open = shared(async () => {
    await Promise.resolve();
    const bytes = Uint8Array.of(1, 2, 3);
    opened.push(bytes);
    return bytes;
  });
  const crowd = await Promise.all([open(), open(), open()]);
  expect(crowd).toEqual([Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3)]);
  expect(new Set(crowd.map(({ buffer }) => buffer)).size).toBe(3);
  expect(opened).toEqual([Uint8Array.of(0, 0, 0)]);
  await open();
  expect(opened).toHaveLength(2);
});

test('what fails to open fails for the whole crowd, and is tried again by the next', async () => {
  let attempts = 0;
  const open = shared(async () => {
    attempts += 1;
    if (attempts === 1) throw new Error('does not open');
    return Uint8Array.of(1);
  });
  const crowd = await Promise.allSettled([open(), open()]);
  expect(crowd.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await open()).toEqual(Uint8Array.of(1));
});
