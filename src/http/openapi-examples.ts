/**
 * Examples by the name of a member, so that a document of a hundred places needs one of each kind. Where a name means
 * two things, the first candidate that fits the schema is taken. Nothing here is a secret: tokens and blobs are made up.
 */
const id = '7d9f4c1e-3b52-4f0a-9c5d-2a8e61b04f37';
const otherId = '1b6e0c9a-58d4-4a77-8f3e-c4d2905e6b18';
const time = '2026-11-23T09:30:00.000Z';
const blob = 'AV3kq0Zb1tQ2mYw7Rr9s4uHcXgLJp8oN5dEaFvTiKzM6yBxWjCfUeDhGqSlOnPkAmYw7Rr9s4uHcXgLJp8oN5dEaFvTiKzM6yBxW';
const bytes32 = 'q0Zb1tQ2mYw7Rr9s4uHcXgLJp8oN5dEaFvTiKzM6yBw';
const token = (kind: string) => `kp_${kind}_${'0'.repeat(43)}EXAMPL`;

const policy = {
  v: 1,
  revision: 1,
  kind: 'app',
  app: otherId,
  origin: 'https://app.example',
  clientUserIdHash: null,
  providers: [{ id: 'openai', keyId: id, models: ['gpt-4o', 'gpt-4o-mini'] }],
  scopes: ['chat', 'embeddings'],
  budgetCents: 1000,
  period: 'month',
  perModelCents: null,
  limits: { rpm: null, tpm: null, parallel: null },
  expiresAt: null,
  sandbox: false,
};

const examplesByName: Readonly<Record<string, readonly unknown[]>> = {
  accessToken: [token('at')],
  allowedOrigins: [['https://app.example']],
  appId: [otherId],
  appName: ['Wren'],
  at: [time],
  attempt: [1],
  authKey: [bytes32],
  baseRevision: [1],
  baseVersion: [1],
  budgetCents: [1000],
  budgetSuggestionCents: [1000],
  by: ['model'],
  calls: [128],
  capCents: [500],
  ckPublic: [blob],
  ckToken: [blob],
  ckVault: [blob],
  clientId: [token('cid')],
  clientSecret: [token('cs')],
  clientUserId: ['user-4711'],
  clientUserIdHash: [bytes32],
  code: ['invalid_request'],
  connectionCount: [2],
  connectionId: [id],
  cost: ['0.0001375'],
  createdAt: [time],
  current: [true],
  cursor: ['MjAyNi0xMS0yM1QwOTozMDowMC4wMDBaIDdkOWY0YzFl'],
  dekVault: [blob],
  device: ['Firefox on Linux'],
  docUrl: ['/docs/errors#invalid_request'],
  drop: [[]],
  durationMs: [1840],
  email: ['ada@example.com'],
  endpoint: ['POST /v1/chat/completions'],
  estimated: [0],
  eventId: [otherId],
  expiresAt: [time],
  failure: [null],
  flag: ['usage_missing'],
  flags: [[]],
  free: ['false'],
  from: ['2026-11-01T00:00:00.000Z'],
  generation: [1],
  grant: [blob],
  held: ['0.0131'],
  id: [id, 'openai'],
  invite: [token('in')],
  isDefault: [true],
  item: [blob],
  kdfId: [1],
  key: ['gpt-4o'],
  keyId: [id],
  keyPage: ['https://platform.openai.com/api-keys'],
  keyPatterns: [['sk-(proj|svcacct|service)-[\\w-]+T3BlbkFJ[\\w-]+']],
  kind: ['app', 'personal'],
  lastUsedAt: [time],
  limit: ['50'],
  limits: [{ rpm: 60, tpm: null, parallel: 4 }],
  lines: [[{ bucket: 'uncachedInput', quantity: 55, rate: 'input', usd: '2.5', per: 1000000, cost: '0.0001375' }]],
  linkToken: [token('lt')],
  linkUrl: [`https://keys.example/link#token=${token('lt')}`],
  manifest: [blob],
  manifestRevision: [7],
  message: ['The body does not fit: expected string.'],
  missingKeys: [[]],
  mode: ['connect'],
  model: ['gpt-4o'],
  models: [['gpt-4o', 'gpt-4o-mini']],
  name: ['Wren'],
  needsKey: [true],
  newAuthKey: [bytes32],
  newRecoveryId: [otherId],
  nextCursor: [null],
  nextAttemptAt: [null],
  oldSecretsExpireAt: [time],
  origin: ['https://app.example'],
  param: ['requestedProviders'],
  passwordRevision: [1],
  paused: [true],
  perModelCents: [null],
  period: ['month'],
  policy: [policy],
  price: [{ list: 'catalogue', version: '0.1.8', entry: 'gpt-4o', match: 'exact' }],
  provider: ['openai'],
  publicLookup: [bytes32],
  publicToken: [token('pt')],
  quality: ['measured'],
  recoveryAuth: [bytes32],
  recoveryId: [otherId],
  redirectUri: ['https://app.example/keypass/return'],
  redirectUris: [['https://app.example/keypass/return']],
  refusal: [{ at: time, status: 401, verdict: 'rejected' }],
  requestId: [id],
  requestedProviders: [['openai', 'anthropic']],
  requestedScopes: [['chat', 'images']],
  resetsAt: ['2026-12-01T00:00:00.000Z'],
  revision: [1],
  salt: ['q0Zb1tQ2mYw7Rr9s4uHcXg'],
  scopes: [['chat', 'embeddings']],
  secret: ['AIzaEXAMPLE'],
  servedModel: ['gpt-4o-2024-08-06'],
  serviceTier: ['default'],
  sessionId: [otherId],
  spent: ['3.2071'],
  split: [otherId, 'app'],
  startedAt: [time],
  state: ['delivered'],
  status: ['active', 200],
  ticket: [bytes32],
  to: ['2026-12-01T00:00:00.000Z'],
  token: [token('ss')],
  tokenLookup: [bytes32],
  tokenVault: [blob],
  totp: ['123456'],
  transport: ['bearer'],
  ttfbMs: [410],
  type: ['invalid_request_error'],
  usage: [{ uncachedInput: 55, cacheRead: 0, output: 0, reasoning: 0 }],
  userId: [id],
  uvkPassword: [blob],
  uvkRecovery: [blob],
  verdict: ['works'],
  version: [1],
  webhookSecret: [token('wh')],
  webhookUrl: ['https://app.example/keypass/hook'],
};

