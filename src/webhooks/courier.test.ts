import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { webhooks } from '../../sdk/node-sdk/src/index.ts';
import { eachDatabase } from '../../test/harness/databases.ts';
import { Outbox } from '../../test/harness/outbox.ts';
import { recordOf } from '../../test/harness/people.ts';
import { attemptsInARound } from './retries.ts';
import * as store from './store.ts';

const hour = 3600 * 1000;

eachDatabase((_kind, open) => {
  let outbox: Outbox;

  beforeAll(async () => {
    outbox = await Outbox.start(await open());
  });

  afterAll(() => outbox.stop());

  describe('a delivery', () => {
    test('is a signed POST of the event, and is logged', async () => {
      const app = await outbox.hookedApp();
      const id = await outbox.addEvent(app);
      await outbox.courier().deliver();
      const [request] = outbox.sent;
      expect(request?.url.href).toBe('https://notes.example/hook');
      expect(request?.addresses).toEqual(['93.184.215.14']);
      expect(request?.headers).toMatchObject({
        'content-type': 'application/json',
        'keypass-event-id': id,
        'user-agent': 'KeyPass/test',
      });
      const header = request?.headers['keypass-signature'];
      const event = await webhooks.verify({
        payload: request?.body ?? '',
        header,
        secret: app.secret,
        now: outbox.clock.now(),
      });
      expect(event).toMatchObject({ id, type: 'ping', data: {} });
      expect(await outbox.stateOf(id)).toMatchObject({ state: 'delivered', attempts: 1 });
      const [attempt] = await store.listAttempts(outbox.database.sql, [id]);
      expect(attempt).toMatchObject({ attempt: 1, status: 200, failure: null });
      await outbox.courier().deliver();
      expect(outbox.sent).toHaveLength(1);
    });

    test('that fails comes again, later and later, until it succeeds', async () => {
      const app = await outbox.hookedApp();
      const id = await outbox.addEvent(app);
      outbox.answer = () => 500;
      await outbox.courier().deliver();
      const first = await outbox.stateOf(id);
      expect(first).toMatchObject({ state: 'pending', attempts: 1 });
      expect(first?.dueInMs).toBeWithin(5000, 12_001);
      await outbox.courier().deliver();
      expect(outbox.sent).toHaveLength(1);
      outbox.clock.advance(13_000);
      await outbox.courier().deliver();
      expect((await outbox.stateOf(id))?.dueInMs).toBeWithin(20_000, 36_001);
      outbox.clock.advance(37_000);
      outbox.answer = () => 204;
      await outbox.courier().deliver();
      expect(await outbox.stateOf(id)).toMatchObject({ state: 'delivered', attempts: 3 });
      expect((await store.listAttempts(outbox.database.sql, [id])).map(({ status }) => status)).toEqual([
        500, 500, 204,
      ]);
      const signatures = outbox.sent.map(({ headers }) => headers['keypass-signature']);
      expect(new Set(signatures).size).toBe(3);
    });

    test.each([199, 300, 302, 307, 404, 410, 500])('answered with %d has failed', async (status) => {
      const app = await outbox.hookedApp();
      const id = await outbox.addEvent(app);
      outbox.answer = () => status;
      await outbox.courier().deliver();
      expect(await outbox.stateOf(id)).toMatchObject({ state: 'pending' });
      await outbox.removeEvents(app);
    });

    test('is given up after a round, and can then be asked for again', async () => {
      const app = await outbox.hookedApp();
      const id = await outbox.addEvent(app);
      outbox.answer = () => Promise.reject(new Error('no'));
      for (let attempt = 0; attempt < attemptsInARound + 2; attempt++) {
        await outbox.courier().deliver();
        outbox.clock.advance(13 * hour);
      }
      expect(outbox.sent).toHaveLength(attemptsInARound);
      expect(await outbox.stateOf(id)).toMatchObject({ state: 'failed', attempts: attemptsInARound });
      await store.updateEventDue(outbox.database.sql, app.id, id, attemptsInARound);
      await outbox.courier().deliver();
      const again = await outbox.stateOf(id);
      expect(again).toMatchObject({ state: 'pending', attempts: attemptsInARound + 1 });
      expect(again?.dueInMs).toBeWithin(5000, 12_001);
      expect(await store.listAttempts(outbox.database.sql, [id])).toHaveLength(attemptsInARound + 1);
      await outbox.removeEvents(app);
    });

    test('to an app that has no webhook any more is given up at once', async () => {
      const app = await outbox.hookedApp();
      const id = await outbox.addEvent(app);
      await app.developer.call('PATCH', `/v1/apps/${app.id}`, { webhookUrl: null });
      await outbox.courier().deliver();
      expect([outbox.sent.length, await outbox.stateOf(id)]).toMatchObject([0, { state: 'failed', attempts: 1 }]);
    });

    test('whose secret cannot be opened is an attempt that failed, and says so', async () => {
      const app = await outbox.hookedApp();
      const id = await outbox.addEvent(app);
      await outbox.database.sql`update webhook_secrets set id = gen_random_uuid() where app_id = ${app.id}`;
      await outbox.courier().deliver();
      expect([outbox.sent.length, await outbox.stateOf(id)]).toMatchObject([0, { state: 'pending', attempts: 1 }]);
      expect((await store.listAttempts(outbox.database.sql, [id]))[0]?.failure).toBe('internal_error');
      expect(outbox.faults.splice(0)).toEqual(['webhook_failed']);
      await outbox.removeEvents(app);
    });

    test('is signed by both secrets while one takes the place of the other, then by the new one', async () => {
      const app = await outbox.hookedApp();
      const rotated = await app.developer.call('POST', `/v1/apps/${app.id}/webhook/secret`);
      const fresh = String(rotated.data['webhookSecret']);
      const verified = async (secret: string) => {
        const [{ headers, body } = { headers: {}, body: '' }] = outbox.sent.slice(-1);
        const header = recordOf(headers)['keypass-signature'];
        const options = { payload: body, header: String(header), secret, now: outbox.clock.now() };
        return webhooks.verify(options).then(
          () => true,
          () => false,
        );
      };
      await outbox.addEvent(app);
      await outbox.courier().deliver();
      expect([await verified(app.secret), await verified(fresh)]).toEqual([true, true]);
      const again = String(
        (await app.developer.call('POST', `/v1/apps/${app.id}/webhook/secret`)).data['webhookSecret'],
      );
      await outbox.addEvent(app);
      await outbox.courier().deliver();
      expect([await verified(app.secret), await verified(fresh), await verified(again)]).toEqual([false, true, true]);
      outbox.clock.advance(24 * hour);
      await outbox.addEvent(app);
      await outbox.courier().deliver();
      expect([await verified(fresh), await verified(again)]).toEqual([false, true]);
    });
  });

  test('a hook that does not answer in time has failed', async () => {
    const app = await outbox.hookedApp();
    const id = await outbox.addEvent(app);
    outbox.answer = ({ signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('cut'))));
    await outbox.courier(20).deliver();
    expect((await store.listAttempts(outbox.database.sql, [id]))[0]).toMatchObject({
      status: null,
      failure: 'timeout',
    });
    await outbox.removeEvents(app);
  });

  test('events are kept for thirty days, those that wait for longer', async () => {
    const app = await outbox.hookedApp();
    const old = await outbox.addEvent(app);
    await outbox.courier().deliver();
    const waiting = await outbox.addEvent(app);
    outbox.clock.advance(30 * 24 * hour + 1);
    const fresh = await outbox.addEvent(app);
    await outbox.server.sweep();
    expect([await outbox.stateOf(old), await outbox.stateOf(waiting), await outbox.stateOf(fresh)]).toMatchObject([
      undefined,
      { state: 'pending' },
      { state: 'pending' },
    ]);
  });

  test('nothing went wrong unsaid', () => {
    expect(outbox.faults).toEqual([]);
    expect(outbox.server.lines.join()).not.toContain('webhook');
  });
});
