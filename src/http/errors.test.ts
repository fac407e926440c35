import { describe, expect, test } from 'bun:test';
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

describe('what does not fit its schema', () => {
  const forms = t.Union([
    object({ paused: t.Boolean() }),
    object({ capCents: t.Union([t.Integer(), t.Null()]) }),
    object({ a: t.String(), b: t.String(), c: t.String() }),
  ]);
  const query = t.Object({
    by: t.Optional(t.Union([t.Literal('hour'), t.Literal('day'), t.Literal('week')])),
    two: t.Optional(t.Union([t.Literal('left'), t.Literal('right')])),
    limit: t.Optional(t.Integer({ minimum: 1, maximum: 200 })),
    from: t.Optional(t.String({ pattern: '^[0-9]+$', description: 'digits alone' })),
    other: t.Optional(t.String({ pattern: '^[0-9]+$' })),
    idOrNull: t.Optional(t.Union([t.String({ pattern: '^[0-9]+$', description: 'an id' }), t.Null()])),
  });
  const app = new Elysia({ normalize: false })
    .onError(({ error }) => failureResponse(asKeyPassError(error, new Log(() => {}), 'r'), 'r'))
    .get('/', () => 'ok', { query })
    .post('/', () => 'ok', { body: forms });
  const errorOf = async (request: Request) => {
    const { error }: { error: Record<string, string> } = await (await app.handle(request)).json();
    return error;
  };
  const fault = async (body: unknown) => {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    const { code = '', param = '' } = await errorOf(new Request('http://localhost/', init));
    return [code, param];
  };

  test('of several forms, the fault is that of the one that was meant', async () => {
    expect(await fault({ paused: true, other: 1 })).toEqual(['unknown_member', 'other']);
    expect(await fault({ paused: 'yes' })).toEqual(['invalid_request', 'paused']);
    expect(await fault({ a: '1', b: '2' })).toEqual(['invalid_request', 'c']);
    expect(await fault({ a: '1', b: '2', c: '3', d: '4' })).toEqual(['unknown_member', 'd']);
    expect(await fault({ capCents: canary })).toEqual(['invalid_request', 'capCents']);
  });

  test.each([
    ['by', 'one of hour, day, week'],
    ['two', 'left or right'],
    ['limit', 'integer'],
    ['from', 'digits alone'],
    ['other', 'text of another form; see /docs/api'],
    ['idOrNull', 'an id or null'],
  ])('what is expected of %s is said in words: every choice, never a pattern or the value', async (name, expected) => {
    const error = await errorOf(new Request(`http://localhost/?${name}=${canary}`));
    expect(error).toMatchObject({
      code: 'invalid_request',
      param: name,
      message: `The query does not fit: expected ${expected}.`,
    });
    expect(JSON.stringify(error)).not.toContain(canary);
  });
});
