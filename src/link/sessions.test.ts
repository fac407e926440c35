import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import {
  approval,
  call,
  newConnection,
  outcome,
  register,
  registerApp,
  type Account,
  type TestApp,
} from '../../test/harness/people.ts';
import { startTestServer, TestClock, type TestServer } from '../../test/harness/server.ts';
import { createToken, sha256, toBase64Url, utf8 } from '../crypto/index.ts';

const minute = 60_000;

eachDatabase((_kind, open) => {
  let server: TestServer;
  let ada: Account;
  let app: TestApp;
  let keyId: string;
  const clock = new TestClock();
  const registered = {
    allowedOrigins: ['https://notes.example', 'http://localhost:3000'],
    redirectUris: ['https://notes.example/back?from=keypass'],
  };

  beforeAll(async () => {
    server = await startTestServer({ database: await open(), clock });
    ada = await register(server);
    keyId = await ada.addKey();
    app = await registerApp(server, (await register(server)).token, registered);
  });

  afterAll(() => server.stop());

  const ask = (overrides: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
    app.post('/v1/link/sessions', { requestedProviders: ['openai'], ...overrides }, headers);
  const describeSession = (token: string, headers: Record<string, string> = {}) =>
    call(server, 'GET', '/v1/link/session', { token, headers });
  const askedScopes = async (wanted: Record<string, unknown>) => {
    const { data } = await ask(wanted);
    const shown = await describeSession(String(data['linkToken']), { origin: server.url });
    return shown.data['requestedScopes'];
  };
  const approve = (body: unknown, who = ada) => who.call('POST', '/v1/link/authorize', body);

  const status = async (token: string) => (await describeSession(token)).data['status'];

  describe('asking', () => {
    test('answers a token for the person’s browser, in the fragment of the link', async () => {
      const { data } = await ask();
      const linkToken = String(data['linkToken']);
      expect(data['linkUrl']).toBe(`${server.url}/link#token=${linkToken}`);
      const lifetime = Date.parse(String(data['expiresAt'])) - clock.now().getTime();
      expect(lifetime).toBeGreaterThan(29 * minute);
      expect(lifetime).toBeLessThanOrEqual(30 * minute);
    });

    test.each<[string, Record<string, unknown>, string, string | undefined]>([
      ['for no provider', { requestedProviders: [] }, '400 invalid_request', 'requestedProviders'],
      [
        'for one provider twice',
        { requestedProviders: ['openai', 'openai'] },
        '400 invalid_request',
        'requestedProviders',
      ],
      [
        'for an unknown provider',
        { requestedProviders: ['openai', 'nosuch'] },
        '400 provider_unknown',
        'requestedProviders',
      ],
      ['for no kind of call', { requestedScopes: [] }, '400 invalid_request', 'requestedScopes'],
      ['for one kind twice', { requestedScopes: ['images', 'images'] }, '400 invalid_request', 'requestedScopes'],
      [
        'for an unknown kind of call',
        { requestedScopes: ['chat', 'video'] },
        '400 invalid_request',
        'requestedScopes.1',
      ],
      ['for a kind in capitals', { requestedScopes: ['Chat'] }, '400 invalid_request', 'requestedScopes.0'],
      [
        'for calls without a known price',
        { requestedScopes: ['unmetered'] },
        '400 invalid_request',
        'requestedScopes.0',
      ],
      ['for kinds that are no list', { requestedScopes: 'chat' }, '400 invalid_request', 'requestedScopes'],
      ['from another origin', { origin: 'https://evil.example' }, '403 origin_not_allowed', 'origin'],
      ['from an origin in another spelling', { origin: 'https://notes.example/' }, '403 origin_not_allowed', 'origin'],
      ['to another page', { redirectUri: 'https://notes.example/back' }, '403 origin_not_allowed', 'redirectUri'],
      [
        'to the page with more after it',
        { redirectUri: 'https://notes.example/back?from=keypass&x=1' },
        '403 origin_not_allowed',
        'redirectUri',
      ],
      [
        'to the page in capitals',
        { redirectUri: 'https://NOTES.example/back?from=keypass' },
        '403 origin_not_allowed',
        'redirectUri',
      ],
      ['for too much money', { budgetSuggestionCents: 100_000_001 }, '400 invalid_request', 'budgetSuggestionCents'],
      ['for a user without a name', { clientUserId: '' }, '400 invalid_request', 'clientUserId'],
      ['with an unknown member', { budget: 5 }, '400 unknown_member', 'budget'],
      [
        'to change a connection that is none',
        { accessToken: createToken('access') },
        '401 access_token_invalid',
        undefined,
      ],
      ['to change one by another token', { accessToken: createToken('public') }, '401 access_token_invalid', undefined],
    ])('is refused %s', async (_name, overrides, expected, param) => {
      const answer = await ask(overrides);
      expect(outcome(answer)).toBe(expected);
      expect(answer.error['param']).toBe(param);
    });

    test('the refusal of a kind of call says which there are, and not what was sent', async () => {
      const { error, text } = await ask({ requestedScopes: ['video'] });
      for (const kind of ['chat', 'embeddings', 'images', 'audio', 'stateful'])
        expect(error['message']).toContain(kind);
      expect(text).not.toContain('video');
    });

    test('a personal connection is no app’s to change', async () => {
      const accessToken = createToken('access');
      await ada.call('POST', '/v1/connections', newConnection(keyId));
      expect(outcome(await ask({ accessToken }))).toBe('401 access_token_invalid');
    });

    test('a repeat with the same Idempotency-Key shows no second token', async () => {
      const headers = { 'idempotency-key': crypto.randomUUID() };
      const answers = await Promise.all([ask({}, headers), ask({}, headers)]);
      expect(answers.map(outcome).toSorted()).toEqual(['200', '409 already_created']);
      expect(outcome(await ask({ models: ['gpt-4o'] }, headers))).toBe('409 idempotency_mismatch');
    });
  });

  describe('what is shown', () => {
    test('to KeyPass’s own window everything, to other pages the status alone', async () => {
      const wanted = {
        origin: 'https://notes.example',
        redirectUri: registered.redirectUris[0],
        models: ['gpt-4o-mini'],
        budgetSuggestionCents: 500,
      };
      const { data } = await ask({ ...wanted, clientUserId: 'user-1' });
      const linkToken = String(data['linkToken']);
      const own = await describeSession(linkToken, { origin: server.url });
      expect(own.data).toMatchObject({
        ...wanted,
        status: 'pending',
        mode: 'connect',
        app: { id: app.id, name: 'Notes', allowedOrigins: registered.allowedOrigins },
        requestedProviders: ['openai'],
        clientUserIdHash: toBase64Url(await sha256(utf8('user-1'))),
      });
      expect(own.text).not.toContain('user-1');
      for (const origin of ['https://notes.example', 'null', 'https://evil.example']) {
        const foreign = await describeSession(linkToken, { origin });
        expect(Object.keys(foreign.data).toSorted()).toEqual(['expiresAt', 'status']);
        expect(foreign.headers.get('access-control-allow-origin')).toBe('*');
      }
    });

    test('the kinds of calls that are asked for, in order; the usual two where none are named', async () => {
      expect(await askedScopes({ requestedScopes: ['stateful', 'images', 'audio', 'chat', 'embeddings'] })).toEqual([
        'audio',
        'chat',
        'embeddings',
        'images',
        'stateful',
      ]);
      expect(await askedScopes({ requestedScopes: ['images'] })).toEqual(['images']);
      expect(await askedScopes({})).toEqual(['chat', 'embeddings']);
    });

    test('nothing to whoever has no link token', async () => {
      expect(outcome(await call(server, 'GET', '/v1/link/session'))).toBe('401 credentials_missing');
      for (const token of [createToken('link'), createToken('public'), ada.token]) {
        expect(outcome(await describeSession(token))).toBe('401 link_token_invalid');
      }
    });
  });

  describe('the end of a request', () => {
    test('it expires', async () => {
      const linkToken = await app.linkToken();
      clock.advance(30 * minute);
      expect(await status(linkToken)).toBe('expired');
      expect(outcome(await approve(approval(app, linkToken, keyId)))).toBe('401 link_token_expired');
      expect(outcome(await ada.call('POST', '/v1/link/deny', { linkToken }))).toBe('401 link_token_expired');
    });

    test('it is denied, once', async () => {
      const linkToken = await app.linkToken();
      expect(outcome(await ada.call('POST', '/v1/link/deny', { linkToken }))).toBe('200');
      expect(await status(linkToken)).toBe('denied');
      expect(outcome(await ada.call('POST', '/v1/link/deny', { linkToken }))).toBe('409 link_session_closed');
      expect(outcome(await approve(approval(app, linkToken, keyId)))).toBe('409 link_session_closed');
    });

    test('it is approved, once, whichever tab was first', async () => {
      const linkToken = await app.linkToken();
      const tabs = [1, 2, 3].map(() => approve(approval(app, linkToken, keyId)));
      const outcomes = (await Promise.all(tabs)).map(outcome);
      expect(outcomes.toSorted()).toEqual(['200', '409 link_session_closed', '409 link_session_closed']);
      expect(await status(linkToken)).toBe('approved');
      expect(outcome(await ada.call('POST', '/v1/link/deny', { linkToken }))).toBe('409 link_session_closed');
      clock.advance(10 * minute);
      expect(await status(linkToken)).toBe('expired');
    });

    test('denied in one tab and approved in another: one of the two', async () => {
      const linkToken = await app.linkToken();
      const both = await Promise.all([
        approve(approval(app, linkToken, keyId)),
        ada.call('POST', '/v1/link/deny', { linkToken }),
      ]);
      expect(both.map(outcome).toSorted()).toEqual(['200', '409 link_session_closed']);
      expect(await status(linkToken)).toBe(both[0]?.status === 200 ? 'approved' : 'denied');
    });

    test('only a person approves; to deny, the link token is enough', async () => {
      const linkToken = await app.linkToken();
      const body = approval(app, linkToken, keyId);
      expect(outcome(await call(server, 'POST', '/v1/link/authorize', { body }))).toBe('401 credentials_missing');
      const asLink = await call(server, 'POST', '/v1/link/authorize', { body, token: linkToken });
      expect(outcome(asLink)).toBe('401 session_invalid');
      expect(outcome(await app.post('/v1/link/authorize', body))).toBe('401 credentials_missing');
      expect(outcome(await approve(approval(app, createToken('link'), keyId)))).toBe('401 link_token_invalid');
      for (const token of [createToken('link'), linkToken.slice(0, -1), '']) {
        const denial = await call(server, 'POST', '/v1/link/deny', { body: { linkToken: token } });
        expect(outcome(denial)).toBe('401 link_token_invalid');
      }
      expect(await status(linkToken)).toBe('pending');
      expect(outcome(await call(server, 'POST', '/v1/link/deny', { body: { linkToken } }))).toBe('200');
    });
  });
});
