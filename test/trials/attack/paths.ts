import type { Arrival, Case, Family } from './case.ts';
import { get, passes, post, refused } from './requests.ts';

/** A mount and what is listed under it: `first` and `last` make the provider's own path. */
interface Mount {
  readonly base: string;
  readonly first: string;
  readonly last: string;
  readonly provider: string;
}

const mounts: readonly Mount[] = [
  { base: '/v1/proxy/passthrough/openai', first: '/v1', last: '/models', provider: 'openai' },
  { base: '/v1/proxy/passthrough/deepseek', first: '/v1', last: '/models', provider: 'deepseek' },
  { base: '/anthropic', first: '/v1', last: '/models', provider: 'anthropic' },
  { base: '/google', first: '/v1beta', last: '/models', provider: 'google' },
  { base: '/groq', first: '/openai/v1', last: '/models', provider: 'groq' },
];

/** Nothing that is written like this reaches a provider. */
const hostile: readonly (readonly [path: string, answer: string])[] = [
  ['<base>/', '400 invalid_path'],
  ['<base>//', '400 invalid_path'],
  ['<base>//<first><last>', '400 invalid_path'],
  ['<base>/<first><last>', '400 invalid_path'],
  ['<base><first>/<last>', '400 invalid_path'],
  ['<base><first>//<last>', '400 invalid_path'],
  ['<base><first><last>/', '400 invalid_path'],
  ['<base><first><last>//', '400 invalid_path'],
  ['<base>///$SINK<first><last>', '400 invalid_path'],
  ['<base>//$SINK<first><last>', '400 invalid_path'],
  ['<base><first><last>/..', '400 invalid_path'],
  ['<base><first><last>/.', '400 invalid_path'],
  ['<base><first><last>/%2e', '400 invalid_path'],
  ['<base><first>%2f<last>', '400 invalid_path'],
  ['<base><first>%2F..%2F<last>', '400 invalid_path'],
  ['<base><first>%2fmodels', '400 invalid_path'],
  ['<base><first><last>%2f', '400 invalid_path'],
  ['<base><first><last>%2f..%2f..%2ffiles', '400 invalid_path'],
  ['<base><first><last>%5c', '400 invalid_path'],
  ['<base><first>%5Cmodels', '400 invalid_path'],
  ['<base><first><last>%00', '400 invalid_path'],
  ['<base><first><last>%00.json', '400 invalid_path'],
  ['<base><first><last>%09', '400 invalid_path'],
  ['<base><first><last>%0a', '400 invalid_path'],
  ['<base><first><last>%0d%0aHost:%20$SINK', '400 invalid_path'],
  ['<base><first><last>%20', '400 invalid_path'],
  ['<base><first><last>%20HTTP/1.1', '400 invalid_path'],
  ['<base><first><last>%7f', '400 invalid_path'],
  ['<base><first><last>%c2%a0', '400 invalid_path'],
  ['<base><first>/%252e%252e<last>', '400 invalid_path'],
  ['<base><first>/%252f<last>', '400 invalid_path'],
  ['<base><first>/%25252e<last>', '400 invalid_path'],
  ['<base><first>/%c0%ae%c0%ae<last>', '400 invalid_path'],
  ['<base><first>/%c0%af<last>', '400 invalid_path'],
  ['<base><first>/%e0%80%af<last>', '400 invalid_path'],
  ['<base><first>/%f0%80%80%af<last>', '400 invalid_path'],
  ['<base><first>/%u002e%u002e<last>', '400 invalid_path'],
  ['<base><first>/%ff<last>', '400 invalid_path'],
  ['<base><first><last>/%', '400 invalid_path'],
  ['<base><first><last>/%zz', '400 invalid_path'],
  ['<base><first><last>/%2', '400 invalid_path'],
  ['<base><first>/mod%65ls', '400 invalid_path'],
  ['<base><first><last>;a=b', '400 invalid_path'],
  ['<base><first>;a=b<last>', '400 invalid_path'],
  ['<base>;a=b<first><last>', '400 provider_unknown'],
  ['<base><first><last>/..;/files', '400 invalid_path'],
  ['<base><first><last>/a!b', '400 invalid_path'],
  ["<base><first><last>/a'b", '400 invalid_path'],
  ['<base><first><last>/(a)', '400 invalid_path'],
  ['<base><first><last>/*', '400 invalid_path'],
  ['<base><first><last>/$', '400 invalid_path'],
  ['<base><first><last>/a&b', '400 invalid_path'],
  ['<base><first><last>/{model}', '400 invalid_path'],
  ['<base><first><last>/|', '400 invalid_path'],
  ['<base><first><last>/^', '400 invalid_path'],
  ['<base><first><last>/"', '400 invalid_path'],
  ['<base><first><last>/<a>', '400 invalid_path'],
  ['<base><first><last>/`', '400 invalid_path'],
  ['<base><first><last>#', '400 invalid_path'],
  ['<base><first><last>#/../files', '400 invalid_path'],
  ['<base><first><last>?#x', '400 invalid_path'],
  ['<base><first><last>?a=b?c=d', '400 invalid_path'],
  ['<base><first><last>\xe4', '400 invalid_path'],
  ['<base><first><last>\xc3\xa4', '400 invalid_path'],
  ['<base><first>/\xc0\xae\xc0\xae<last>', '400 invalid_path'],
  ['<base><first>/\xe2\x80\xae<last>', '400 invalid_path'],
  ['<base><first>/\xef\xbc\x8e\xef\xbc\x8e<last>', '400 invalid_path'],
  ['<base><first>/\xef\xbc\x8f<last>', '400 invalid_path'],
  ['<base><first><last>\xff', '400 invalid_path'],
  ['<base><first><last>/' + 'a'.repeat(2_100), '400 invalid_path'],
  ['<base><first>' + '/a'.repeat(1_100), '400 invalid_path'],
  ['<base><first><last>?limit=' + '1'.repeat(2_100), '400 invalid_path'],
  ['<base><first><last>/' + 'a'.repeat(60_000), '431'],
  ['<base>@$SINK<first><last>', '@'],
  ['<base>:80<first><last>', '@'],
  ['<base>.evil.example<first><last>', '@'],
  ['<base>%2f<first><last>', '@'],
  ['<base>%00<first><last>', '@'],
  ['<base><first><last>/...', '403 endpoint_not_allowed'],
  ['<base><first><last>/..a', '403 endpoint_not_allowed'],
  ['<base><first><last>/.env', '403 endpoint_not_allowed'],
  ['<base><first><last>/a/b', '403 endpoint_not_allowed'],
  ['<base><first><last>@$SINK', '403 endpoint_not_allowed'],
  ['<base><first>/@$SINK/', '400 invalid_path'],
  ['<base><first>/http:/$SINK<last>', '403 endpoint_not_allowed'],
  ['<base><first>/http://$SINK<last>', '400 invalid_path'],
  ['<base><first>/MODELS', '403 endpoint_not_allowed'],
  ['<base><first>/Models', '403 endpoint_not_allowed'],
  ['<base>/V1<last>', '403 endpoint_not_allowed'],
  ['<base>/v0<last>', '403 endpoint_not_allowed'],
  ['<base><first><last><first><last>', '403 endpoint_not_allowed'],
  ['<base><base><first><last>', '403 endpoint_not_allowed'],
  ['<base><first>/engines', '403 endpoint_not_allowed'],
  ['<base><first>/organization/users', '403 endpoint_not_allowed'],
  ['<base><first>/organization/admin_api_keys', '403 endpoint_not_allowed'],
  ['<base><first>/api-key', '403 endpoint_not_allowed'],
  ['<base><first>/dashboard/billing/usage', '403 endpoint_not_allowed'],
  ['<base><first>/fine_tuning/jobs', '403 endpoint_not_allowed'],
  ['<base><first>/assistants', '403 endpoint_not_allowed'],
  ['<base><first>/threads', '403 endpoint_not_allowed'],
  ['<base><first>/realtime', '403 endpoint_not_allowed'],
  ['<base>/metadata/v1/instance', '403 endpoint_not_allowed'],
  ['<base>/latest/meta-data/iam', '403 endpoint_not_allowed'],
  ['<base><first><last> x', '505'],
  ['<base><first><last> HTTP/1.1', '505'],
  ['<base><first>/mod\tels', '505'],
  ['<base><first>/mod\x00els', '505'],
  ['<base><first><last>\x00', '505'],
  ['<base><first>/mod\x0bels', '505'],
  ['<base><first>/mod\nels', '505'],
];

