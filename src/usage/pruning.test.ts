import { expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { recordOf, register } from '../../test/harness/people.ts';
import { connect, insertReceipt, insertReceipts } from '../../test/harness/receipts.ts';
import { startTestServer, TestClock } from '../../test/harness/server.ts';
import { UsageReports } from './service.ts';

const hourMs = 3600 * 1000;
const items = (data: Record<string, unknown>) => (Array.isArray(data['items']) ? data['items'] : []).map(recordOf);

eachDatabase((_kind, open) => {
  async function start(settings: Record<string, string> = {}) {
    const database = await open();
    const clock = new TestClock();
    const server = await startTestServer({ database, clock, settings });
    const ada = await register(server);
    const connection = await connect(ada);
    const ago = (days: number) => new Date(clock.now().getTime() - days * 24 * hourMs).toISOString();
    const count = async () => {
      const [row] = await database.sql<{ count: bigint }[]>`select count(*) from receipts`;
      return Number(row?.count);
    };
    return { database, clock, server, ada, connection, ago, count };
  }

  test('the old ones go, in batches; what was spent stays', async () => {
    const { database, clock, server, ada, connection, ago, count } = await start();
    const usage = new UsageReports({ database, clock, receiptDays: 62, freeCalls: [], booked: async () => {} });
    const month = `${clock.now().toISOString().slice(0, 7)}-01`;
    await database.sql`
      insert into budgets (connection_id, window_start, spent)
      values (${connection}, '1970-01-01', 5), (${connection}, ${month}, 7)`;
    await insertReceipts(database, connection, ago(100), { count: 2500, seconds: 60 });
    await insertReceipt(database, await connect(ada), ago(62.01));
    const kept = await insertReceipt(database, connection, ago(61.99));
    const newest = await insertReceipt(database, connection, ago(0));
    await usage.sweep();
    const { data } = await ada.call('GET', '/v1/usage/calls');
    expect(items(data).map(({ id }) => id)).toEqual([newest, kept]);
    const { data: shown } = await ada.call('GET', `/v1/connections/${connection}`);
    expect(shown['spent']).toBe('0.000000000007');
    expect(await database.sql`select spent from budgets order by spent`).toMatchObject([{ spent: 5n }, { spent: 7n }]);

    // Once there are no more, it looks again in an hour.
    await insertReceipt(database, connection, ago(200));
    await usage.sweep();
    expect(await count()).toBe(3);
    clock.advance(hourMs);
    await usage.sweep();
    // In that hour one more has come of age.
    expect(await count()).toBe(1);
    await server.stop();
  });

  test('the server does it by itself where the operator said so', async () => {
    const { database, clock, server, connection, ago, count } = await start({ KEYPASS_RECEIPT_DAYS: '62' });
    await insertReceipt(database, connection, ago(70));
    await insertReceipt(database, connection, ago(1));
    // The sweep of the start may have come before.
    while ((await count()) > 1) {
      clock.advance(hourMs);
      await server.sweep();
    }
    await server.stop();
  });

  test('and never else', async () => {
    const { database, clock, server, connection, ago, count } = await start();
    await insertReceipt(database, connection, ago(5000));
    clock.advance(hourMs);
    await server.sweep();
    expect(await count()).toBe(1);
    await server.stop();
  });
});
