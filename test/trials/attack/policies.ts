import type { Case, Family } from './case.ts';
import { on, openai, type Target, targets, targetOf, withMembers } from './providers.ts';
import { get, host, passes, post, postAs, refused, request } from './requests.ts';

/** A connection of one model for each provider, and of chat alone. */
const narrow = 'Authorization: Bearer $NARROW';
const other = 'a-dearer-model';

/** Another model, by each way in. Google's stands in the path. */
function otherModel(target: Target): Case[] {
  const { id, chat, model, body } = target;
  const elsewhere = id === 'google' ? chat.replace(model, other) : chat;
  const text = id === 'google' ? JSON.stringify(body) : withMembers(target, { model: other });
  const messages = [{ role: 'user', content: 'Hi' }];
  const unified = JSON.stringify({ provider: id, model: other, messages, max_tokens: 9 });
  const named = JSON.stringify({ model: id === 'openai' ? other : `${id}/${other}`, messages, max_tokens: 9 });
  return [
    refused(`${id}: another model`, postAs(narrow, on(target, elsewhere), text), '403 model_not_allowed'),
    refused(
      `${id}: another model, unified`,
      postAs(narrow, '/v1/proxy/chat/completions', unified),
      '403 model_not_allowed',
    ),
    refused(
      `${id}: another model, by its name`,
      postAs(narrow, '/openai/v1/chat/completions', named),
      '403 model_not_allowed',
    ),
    {
      name: `${id}: the model that is allowed`,
      send: postAs(narrow, on(target), JSON.stringify(body)),
      answers: ['200'],
      arrives: [{ provider: id, line: `POST ${chat}` }],
    },
  ];
}

/** Where one call could name more models than one. */
const hidingPlaces: readonly object[] = [
  { models: [other] },
  { fallbacks: [{ model: other }] },
  { fallback_model: other },
  { preset: '@preset/dear' },
  { plugins: [{ id: 'web', model: other }] },
  { tools: [{ type: 'web_search', model: other }] },
  { tools: [{ type: 'image_generation', model: other }] },
  { moderation: { model: other } },
  { safety_model: other },
  { draft_model: other },
  { speculative_model: other },
  { agent: { model: other } },
  { prompt: { id: 'pmpt_1' } },
];

/** Members with which libraries name the server that they call. Here no client names one. */
const hostMembers: readonly object[] = [
  { base_url: 'http://$SINK' },
  { baseURL: 'http://$SINK' },
  { api_base: 'http://$SINK/v1' },
  { api_key: '$SECRET' },
  { endpoint: 'http://$SINK' },
  { host: '$SINK' },
  { url: 'http://$SINK' },
  { proxy: 'http://$SINK' },
  { callback_url: 'http://$SINK' },
  { webhook: { url: 'http://$SINK' } },
  { headers: { authorization: 'Bearer x', host: '$SINK' } },
  { extra_headers: { host: '$SINK' } },
  { custom_llm_provider: 'http://$SINK' },
];

/** What each API says of a member that it would have to be priced for. */
function refusalOf(target: Target, more: object): string {
  if (target.id === 'openai' && 'moderation' in more) return '400 unsupported_parameter';
  if (target.id === 'openrouter' && 'models' in more) return '403 model_not_allowed';
  if (target.id === 'anthropic' && 'tools' in more) return '403 model_not_allowed';
  return '403 unbounded_cost';
}

function members(target: Target): Case[] {
  return [...hidingPlaces, ...hostMembers].map((more) => {
    const send = post(on(target), withMembers(target, more));
    return refused(`${target.id}: ${JSON.stringify(more)}`, send, refusalOf(target, more));
  });
}

const unifiedMembers: readonly Case[] = ['openai', 'anthropic', 'google', 'groq'].flatMap((provider) =>
  hostMembers.map((more) => {
    // To others the body is translated, and what cannot be is refused; to these it goes as it is, and has to be priced.
    const isOpenAiShaped = provider === 'openai' || provider === 'groq';
    const body = JSON.stringify({
      provider,
      model: targetOf(provider).model,
      messages: [{ role: 'user', content: 'Hi' }],
      max_tokens: 9,
      ...more,
    });
    return refused(
      `unified ${provider}: ${JSON.stringify(more)}`,
      post('/v1/proxy/chat/completions', body),
      isOpenAiShaped ? '403 unbounded_cost' : '400 unsupported_parameter',
    );
  }),
);

const addressed: readonly Case[] = [
  '"http://$SINK"',
  '"$SINK"',
  '"openai@$SINK"',
  '"openai\\u0000"',
  '"OpenAI"',
  '" openai"',
  '"__proto__"',
  '"constructor"',
  '""',
  '"a"',
].map((provider) =>
  refused(
    `unified: the provider ${provider}`,
    post('/v1/proxy/chat/completions', `{"provider":${provider},"model":"gpt-4o-mini","messages":[]}`),
    '400 provider_unknown',
  ),
);

const unaddressed: readonly Case[] = ['null', '1', '["openai"]', '{"id":"openai"}', 'true'].map((provider) =>
  refused(
    `unified: the provider ${provider}`,
    post('/v1/proxy/chat/completions', `{"provider":${provider},"model":"gpt-4o-mini","messages":[]}`),
    '400 invalid_request',
  ),
);

/** Addresses in a prompt are for the provider: KeyPass fetches none of them, and resolves no reference. */
const addresses: readonly object[] = [
  { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://$SINK/a.png' } }] }] },
  { messages: [{ role: 'user', content: 'http://$SINK/' }] },
  { tools: [{ type: 'function', function: { name: 'f', parameters: { $ref: 'http://$SINK/schema' } } }] },
  {
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'a', schema: { $schema: 'http://$SINK/', $ref: 'http://$SINK/' } },
    },
  },
  { metadata: { url: 'http://$SINK/' } },
];

const fetched: readonly Case[] = addresses.map((more) => {
  const body = withMembers(openai, more);
  return passes(`passed on unread: ${JSON.stringify(more).slice(0, 60)}`, post(on(openai), body), {
    provider: 'openai',
    line: `POST ${openai.chat}`,
  });
});

const scoped: readonly Case[] = ['openai', 'mistral', 'together'].map((id) =>
  refused(
    `${id}: embeddings without their scope`,
    postAs(narrow, `/v1/proxy/passthrough/${id}/v1/embeddings`, '{"model":"gpt-4o-mini","input":"x"}'),
    '403 scope_not_granted',
  ),
);

export const policies: Family = {
  name: 'policies',
  cases: [
    ...targets.flatMap(otherModel),
    ...targets.flatMap(members),
    ...unifiedMembers,
    ...addressed,
    ...unaddressed,
    ...fetched,
    ...scoped,
    passes('a list of models, which is nobody’s', request(`GET ${on(openai, openai.list)} HTTP/1.1`, [host, narrow]), {
      provider: 'openai',
      line: 'GET /v1/models',
    }),
    refused(
      'a model that the list does not have',
      request(`GET ${on(openai, '/v1/models/gpt-4o')} HTTP/1.1`, [host, narrow]),
      '403 model_not_allowed',
    ),
    refused('a list of models with a query', get(`${on(openai, openai.list)}?limit=1`), '400 unsupported_parameter'),
  ],
};