/**
 * Bun resolves these while it builds the request's URL, before anybody can see them. Routing, policy, receipt and what is
 * sent up all take the one path that results, and it is a listed one.
 */
const resolved: readonly string[] = [
  '<base>/.<first><last>',
  '<base><first>/.<last>',
  '<base><first>/x/..<last>',
  '<base><first><last>/x/../..<last>',
  '<base>/%2e<first><last>',
  '<base>/%2E<first><last>',
  '<base><first>/x/%2e%2e<last>',
  '<base><first>/x/%2E%2e<last>',
  '<base><first>/x/.%2e<last>',
  '<base><first>/x/%2e.<last>',
  '/../../..<base><first><last>',
  '/x/..<base><first><last>',
  '<base>/../../../../..<base><first><last>',
  '<base><first>\\models',
  '<base><first>/x\\..\\models',
  '<base><first>/x\\..<last>',
];

const onMount = (template: string, { base, first, last }: Mount) =>
  template.replaceAll('<base>', base).replaceAll('<first>', first).replaceAll('<last>', last);

const listed = ({ provider, first, last }: Mount): Arrival => ({ provider, line: `GET ${first}${last}` });

function nameOf(target: string): string {
  return target.length > 100 ? `${target.slice(0, 60)}… (${target.length})` : JSON.stringify(target).slice(1, -1);
}