/** Where a member's usual example would not be true: by operation. */
const examplesByOperation: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>> = {
  'GET /v1/providers': { name: ['OpenAI'], id: ['openai'], origin: ['https://api.openai.com'] },
  'POST /v1/keys': { origin: ['https://api.openai.com'] },
  'GET /v1/keys': { origin: ['https://api.openai.com'] },
  'PUT /v1/keys/{provider}/{keyId}': { origin: ['https://api.openai.com'], version: [2] },
  'GET /v1/apps/{id}/deliveries': { type: ['connection.revoked'] },
  'GET /v1/link/session': { status: ['pending'] },
  'POST /v1/link/authorize': { status: ['approved'] },
  'POST /v1/connections': { policy: [{ ...policy, kind: 'personal', app: null, origin: null }], kind: ['personal'] },
  'GET /v1/connection': { providers: [[{ id: 'openai', models: ['gpt-4o', 'gpt-4o-mini'] }]] },
};

/** Optional members of requests that would make the usual case look harder than it is. */
const seldomSent = new Set([
  'accessToken',
  'clientUserId',
  'headers',
  'invite',
  'models',
  'origin',
  'redirectUri',
  'totp',
  'webhookUrl',
]);

/** The usual request: without the optional members that are seldom sent. */
export function requestExampleOf(schema: Schema, operation: string): unknown {
  const { properties = {}, required = [] } = schema;
  const usual = Object.entries(properties).filter(([name]) => required.includes(name) || !seldomSent.has(name));
  return exampleOf({ ...schema, properties: Object.fromEntries(usual) }, operation);
}

/** The little of JSON Schema that the slices use. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly default?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** An example of a schema, for a member of this name of an operation (`POST /v1/apps`). Throws where there is none. */
export function exampleOf(schema: Schema, operation: string, name = ''): unknown {
  const candidates = [...(examplesByOperation[operation]?.[name] ?? []), ...(examplesByName[name] ?? [])];
  const known = candidates.find((candidate) => fits(schema, candidate));
  if (known !== undefined) return known;
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  const [first] = schema.anyOf ?? [];
  if (first !== undefined) return exampleOf(first, operation, name);
  if (schema.type === 'object') return exampleObject(schema, operation);
  if (schema.type === 'array') return schema.items === undefined ? [] : [exampleOf(schema.items, operation, name)];
  if (schema.type === 'null') return null;
  throw new Error(`The API document has no example for "${name}" of ${operation}: add one to openapi-examples.ts.`);
}

function exampleObject({ properties = {} }: Schema, operation: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]): [string, unknown] => [name, exampleOf(schema, operation, name)]),
  );
}

/** Whether a candidate is of the schema's kind; the tests hold the whole example against the real schema. */
function fits(schema: Schema, value: unknown): boolean {
  if (schema.const !== undefined) return schema.const === value;
  if (schema.anyOf !== undefined) return schema.anyOf.some((option) => fits(option, value));
  if (schema.type === 'array') return Array.isArray(value);
  if (schema.type === 'null') return value === null;
  if (schema.type === 'integer' || schema.type === 'number') return typeof value === 'number';
  if (schema.type === 'string') return typeof value === 'string' && new RegExp(schema.pattern ?? '').test(value);
  if (schema.type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return schema.type === undefined || typeof value === schema.type;
}
