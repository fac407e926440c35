import { afterEach, beforeAll, expect, jest, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { cent, codeOf, openLedgerScene, settlement, type LedgerScene } from '../../test/harness/ledger.ts';
import type { Database } from '../database/connect.ts';
import { noTokens } from './usage.ts';

const none = { rpm: null, tpm: null, parallel: null };

eachDatabase((_kind, open) => {
  let scene: LedgerScene;

  beforeAll(async () => {
    scene = await openLedgerScene(open);
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  test('a connection that does not answer in time is given up, by holds and by ends', async () => {
    const grantee = await scene.permission();
    let renewals = 0;
    const silent: Database['sql'] = new Proxy(scene.database.sql, {
      apply: (target, self, args) =>
        new Proxy(Reflect.apply(target, self, args), {
          get: (query, name) => (name === 'then' ? () => {} : Reflect.get(query, name, query)),
        }),
    });
    const database: Database = { ...scene.database, serial: silent, renewSerial: () => (renewals += 1) };
    const ledger = scene.newLedger({ database, onFault: () => undefined });
    jest.useFakeTimers();
    const held = codeOf(ledger.hold(scene.request(grantee, cent)));
    jest.advanceTimersByTime(25_000);
    expect(await held).toBe('database_unavailable');
    expect(renewals).toBe(1);
    const ended = ledger.release({ callId: crypto.randomUUID(), amount: cent });
    jest.advanceTimersByTime(100);
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    jest.advanceTimersByTime(25_000);
    await ended;
    expect(renewals).toBe(2);
  });

  test('a larger limit of tokens is worked off at its own speed, not at that of the one before', async () => {
    const narrow = await scene.permission({ limits: { ...none, tpm: 10 } });
    const call = await scene.hold(narrow, cent, { tokens: 100_000 });
    await scene.ledger.settle(call, { ...settlement, usage: { ...noTokens, output: 100_000, raw: null } });
    expect(await codeOf(scene.hold(narrow, cent, { tokens: 10 }))).toBe('rate_limited');
    // A tenth of a minute's worth under what the owner allows now.
    const wide = { ...narrow, policy: { ...narrow.policy, limits: { ...none, tpm: 1_000_000 } } };
    expect(await codeOf(scene.hold(wide, cent, { tokens: 1_000 }))).toBe('granted');
  });

  test('an outage leaves no statement of its own behind for each call that it refused', async () => {
    const grantee = await scene.permission();
    await scene.hold(grantee, 0n);
    let [isAway, statements] = [false, 0];
    const sql = new Proxy(scene.database.sql, {
      apply(target, self, args) {
        const query: PromiseLike<unknown> = Reflect.apply(target, self, args);
        return new Proxy(query, {
          get: (awaited, name) => {
            if (name !== 'then') return Reflect.get(awaited, name, awaited);
            statements += 1;
            const answer = isAway ? Promise.reject(new Error('away')) : Promise.resolve(awaited);
            return (...callbacks: Parameters<Promise<unknown>['then']>) => answer.then(...callbacks);
          },
        });
      },
    });
    const database: Database = { ...scene.database, sql, serial: sql };
    const ledger = scene.newLedger({ database, onFault: () => undefined });
    const stop = await ledger.start();
    isAway = true;
    await Promise.all(Array.from({ length: 1_000 }, () => codeOf(ledger.hold(scene.request(grantee, cent)))));
    isAway = false;
    statements = 0;
    await stop();
    expect(statements).toBeLessThan(50);
  });
});