function casesOn(mount: Mount): Case[] {
  const { base } = mount;
  const isPassthrough = base.startsWith('/v1/');
  // A drop-in's own name is part of the route; on the passthrough it is a provider that nobody knows.
  const answers: Record<string, string> = {
    '@': isPassthrough ? '400 provider_unknown' : '404 not_found',
    '400 provider_unknown': isPassthrough ? '400 provider_unknown' : '404 not_found',
  };
  return [
    passes(`${base}, as it is`, get(onMount('<base><first><last>', mount)), listed(mount)),
    passes(`${base}, with an empty query`, get(onMount('<base><first><last>?', mount)), listed(mount)),
    ...hostile.map(([template, answer]) => {
      const target = onMount(template, mount);
      return refused(nameOf(target), get(target), answers[answer] ?? answer);
    }),
    ...resolved.map((template) => {
      const target = onMount(template, mount);
      return passes(nameOf(target), get(target), listed(mount));
    }),
  ];
}

const base = '/v1/proxy/passthrough/openai';

/** Forms of the request target other than a path (RFC 9112, 3.2), and paths of nobody. */
const targets: readonly (readonly [target: string, ...answers: string[]])[] = [
  [base, '404 not_found'],
  ['/v1/proxy/passthrough', '404 not_found'],
  ['/v1/proxy/passthrough/', '404 not_found'],
  ['/v1/proxy/passthrough//v1/models', '404 not_found'],
  ['/v1/proxy/passthrough///v1/models', '404 not_found'],
  ['/v1/proxy/passthrough/./openai', '404 not_found'],
  ['/v1/proxy/passthrough/$SINK/v1/models', '400 provider_unknown'],
  ['/v1/proxy/passthrough/http://$SINK/v1/models', '400 provider_unknown'],
  ['/v1/proxy/passthrough/https:%2f%2f$SINK/v1/models', '400 provider_unknown'],
  ['/v1/proxy/passthrough/OpenAI/v1/models', '400 provider_unknown'],
  ['/v1/proxy/passthrough/openai%00/v1/models', '400 provider_unknown'],
  ['/v1/proxy/passthrough/op%65nai/v1/models', '400 provider_unknown'],
  ['/v1/proxy/passthrough/__proto__/v1/models', '400 provider_unknown'],
  ['/v1/proxy/passthrough/constructor/v1/models', '400 provider_unknown'],
  ['/v1/proxy/passthrough/toString/v1/models', '400 provider_unknown'],
  ['/v1/proxy/passthrough/sink/v1/models', '400 provider_unknown'],
  ['/v1/proxy/passthrough/../../../etc/passwd', '404 not_found'],
  ['/V1/proxy/passthrough/openai/v1/models', '404 not_found'],
  ['//v1/proxy/passthrough/openai/v1/models', '404 not_found'],
  ['/v1//proxy/passthrough/openai/v1/models', '404 not_found'],
  ['/v1/proxy//passthrough/openai/v1/models', '404 not_found'],
  ['/v1/proxy%2fpassthrough/openai/v1/models', '404 not_found'],
  ['/v1/proxy/passthrough%2fopenai/v1/models', '404 not_found'],
  ['//$SINK/v1/models', '404 not_found'],
  ['///$SINK/v1/models', '404 not_found'],
  ['/\\$SINK/v1/models', '404 not_found'],
  ['/http://$SINK/v1/models', '404 not_found'],
  ['/mistral/v1/models', '404 not_found'],
  ['/openrouter/api/v1/models', '404 not_found'],
  ['/openai', '404 not_found'],
  ['/openai//v1/models', '404 not_found'],
  ['/openai/v2/models', '404 not_found'],
  ['/OPENAI/v1/models', '404 not_found'],
  ['/openai/v1', '404 not_found'],
  ['/openai/v1//models', '400 invalid_path'],
  ['/openai/v1/chat/completions', '403 scope_not_granted'],
  ['/openai/v1/models%2f', '400 invalid_path'],
  ['/openai/v1/models/%', '400 invalid_path'],
  ['/openai/v1/models/%2e%2e', '400 invalid_path'],
  ['/v1/proxy/chat/completions', '404 not_found'],
  ['/v1/proxy/chat/completions/', '404 not_found'],
  ['/v1/proxy/chat%2fcompletions', '404 not_found'],
  ['/v1/proxy', '404 not_found'],
  ['/metrics', '404 not_found'],
  ['/admin', '404 not_found'],
  ['/.git/config', '404 not_found'],
  ['/.env', '404 not_found'],
  ['/pepper.json', '404 not_found'],
  ['/assets/../pepper.json', '404 not_found'],
  ['/assets/%2e%2e/pepper.json', '404 not_found'],
  ['/assets/..%2fpepper.json', '404'],
  ['/assets/..\\pepper.json', '404 not_found'],
  ['/docs/..%2f..%2fpepper.json', '404 not_found'],
  ['/sdk/..%2f..%2fpepper.json', '404'],
  ['/debug/pprof', '404 not_found'],
  [`@$SINK${base}/v1/models`, '400'],
  [`:80${base}/v1/models`, '400'],
  ['v1/proxy/passthrough/openai/v1/models', '400'],
  [`\\v1\\proxy\\passthrough\\openai\\v1\\models`, '400'],
  [`?${base}/v1/models`, '400'],
  [`#${base}/v1/models`, '400'],
  ['*', '400'],
  ['', '400'],
  ['$SINK', '400'],
  ['$SINK/v1/models', '400'],
  ['http:', '400'],
  ['http:/', '400'],
  // The landing page: no path is the path /.
  ['http://', '200'],
  ['file:///etc/passwd', '400'],
  ['ftp://$HOST/v1/models', '400'],
  ['gopher://$SINK/', '400'],
  ['javascript:alert(1)', '400'],
];

