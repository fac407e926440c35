import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { webhooks } from '../../sdk/node-sdk/src/index.ts';
import { eachDatabase } from '../../test/harness/databases.ts';
import { call, outcome, recordOf, register, type Account } from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import { startRecorder, type Recorder } from '../../test/harness/upstream.ts';

const items = (data: Record<string, unknown>) => (Array.isArray(data['items']) ? data['items'] : []).map(recordOf);

/** Every request about an app's webhook but the one that sets it. */
const requests = (path: string, eventId: string) =>
  [
    ['POST', `${path}/webhook/secret`],
    ['POST', `${path}/webhook/test`],
    ['GET', `${path}/deliveries`],
    ['POST', `${path}/deliveries/${eventId}/redeliver`],
  ] as const;

/** What a developer does with an app's webhook. */
eachDatabase((_kind, open) => {
  let server: TestServer;
  let ada: Account;
  let hook: Recorder;
  let status = 200;
  const clock = new TestClock();

  beforeAll(async () => {
    server = await startTestServer({ database: await open(), clock, isIdle: true });
    ada = await register(server);
    hook = startRecorder(() => new Response('thank you', { status }));
  });

  afterAll(async () => {
    await server.stop();
    await hook.stop();
  });

  const create = (changes: Record<string, unknown> = {}) =>
    ada.call('POST', '/v1/apps', { name: 'Notes', allowedOrigins: ['https://notes.example'], ...changes });

  const createOnce = () =>
    call(server, 'POST', '/v1/apps', {
      token: ada.token,
      headers: { 'idempotency-key': 'once' },
      body: { name: 'Once', allowedOrigins: ['https://a.example'], webhookUrl: `${hook.origin}/hook` },
    });

  /** An app with a webhook, its path and its secret. */
  async function hooked() {
    const { data } = await create({ webhookUrl: `${hook.origin}/hook?app=1` });
    const id = String(data['id']);
    return { id, path: `/v1/apps/${id}`, secret: String(data['webhookSecret']) };
  }

  async function listed(path: string, query = '') {
    const { data } = await ada.call('GET', `${path}/deliveries${query}`);
    return { items: items(data), nextCursor: data['nextCursor'] };
  }

  describe('the secret', () => {
    test('is shown once, when a webhook is set, and kept sealed', async () => {
      const { data } = await create({ webhookUrl: `${hook.origin}/hook` });
      const secret = String(data['webhookSecret']);
      expect(secret).toMatch(/^kp_wh_[0-9A-Za-z]{49}$/);
      expect(data['webhookUrl']).toBe(`${hook.origin}/hook`);
      const { sql } = server.database;
      const dump = await sql<{ app: string; secret: string; bytes: Uint8Array }[]>`
        select apps::text as app, webhook_secrets::text as secret, webhook_secrets.secret as bytes
        from apps join webhook_secrets on app_id = apps.id`;
      const raw = dump.map(({ app, secret: row, bytes }) => app + row + Buffer.from(bytes).toString('latin1')).join();
      expect((await ada.call('GET', '/v1/apps')).text + raw + server.lines.join()).not.toContain(secret);
    });

    test('comes with the first URL, stays with another one and goes with the last', async () => {
      const { data } = await create();
      expect(data).not.toHaveProperty('webhookSecret');
      const path = `/v1/apps/${String(data['id'])}`;
      const first = await ada.call('PATCH', path, { webhookUrl: `${hook.origin}/a` });
      expect(first.data['webhookSecret']).toMatch(/^kp_wh_/);
      for (const change of [{ webhookUrl: `${hook.origin}/b` }, { name: 'Memos' }]) {
        const edited = await ada.call('PATCH', path, change);
        expect(edited.data).toMatchObject({ webhookUrl: `${hook.origin}/b` });
        expect(edited.data).not.toHaveProperty('webhookSecret');
      }
      const removed = await ada.call('PATCH', path, { webhookUrl: null });
      expect(removed.data['webhookUrl']).toBeNull();
      const { sql } = server.database;
      expect(await sql`select id from webhook_secrets where app_id = ${String(data['id'])}`).toHaveLength(0);
      const again = await ada.call('PATCH', path, { webhookUrl: `${hook.origin}/a` });
      expect(again.data['webhookSecret']).not.toBe(first.data['webhookSecret']);
    });

    test('two are live at most', async () => {
      const { id, path, secret } = await hooked();
      const { sql } = server.database;
      const secrets = [secret];
      for (let turn = 0; turn < 3; turn++) {
        const { data } = await ada.call('POST', `${path}/webhook/secret`);
        expect(new Date(String(data['oldSecretsExpireAt'])).getTime() - clock.now().getTime()).toBeWithin(
          23 * 3600 * 1000,
          25 * 3600 * 1000,
        );
        secrets.push(String(data['webhookSecret']));
      }
      expect(new Set(secrets).size).toBe(4);
      expect(await sql`select id from webhook_secrets where app_id = ${id}`).toHaveLength(2);
      clock.advance(25 * 3600 * 1000);
      await server.sweep();
      expect(await sql`select id from webhook_secrets where app_id = ${id}`).toHaveLength(1);
    });

    test('a repeated creation shows neither secret', async () => {
      expect((await createOnce()).data['webhookSecret']).toBeString();
      const repeat = await createOnce();
      expect([outcome(repeat), repeat.text.includes('kp_wh_')]).toEqual(['409 already_created', false]);
    });
  });

  test.each([
    'http://notes.example/',
    'https://10.0.0.1/',
    'https://[::ffff:127.0.0.1]/',
    'https://a:b@notes.example/',
    'no-address',
    ' https://notes.example/',
    'https://notes.example/ ',
    'https://no\ttes.example/',
    'https://notes.example/\r\nX: y',
    String.raw`https:/\notes.example/`,
    'https:notes.example/',
    'https://:@notes.example/',
    'https://NOTES.example/',
    'https://notes.example:443/',
    'https://notes.example/a/../hook',
    'https://notes.example:0/',
  ])('a webhook at %p is refused, when an app is made and later', async (webhookUrl) => {
    const { path } = await hooked();
    for (const answer of [await create({ webhookUrl }), await ada.call('PATCH', path, { webhookUrl })]) {
      expect([outcome(answer), answer.error['param']]).toEqual(['400 invalid_request', 'webhookUrl']);
      expect(answer.text).not.toContain(webhookUrl);
    }
  });

  test('a webhook is shown as it is called', async () => {
    const { path } = await hooked();
    for (const answer of [
      await create({ webhookUrl: 'https://notes.example' }),
      await ada.call('PATCH', path, { webhookUrl: 'https://notes.example' }),
    ])
      expect(answer.data['webhookUrl']).toBe('https://notes.example/');
  });

  describe('the log', () => {
    test('a test event arrives and is listed, without what the hook answered', async () => {
      const { path, secret } = await hooked();
      const sent = await ada.call('POST', `${path}/webhook/test`);
      const eventId = String(sent.data['eventId']);
      expect((await listed(path)).items).toMatchObject([{ eventId, type: 'ping', state: 'pending', attempts: [] }]);
      await server.deliver();
      const request = hook.requests.at(-1);
      expect(request).toMatchObject({ method: 'POST', path: '/hook?app=1' });
      const header = request?.headers.get('keypass-signature');
      const event = await webhooks.verify({ payload: request?.body ?? '', header, secret, now: clock.now() });
      expect(event).toEqual({ id: eventId, type: 'ping', createdAt: expect.any(String), data: {} });
      expect(request?.headers.get('keypass-event-id')).toBe(eventId);
      const log = await ada.call('GET', `${path}/deliveries`);
      expect(items(log.data)).toMatchObject([
        {
          eventId,
          connectionId: null,
          createdAt: event.createdAt,
          state: 'delivered',
          nextAttemptAt: null,
          attempts: [{ attempt: 1, status: 200, failure: null }],
        },
      ]);
      expect(log.text).not.toContain('thank you');
    });

    test('a failed one says when it comes again, and can be sent at once', async () => {
      const { path } = await hooked();
      status = 503;
      const { data } = await ada.call('POST', `${path}/webhook/test`);
      await server.deliver();
      const [failed] = (await listed(path)).items;
      expect(failed).toMatchObject({ state: 'pending', attempts: [{ status: 503, failure: null }] });
      expect(new Date(String(failed?.['nextAttemptAt'])).getTime()).toBeGreaterThan(clock.now().getTime());
      status = 200;
      const before = hook.requests.length;
      await server.deliver();
      expect(hook.requests).toHaveLength(before);
      await ada.call('POST', `${path}/deliveries/${String(data['eventId'])}/redeliver`);
      await server.deliver();
      // One that was delivered may be wanted again, too.
      await ada.call('POST', `${path}/deliveries/${String(data['eventId'])}/redeliver`);
      await server.deliver();
      expect((await listed(path)).items).toMatchObject([
        { state: 'delivered', attempts: [{ status: 503 }, { status: 200 }, { attempt: 3, status: 200 }] },
      ]);
    });

    test('is read by pages, the newest first', async () => {
      const { path } = await hooked();
      const made = [];
      for (let index = 0; index < 5; index++) {
        made.unshift((await ada.call('POST', `${path}/webhook/test`)).data['eventId']);
        clock.advance(1000);
      }
      const first = await listed(path, '?limit=2');
      const second = await listed(path, `?limit=2&cursor=${String(first.nextCursor)}`);
      const third = await listed(path, `?limit=2&cursor=${String(second.nextCursor)}`);
      const pages = [first, second, third].map((page) => page.items.map(({ eventId }) => eventId));
      expect(pages).toEqual([made.slice(0, 2), made.slice(2, 4), made.slice(4)]);
      expect(third.nextCursor).toBeNull();
    });
  });

  describe('refusals', () => {
    test('without a session, of another developer, of an app that is gone', async () => {
      await server.deliver();
      const { path } = await hooked();
      const eventId = String((await ada.call('POST', `${path}/webhook/test`)).data['eventId']);
      const bob = await register(server);
      const attempts = async (send: (method: string, to: string) => ReturnType<Account['call']>) =>
        new Set(
          await Promise.all(requests(path, eventId).map(async ([method, to]) => outcome(await send(method, to)))),
        );
      expect(await attempts((method, to) => call(server, method, to))).toEqual(new Set(['401 credentials_missing']));
      expect(await attempts((method, to) => bob.call(method, to))).toEqual(new Set(['404 app_not_found']));
      await ada.call('DELETE', path);
      expect(await attempts((method, to) => ada.call(method, to))).toEqual(new Set(['404 app_not_found']));
      const before = hook.requests.length;
      await server.deliver();
      expect(hook.requests).toHaveLength(before);
    });

    test('an app without a webhook has a log alone', async () => {
      const { data } = await create();
      const outcomes = [];
      for (const [method, to] of requests(`/v1/apps/${String(data['id'])}`, crypto.randomUUID()))
        outcomes.push(outcome(await ada.call(method, to)));
      expect(outcomes).toEqual(['409 webhook_missing', '409 webhook_missing', '200', '409 webhook_missing']);
    });

    test('an event of another app, and ids that are none', async () => {
      const [one, two] = [await hooked(), await hooked()];
      const eventId = String((await ada.call('POST', `${one.path}/webhook/test`)).data['eventId']);
      const redeliver = async (path: string, id: string) =>
        outcome(await ada.call('POST', `${path}/deliveries/${id}/redeliver`));
      expect(await redeliver(two.path, eventId)).toBe('404 event_not_found');
      expect(await redeliver(one.path, 'x')).toBe('400 invalid_request');
      expect(await redeliver('/v1/apps/x', eventId)).toBe('400 invalid_request');
    });

    test('this server calls nobody as often as someone likes', async () => {
      const { path } = await hooked();
      const outcomes = [];
      for (let index = 0; index < 11; index++) outcomes.push(outcome(await ada.call('POST', `${path}/webhook/test`)));
      expect(outcomes).toEqual([...Array(10).fill('200'), '429 too_many_attempts']);
      clock.advance(6000);
      expect(outcome(await ada.call('POST', `${path}/webhook/test`))).toBe('200');
    });
  });

  test('what may not be called is not called, whatever was stored', async () => {
    const { path, id } = await hooked();
    await server.database.sql`update apps set webhook_url = 'https://192.168.0.1/hook' where id = ${id}`;
    await ada.call('POST', `${path}/webhook/test`);
    await server.deliver();
    expect((await listed(path)).items).toMatchObject([{ attempts: [{ status: null, failure: 'url_refused' }] }]);
  });
});
