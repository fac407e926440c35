import type { Arrival, Case, Family } from './case.ts';
import { anthropic, google, openai } from './providers.ts';
import { post } from './requests.ts';
import { answer, ok, told } from './told.ts';

const chatOf = (provider: string, body: object) =>
  post('/v1/proxy/chat/completions', JSON.stringify({ provider, ...body }));
const messages = [{ role: 'user', content: 'Hi' }];

/** Answers of a chat that has to be read: to be translated, or for its usage. */
const unreadable: readonly (readonly [name: string, body: string])[] = [
  ['nothing', ''],
  ['no JSON', '<html>forged'],
  ['half of it', '{"choices":[{"mess'],
  ['a list', '[]'],
  ['a text', '"forged"'],
  ['a number', '1e999'],
  ['null', 'null'],
  ['a hundred thousand lists', '['.repeat(100_000)],
  ['a hundred thousand lists, closed', '['.repeat(100_000) + ']'.repeat(100_000)],
];

function unified(name: string, body: string): Case[] {
  const sent = JSON.stringify(openai.body);
  return [
    {
      name: `unified: ${name}`,
      send: chatOf('openai', openai.body),
      told: ok([], body),
      answers: ['502 provider_error'],
      arrives: [{ provider: 'openai', line: `POST ${openai.chat}`, body: sent }],
      lacks: ['forged'],
    },
    {
      name: `unified Anthropic: ${name}`,
      send: chatOf('anthropic', { model: anthropic.model, messages, max_tokens: 16 }),
      told: ok([], body),
      answers: ['502 provider_error'],
      arrives: [{ provider: 'anthropic', line: `POST ${anthropic.chat}`, body: '*' }],
      lacks: ['forged'],
    },
    {
      name: `unified Google: ${name}`,
      send: chatOf('google', { model: google.model, messages, max_tokens: 16 }),
      told: ok([], body),
      answers: ['502 provider_error'],
      arrives: [{ provider: 'google', line: `POST ${google.chat}`, body: '*' }],
      lacks: ['forged'],
    },
  ];
}

const chat = post(`/v1/proxy/passthrough/openai${openai.chat}`, JSON.stringify(openai.body));
const chatted: Arrival = { provider: 'openai', line: `POST ${openai.chat}` };

/** What is billed is read from these; whatever they say, they are passed on as they are and the call is booked. */
const usages = [
  '{"usage":{"prompt_tokens":-5,"completion_tokens":-5}}',
  '{"usage":{"prompt_tokens":1e308,"completion_tokens":1e308}}',
  '{"usage":{"prompt_tokens":"9","completion_tokens":{}}}',
  '{"usage":{"prompt_tokens":9007199254740993,"completion_tokens":0.5}}',
  '{"usage":null}',
  '{"usage":[]}',
  '{"usage":{"__proto__":{"prompt_tokens":1}}}',
  '{"__proto__":{"usage":{}}}',
  '{"usage":{"prompt_tokens":1,"completion_tokens":1},"usage":{}}',
  '{"model":"\\u0000","usage":{"prompt_tokens":9,"completion_tokens":2}}',
  '{"model":"\\ud800","service_tier":"\\u0000","usage":{"prompt_tokens":9,"completion_tokens":2}}',
  '{"model":{"a":1},"service_tier":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}',
  `{"model":"${'m'.repeat(5_000)}","usage":{"prompt_tokens":9,"completion_tokens":2}}`,
];

/** The key, where a provider repeats it: a refusal of the key never does; KeyPass's own words never do. */
const quoting: readonly Case[] = [
  told(
    'a refusal that quotes the key',
    answer('401 No', ['Content-Type: application/json'], '{"error":{"message":"Incorrect API key provided: $KEY."}}'),
    '502 provider_key_rejected',
  ),
  told(
    'a ban that quotes the key',
    answer('403 No', ['Content-Type: application/json'], '{"error":{"message":"The key $KEY may not do this."}}'),
    '403 provider_key_rejected',
  ),
  told(
    'a refusal that quotes the key in a header',
    answer('401 No', ['X-RateLimit-Key: $KEY', 'WWW-Authenticate: Bearer $KEY'], ''),
    '502 provider_key_rejected',
  ),
  ...['400 Bad', '429 Slow', '500 Oh'].map((status): Case => ({
    name: `unified: ${status} that quotes the key`,
    send: chatOf('openai', openai.body),
    told: answer(
      status,
      ['Content-Type: application/json'],
      '{"error":{"message":"With $KEY: no.","type":"$KEY","code":"$KEY","param":"$KEY"}}',
    ),
    answers: [status.slice(0, 3)],
    arrives: [{ ...chatted, body: JSON.stringify(openai.body) }],
    has: ['[removed]'],
  })),
  // The bytes of an answer are the provider's own: who may call with a key may be told of it by whoever knows it.
  told('a success that quotes the key', ok([], '{"data":["$KEY"]}'), '200', { quotes: true, has: ['$KEY'] }),
];

/** What a provider says in the body of an answer. */
export const contents: Family = {
  name: 'contents',
  cases: [
    ...unreadable.flatMap(([name, body]) => unified(name, body)),
    ...usages.map((body) => ({
      name: `usage: ${body.slice(0, 60)}`,
      send: chat,
      told: ok([], body),
      answers: ['200'],
      arrives: [chatted],
    })),
    ...quoting,
  ],
};