/** Bun takes the path of an absolute target and leaves the rest of it alone: the host is that of the Host header. */
const absolute: readonly string[] = ['http://$HOST', 'https://$HOST', 'http://$SINK', 'http://user:pass@$SINK'];

const google = '/v1/proxy/passthrough/google/v1beta/models';
const inModel: readonly (readonly [path: string, answer: string])[] = [
  ['..:generateContent', '403 endpoint_not_allowed'],
  ['.hidden:generateContent', '403 endpoint_not_allowed'],
  ['a%2f..%2fb:generateContent', '400 invalid_path'],
  ['gemini-2.5-flash%3agenerateContent', '400 invalid_path'],
  ['gemini-2.5-flash:generateContent:streamGenerateContent', '403 endpoint_not_allowed'],
  ['gemini-2.5-flash:predict', '403 endpoint_not_allowed'],
  ['gemini-2.5-flash:batchGenerateContent', '403 endpoint_not_allowed'],
  ['gemini-2.5-flash:GenerateContent', '403 endpoint_not_allowed'],
  ['gemini-2.5-flash:', '403 endpoint_not_allowed'],
  [':generateContent', '403 endpoint_not_allowed'],
  ['a@b:generateContent', '403 endpoint_not_allowed'],
  ['a,b:generateContent', '403 endpoint_not_allowed'],
  ['gemini-2.5-flash/:generateContent', '403 endpoint_not_allowed'],
  [`${'a'.repeat(201)}:generateContent`, '403 endpoint_not_allowed'],
  ['../tunedModels/a:generateContent', '403 endpoint_not_allowed'],
  ['../corpora:generateContent', '403 endpoint_not_allowed'],
];

export const paths: Family = {
  name: 'paths',
  cases: [
    ...mounts.flatMap(casesOn),
    ...targets.map(([target, ...answers]) => refused(`target ${nameOf(target)}`, get(target), ...answers)),
    ...absolute.map((origin) =>
      passes(`target ${origin}…`, get(`${origin}${base}/v1/models`), { provider: 'openai', line: 'GET /v1/models' }),
    ),
    ...inModel.map(([path, answer]) =>
      refused(`model ${nameOf(path)}`, post(`${google}/${path}`, '{"contents":[]}'), answer),
    ),
  ],
};
