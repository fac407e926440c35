import type { BodyRules, Endpoint } from './types.ts';

/**
 * What OpenAI keeps, which every app of one account can reach: all of it needs the scope `stateful`. Sources: the API
 * reference and the types of the official client (`openai` 7.57).
 */

const megabyte = 1024 * 1024;

const id = '[\\w-]{1,200}';
/** Of a list that goes by cursor. */
const page = { after: id, before: id, limit: '\\d{1,4}', order: 'asc|desc' };
const include = { 'include[]': '[\\w.]{1,100}' };

/** A body that runs no model. */
const plain: BodyRules = { models: [], stateful: [] };

/**
 * Tools that items bring along (`additional_tools`, `tool_search_output`) would be there in each later call of the
 * conversation, unseen and with no limit to their fees.
 */
const items: BodyRules = {
  models: [],
  stateful: [],
  refused: [
    {
      at: 'items.*.tools',
      why: 'Stored, this would change what later calls do without being seen in them, so KeyPass does not pass it on.',
    },
  ],
};

const get = (path: string, query: Endpoint['query'] = {}): Endpoint => ({
  method: 'GET',
  path,
  scope: 'stateful',
  metering: 'free',
  query,
});
const remove = (path: string): Endpoint => ({ method: 'DELETE', path, scope: 'stateful', metering: 'free' });
/** With no body, unless rules for one are given. */
const post = (path: string, body?: BodyRules): Endpoint => ({
  method: 'POST',
  path,
  scope: 'stateful',
  metering: 'free',
  ...(body === undefined ? {} : { body }),
});
/** What goes on costing for as long as it is kept, or is billed where KeyPass does not see it. */
const unmetered = (path: string): Endpoint => ({ ...post(path, plain), metering: 'unmetered' });

/**
 * Nothing in these forms has a price or runs anything: what a file is for (`purpose`) is only a word until a call that is
 * checked names the file. Keeping them is free. 512 MB a file, 64 MB a part.
 */
const files: readonly Endpoint[] = [
  { ...post('/v1/files'), upload: { type: 'form', maxBytes: 513 * megabyte } },
  get('/v1/files', { ...page, purpose: '[\\w-]{1,64}' }),
  get('/v1/files/{id}'),
  get('/v1/files/{id}/content'),
  remove('/v1/files/{id}'),
  post('/v1/uploads', plain),
  { ...post('/v1/uploads/{id}/parts'), upload: { type: 'form', maxBytes: 65 * megabyte } },
  post('/v1/uploads/{id}/complete', plain),
  post('/v1/uploads/{id}/cancel'),
];

const chats: readonly Endpoint[] = [
  get('/v1/responses/{id}', {
    ...include,
    stream: 'true|false',
    starting_after: '\\d{1,9}',
    include_obfuscation: 'true|false',
  }),
  get('/v1/responses/{id}/input_items', { ...page, ...include }),
  post('/v1/responses/{id}/cancel'),
  remove('/v1/responses/{id}'),
  post('/v1/conversations', items),
  get('/v1/conversations/{id}'),
  post('/v1/conversations/{id}', plain),
  remove('/v1/conversations/{id}'),
  { ...post('/v1/conversations/{id}/items', items), query: include },
  get('/v1/conversations/{id}/items', { ...page, ...include }),
  get('/v1/conversations/{id}/items/{item}', include),
  remove('/v1/conversations/{id}/items/{item}'),
  get('/v1/chat/completions', { ...page, model: '[\\w.:-]{1,200}' }),
  get('/v1/chat/completions/{id}'),
  get('/v1/chat/completions/{id}/messages', page),
  post('/v1/chat/completions/{id}', plain),
  remove('/v1/chat/completions/{id}'),
];

/** Kept at a price for each gigabyte and day, of which no call says how many there will be. */
const vectorStores: readonly Endpoint[] = [
  unmetered('/v1/vector_stores'),
  get('/v1/vector_stores', page),
  get('/v1/vector_stores/{id}'),
  unmetered('/v1/vector_stores/{id}'),
  remove('/v1/vector_stores/{id}'),
  unmetered('/v1/vector_stores/{id}/search'),
  unmetered('/v1/vector_stores/{id}/files'),
  get('/v1/vector_stores/{id}/files', { ...page, filter: '[a-z_]{1,20}' }),
  get('/v1/vector_stores/{id}/files/{file}'),
  unmetered('/v1/vector_stores/{id}/files/{file}'),
  remove('/v1/vector_stores/{id}/files/{file}'),
  get('/v1/vector_stores/{id}/files/{file}/content'),
  unmetered('/v1/vector_stores/{id}/file_batches'),
  get('/v1/vector_stores/{id}/file_batches/{batch}'),
  get('/v1/vector_stores/{id}/file_batches/{batch}/files', { ...page, filter: '[a-z_]{1,20}' }),
  post('/v1/vector_stores/{id}/file_batches/{batch}/cancel'),
];

/** Billed as they run, up to a day later; the models stand in the file. */
const batches: readonly Endpoint[] = [
  { ...unmetered('/v1/batches'), hidesModels: true },
  get('/v1/batches', page),
  get('/v1/batches/{id}'),
  post('/v1/batches/{id}/cancel'),
];

export const stored: readonly Endpoint[] = [...files, ...chats, ...vectorStores, ...batches];
