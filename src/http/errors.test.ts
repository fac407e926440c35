import { expect, test } from 'bun:test';
import { Elysia, NotFoundError, t, ValidationError } from 'elysia';
import { KeyPassError } from '../errors.ts';
import { failureResponse } from './envelope.ts';
import { asKeyPassError } from './errors.ts';
import { Log } from './log.ts';
import { object } from './schema.ts';

const canary = 'canary-7f3a';

/** How a failure is told to the caller, and what is logged of it. */
async function told(error: unknown) {
  const lines: string[] = [];
  const response = failureResponse(
    asKeyPassError(error, new Log((line) => lines.push(line)), 'request-1'),
    'request-1',
  );
  return { status: response.status, headers: response.headers, text: await response.text(), lines };
}

test('a failure without a name of its own says nothing of itself, to the caller or in the log', async () => {
  class VerySpecialError extends Error {
    readonly detail = canary;
    readonly code = canary;
  }
  const error = new VerySpecialError(`insert into users values ('${canary}')`, { cause: new Error(canary) });
  const { status, headers, text, lines } = await told(error);
  expect({ status, code: headers.get('x-keypass-error') }).toEqual({ status: 500, code: 'internal_error' });
  expect(text).toContain('request-1');
  expect(text + lines.join('\n')).not.toContain(canary);
  expect(text).not.toMatch(/VerySpecialError|\.ts:|at /);
  expect(lines.join('\n')).toContain('VerySpecialError');
});

test('things thrown that are no errors', async () => {
  for (const thrown of [canary, null, undefined, { message: canary }, 7]) {
    const { status, text, lines } = await told(thrown);
    expect(status).toBe(500);
    expect(text + lines.join('\n')).not.toContain(canary);
  }
});

test('a database that is away is told as that, with the time to wait', async () => {
  const error = Object.assign(new Error(`connect ECONNREFUSED ${canary}`), { code: 'CONNECT_TIMEOUT' });
  const { status, headers, text } = await told(error);
  expect({ status, code: headers.get('x-keypass-error') }).toEqual({ status: 503, code: 'database_unavailable' });
  expect(headers.get('retry-after')).toBe('1');
  expect(headers.get('x-should-retry')).toBeNull();
  expect(text).not.toContain(canary);
});

test('an answer of ours that does not fit its own schema is our fault, not the caller’s', async () => {
  const schema = t.Object({ id: t.String() });
  const { status, text, lines } = await told(new ValidationError('response', schema, { id: 7, other: canary }));
  expect(status).toBe(500);
  expect(lines).toHaveLength(1);
  expect(text + lines.join('\n')).not.toContain(canary);
});

test('a path that is not there', async () => {
  expect((await told(new NotFoundError())).status).toBe(404);
});

const shouldRetry = async (error: KeyPassError) => (await told(error)).headers.get('x-should-retry');

test('final refusals say so; those of this moment do not', async () => {
  expect(await shouldRetry(new KeyPassError('budget_exceeded', 'm'))).toBe('false');
  expect(await shouldRetry(new KeyPassError('connection_revoked', 'm'))).toBe('false');
  expect(await shouldRetry(new KeyPassError('budget_held', 'm', { retryAfter: 1 }))).toBeNull();
  expect(await shouldRetry(new KeyPassError('too_many_attempts', 'm', { retryAfter: 6 }))).toBeNull();
});

test('of several forms, the fault is that of the one that was meant', async () => {
  const forms = t.Union([
    object({ paused: t.Boolean() }),
    object({ capCents: t.Union([t.Integer(), t.Null()]) }),
    object({ a: t.String(), b: t.String(), c: t.String() }),
  ]);
  const app = new Elysia({ normalize: false })
    .onError(({ error }) => failureResponse(asKeyPassError(error, new Log(() => {}), 'r'), 'r'))
    .post('/', () => 'ok', { body: forms });
  const fault = async (body: unknown) => {
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const text = await (await app.handle(new Request('http://localhost/', request))).text();
    return /"code":"(\w+)".*"param":"(\w+)"/.exec(text)?.slice(1);
  };
  expect(await fault({ paused: true, other: 1 })).toEqual(['unknown_member', 'other']);
  expect(await fault({ paused: 'yes' })).toEqual(['invalid_request', 'paused']);
  expect(await fault({ a: '1', b: '2' })).toEqual(['invalid_request', 'c']);
  expect(await fault({ a: '1', b: '2', c: '3', d: '4' })).toEqual(['unknown_member', 'd']);
});
