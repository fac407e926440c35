import { afterAll, beforeAll, expect, test } from 'bun:test';
import { openTestDatabase } from '../../test/harness/databases.ts';
import { call, outcome, register, type Account } from '../../test/harness/people.ts';
import { startTestServer, type TestServer } from '../../test/harness/server.ts';

let server: TestServer;
let ada: Account;

beforeAll(async () => {
  server = await startTestServer({ database: await openTestDatabase('embedded') });
  ada = await register(server);
});

afterAll(async () => {
  await server.stop();
  await server.database.close();
});

const get = (path: string) => ada.call('GET', path);
const lists = ['/v1/usage/calls', '/v1/keys', '/v1/apps', '/v1/connections'];

test.each([
  ['/v1/usage?by=hour&by=day', 'by'],
  ['/v1/usage?by=app&split=model&by=app', 'by'],
  ['/v1/usage?by&by=day', 'by'],
  ['/v1/usage/calls?format=csv&format=json', 'format'],
  [`/v1/usage/calls?connectionId=${crypto.randomUUID()}&connectionId=${crypto.randomUUID()}`, 'connectionId'],
  ['/v1/usage/calls?limit=5&lim%69t=6', 'limit'],
  ...lists.map((list): [string, string] => [`${list}?limit=5&&limit=5`, 'limit']),
])('the same parameter twice: %s', async (path, param) => {
  expect((await get(path)).error).toMatchObject({ code: 'duplicate_member', param });
});

test('an endpoint without parameters, without a session or with a body takes none twice either', async () => {
  const answers = [
    get('/v1/auth/me?x=1&x=2'),
    call(server, 'GET', '/v1/providers?x=1&x=2'),
    call(server, 'GET', '/v1/connection?x=1&x=2'),
    call(server, 'POST', '/v1/auth/prelogin?x=1&x=2', { body: { email: 'a@b.example' } }),
  ];
  for (const answer of await Promise.all(answers))
    expect(answer.error).toMatchObject({ code: 'duplicate_member', param: 'x' });
});

test('the proxy has rules of its own', async () => {
  const answer = await call(server, 'GET', '/google/v1beta/models?alt=json&alt=json');
  expect(outcome(answer)).toBe('401 credentials_missing');
});

test('what could be a token is not repeated as the name of a parameter', async () => {
  const name = `kp_ss_${'a'.repeat(40)}`;
  const answer = await get(`/v1/usage?${name}=1&${name}=2`);
  expect([outcome(answer), answer.text.includes(name)]).toEqual(['400 duplicate_member', false]);
});

test.each(['%ff', '%', '%4', '%zz', '%ED%A0%80', '%C0%AE', 'a%'])('model=%p is no text', async (value) => {
  const answer = await get(`/v1/usage?model=${value}`);
  expect(answer.error).toMatchObject({ code: 'invalid_request', param: 'model' });
  expect(answer.text).not.toContain(value);
  expect(outcome(await get(`/v1/usage?${value}=1`))).toBe('400 invalid_request');
});

test('text in UTF-8 is taken, and a = in a value is its own', async () => {
  for (const value of ['%F0%9F%92%A9', 'caf%C3%A9', 'a=b', 'a%3Db', 'a%2Bb'])
    expect(outcome(await get(`/v1/usage?model=${value}&by=day`))).toBe('200');
});

const noLimits = ['0', '-1', '201', '1000', '1e2', '10.0', '0x10', '%205', '5%20', '+5', '%2B5', '١', '', '5,6', 'x'];

test.each(noLimits)('limit=%s is no limit', async (value) => {
  for (const list of lists) {
    const { error } = await get(`${list}?limit=${value}`);
    expect(error).toMatchObject({ code: 'invalid_request', param: 'limit' });
    expect(error['message']).toContain('a whole number from 1 to 200');
  }
});

test('limit takes 1 to 200', async () => {
  for (const list of lists) {
    for (const value of [1, 9, 10, 99, 100, 199, 200]) expect(outcome(await get(`${list}?limit=${value}`))).toBe('200');
  }
});
