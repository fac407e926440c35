import { expect, test } from 'bun:test';
import type { RecordedRequest } from '../harness/providers.ts';
import { Canon, differences, keyFault, requestsOf } from './compare.ts';

const canon = () => new Canon({ root: 'http://127.0.0.1:1' });

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

function recorded({ method = 'POST', headers = {}, body = '{}' }: Sent = {}): RecordedRequest {
  const all = new Headers({ 'content-type': 'application/json', authorization: 'Bearer key', ...headers });
  const bytes = new Uint8Array(new TextEncoder().encode(body));
  return { provider: 'openai', method, path: '/v1/chat/completions', query: '', headers: all, body: bytes };
}

async function between(direct: Sent, through: Sent): Promise<string[]> {
  const [one, other] = [[recorded(direct)], [recorded(through)]];
  return differences(await requestsOf(one, canon()), await requestsOf(other, canon(), one));
}

test.each<[string, unknown, unknown]>([
  ['another value', { a: [1, 2] }, { a: [1, 3] }],
  ['a member less', { a: 1, b: 2 }, { a: 1 }],
  ['a member more', { a: 1 }, { a: 1, b: null }],
  ['an event less', ['x', 'y'], ['x']],
  ['another class of error', new TypeError('x'), new RangeError('x')],
  ['another message of an error', new Error('x'), new Error('y')],
  ['another header', new Headers({ 'retry-after': '1' }), new Headers()],
  ['other bytes', new Uint8Array([1]), new Uint8Array([2])],
  [
    'ids that no longer belong together',
    ['call_aaaaaaaaaaaa', 'call_aaaaaaaaaaaa'],
    ['call_aaaaaaaaaaaa', 'call_bbbbbbbbbbbb'],
  ],
])('%s is seen', (_what, direct, through) => {
  expect(differences(canon().of(direct), canon().of(through))).not.toEqual([]);
  expect(differences(canon().of(direct), canon().of(direct))).toEqual([]);
});

test.each<[string, unknown, unknown]>([
  ['ids made up anew', { id: 'chatcmpl-aaaaaaaaaaaa' }, { id: 'chatcmpl-bbbb_bbb-bbbb' }],
  ['times', { created: 1 }, { created: 2 }],
  [
    'headers that stop at KeyPass',
    new Headers({ server: 'x', date: 'y' }),
    new Headers({ 'x-keypass-max-tokens': '1' }),
  ],
  ['where it was asked', 'http://127.0.0.1:1/v1', 'http://127.0.0.1:1/v1'],
])('%s are let pass', (_what, direct, through) => {
  expect(differences(canon().of(direct), canon().of(through))).toEqual([]);
});

test.each<[string, Sent, Sent]>([
  ['another method', {}, { method: 'PUT' }],
  ['a header of the API less', { headers: { 'openai-beta': 'assistants=v2' } }, {}],
  ['a header more', {}, { headers: { 'x-forwarded-for': '10.0.0.1' } }],
  ['another member of the body', { body: '{"a":1}' }, { body: '{"a":2}' }],
  ['another order of the body', { body: '{"a":1,"b":2}' }, { body: '{"b":2,"a":1}' }],
  ['a member of its own more', { body: '{"a":1}' }, { body: '{"a":1,"user":"x"}' }],
  ['stream options that the app had set', { body: '{"stream_options":{"a":1}}' }, { body: '{"stream_options":{}}' }],
  ['a body that is no JSON', { body: 'abc' }, { body: 'abd' }],
])('a request with %s is seen', async (_what, direct, through) => {
  expect(await between(direct, through)).not.toEqual([]);
});

test.each<[string, Sent, Sent]>([
  ['what says who sends it', { headers: { 'user-agent': 'OpenAI/JS', 'x-stainless-os': 'Linux' } }, {}],
  ['what the receipt needs', { body: '{"a":1}' }, { body: '{"a":1,"stream_options":{},"service_tier":"default"}' }],
  ['a body that means nothing', { method: 'GET', body: '{}' }, { method: 'GET', body: '' }],
])('a request may differ in %s', async (_what, direct, through) => {
  expect(await between(direct, through)).toEqual([]);
});

test('the key is looked for in its own header and in no other', () => {
  expect(keyFault(recorded(), 'key')).toBeUndefined();
  expect(keyFault(recorded(), 'another')).toContain('authorization');
  expect(keyFault(recorded({ headers: { 'x-api-key': 'key' } }), 'key')).toContain('x-api-key');
});
