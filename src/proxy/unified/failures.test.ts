import { describe, expect, test } from 'bun:test';
import { failureInStream, refusalFrom, refusalOf } from './failures.ts';

const none = new Headers();
const secret = 'sk-' + 'proj1'.repeat(12);

describe('refusalFrom', () => {
  test('a 429 keeps its status, its reason and the time to wait', () => {
    const error = { type: 'rate_limit_error', message: 'Too many.' };
    const headers = new Headers({ 'retry-after': '7' });
    expect(refusalFrom(429, headers, { type: 'error', error })).toMatchObject({
      code: 'provider_rate_limited',
      status: 429,
      retryAfter: 7,
      message: 'The provider limits the rate: Too many.',
      details: { status: 429, providerCode: 'rate_limit_error' },
    });
  });

  test.each([
    [{ details: [{ retryDelay: '34.07s' }] }, undefined, 35],
    [{ details: [{ retryDelay: 'soon' }] }, undefined, undefined],
    [{}, 'Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    [{}, undefined, undefined],
  ])('the time to wait in %j and %j', (error, header, retryAfter) => {
    const headers = new Headers(header === undefined ? {} : { 'retry-after': header });
    expect(refusalFrom(429, headers, { error }).retryAfter).toBe(retryAfter);
  });

  test.each([
    ['openai', 400, { error: { message: 'Bad n.', type: 'invalid_request_error', param: 'n', code: null } }],
    ['anthropic', 400, { type: 'error', error: { type: 'invalid_request_error', message: 'Bad n.' } }],
    ['google', 503, [{ error: { code: 503, message: 'Bad n.', status: 'invalid_request_error' } }]],
  ])('any other keeps its status and says why (%s)', (_, status, body) => {
    expect(refusalFrom(status, none, body)).toMatchObject({
      code: 'provider_error',
      status,
      message: 'The provider refused the call: Bad n.',
      details: { status, providerCode: 'invalid_request_error' },
    });
  });

  const extra = [{ type: 'extra_forbidden', loc: ['body', 'n'], msg: 'Bad n.', input: 1 }];
  test.each([
    ['mistral', { object: 'error', message: 'Bad n.', type: 'invalid_request_error', code: '1800' }, undefined],
    ['mistral', { object: 'error', message: { detail: extra }, type: 'invalid_request_error' }, 'n'],
    ['mistral', { object: 'Error', message: extra, detail: extra, type: 'x', code: 3001 }, 'n'],
    ['mistral', { detail: extra }, 'n'],
    ['mistral', { detail: 'Bad n.' }, undefined],
    ['cohere', { id: 'x', message: 'Bad n.' }, undefined],
    ['huggingface', { error: 'Bad n.', error_type: 'validation' }, undefined],
  ])('its text is found where %s puts it: %j', (_, body, param) => {
    const refusal = refusalFrom(422, none, body);
    expect(refusal.message).toBe('The provider refused the call: Bad n.');
    expect(refusal.param).toBe(param);
  });

  test("OpenAI's parameter is named", () => {
    const error = { message: 'Bad.', param: 'messages.[0].content', code: 'x' };
    expect(refusalFrom(400, none, { error }).param).toBe('messages.[0].content');
    expect(refusalFrom(400, none, { error: { ...error, param: 'a b' } }).param).toBeUndefined();
  });

  test.each([[undefined], [null], ['text'], [[]], [{}], [{ error: 5 }], [{ error: { message: 5, code: 'a b' } }]])(
    'what is no failure in a known form tells its status: %j',
    (body) => {
      expect(refusalFrom(500, none, body)).toMatchObject({
        message: 'The provider refused the call: it gave no reason.',
        details: { status: 500 },
      });
    },
  );

  test.each([
    secret,
    'gsk_' + 'a1B2'.repeat(13),
    'AIz' + 'a'.repeat(36),
    'AQ' + '.e'.repeat(22),
    'sk-' + 'ant-api03-'.repeat(9) + 'AA',
    'abcd********wxyz',
    'pplx' + '-a1'.repeat(24),
    'a1B2'.repeat(8),
  ])('what is built like a key is removed: %#', (key) => {
    const { message } = refusalFrom(500, none, { error: { message: `Failed for ${key}, sorry.` } });
    expect(message).toBe('The provider refused the call: Failed for [removed], sorry.');
  });

  test('a text is not passed on at any length', () => {
    expect(refusalFrom(500, none, { error: { message: 'x'.repeat(5_000) } }).message.length).toBeLessThan(600);
  });
});

const bodyOf = (text: string) => new Blob([text]).stream();

test('refusalOf reads a limited part of the body', async () => {
  const answer = { status: 400, headers: none };
  const short = await refusalOf({ ...answer, body: bodyOf('{"error":{"message":"Bad."}}') });
  expect(short.message).toEndWith('Bad.');
  const long = await refusalOf({ ...answer, body: bodyOf(`{"error":{"message":"${'x'.repeat(70_000)}"}}`) });
  expect(long.message).toEndWith('it gave no reason.');
  expect((await refusalOf({ ...answer, body: null })).message).toEndWith('it gave no reason.');
});

test('failureInStream removes keys, too', () => {
  const failure = failureInStream({ error: { message: `Failed for ${secret}`, type: 'api_error' } });
  expect(failure).toMatchObject({
    code: 'provider_error',
    message: 'The provider ended the answer: Failed for [removed]',
  });
});
