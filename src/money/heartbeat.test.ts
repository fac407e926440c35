import { afterEach, expect, spyOn, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { cent, openLedgerScene, settlement } from '../../test/harness/ledger.ts';

const spies: { mockRestore(): void }[] = [];
afterEach(() => {
  for (const spy of spies.splice(0)) spy.mockRestore();
});

eachDatabase((_kind, open) => {
  /** A network that swallows packets throws nothing: the heartbeat of a minute ago is answered when it is back. */
  test('an instance whose heartbeats all stood still judges no other by theirs', async () => {
    const scene = await openLedgerScene(open);
    const grantee = await scene.permission();
    const judge = scene.newLedger();
    const other = scene.newLedger();
    const stop = await judge.start();
    const silence = await other.start();
    const call = await other.hold(scene.request(grantee, 5n * cent));
    // It lives, but its next heartbeat is a little later than the judge's.
    await silence();
    const now = performance.now.bind(performance);
    spies.push(spyOn(performance, 'now').mockImplementation(() => now() + 60_000));
    // The database has heard of nobody for a minute; the judge's heartbeat arrives first.
    await scene.database.sql`update instances set heartbeat_at = heartbeat_at - interval '1 minute'`;
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    expect(await scene.state(grantee)).toEqual({ spent: 0n, held: 5n * cent });
    await other.settle(call, settlement);
    await stop();
  }, 30_000);
});
