import { errorCodes, type ErrorCode } from '../errors.ts';
import { listAt, memberAt } from '../money/json.ts';
import { exampleOf, requestExampleOf, type Schema } from './openapi-examples.ts';
import { operationNotes } from './openapi-operations.ts';
import { type ProxyOperation, proxyOperations } from './openapi-proxy.ts';
import { Failure } from './schema.ts';
import { statusOf } from './status.ts';

const methods = ['get', 'put', 'post', 'patch', 'delete'] as const;

/** An operation as the plugin makes it out of a route. */
interface RawOperation {
  readonly summary?: string;
  readonly description?: string;
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses?: Readonly<Record<string, { readonly content?: Content } | undefined>>;
}

type Content = Readonly<Record<string, { readonly schema: Schema } | undefined>>;

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

export interface RawDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components?: object;
}

const json = 'application/json';
const text = { type: 'string' };

/**
 * The plugin's document as a whole one: OpenAPI 3.1 (its schemas are JSON Schema), the paths as clients call them, JSON
 * alone, an example of each body, every error with its codes, and the proxy, whose routes have no schema.
 */
export function finishedDocument(raw: RawDocument): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [rawPath, operations] of Object.entries(raw.paths)) {
    const path = rawPath.length > 1 ? rawPath.replace(/\/$/, '') : rawPath;
    for (const method of methods) {
      const operation = operations[method];
      if (operation === undefined) continue;
      (paths[path] ??= {})[method] = finishedOperation(operation, method, path);
    }
  }
  for (const operation of proxyOperations) paths[operation.path] = proxyPath(operation);
  const components = { ...raw.components, schemas: { Failure: plain(Failure) } };
  return { ...raw, openapi: '3.1.0', paths, components };
}

function finishedOperation(raw: RawOperation, method: string, path: string): object {
  const key = `${method.toUpperCase()} ${path}`;
  const notes = operationNotes[key] ?? { errors: [] };
  const body = raw.requestBody?.content[json]?.schema;
  const answer = raw.responses?.['200']?.content?.[json]?.schema;
  const example = answer === undefined ? { status: 'ok' } : exampleOf(answer, key);
  const security = raw.security ?? [];
  const parameters = (raw.parameters ?? []).map((parameter) => finishedParameter(parameter, key));
  const codes = new Set([...notes.errors, ...codesOf(security, parameters.length > 0, body !== undefined)]);
  return {
    ...raw,
    ...(notes.description === undefined ? {} : { description: notes.description }),
    security,
    ...(parameters.length === 0 ? { parameters: undefined } : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: method !== 'delete', content: jsonContent(body, requestExampleOf(body, key)) } }),
    responses: {
      200: {
        description: 'Done',
        content: {
          ...jsonContent(answer ?? { type: 'object' }, example),
          ...(notes.csv === undefined ? {} : fileContent(notes.csv, example)),
        },
      },
      ...failures([...codes]),
    },
  };
}

function finishedParameter(parameter: Parameter, operation: string): object {
  const { schema } = parameter;
  return { ...parameter, example: exampleOf(schema, operation, parameter.name) };
}

/** What every operation of this kind can refuse. */
function codesOf(security: RawOperation['security'], hasParameters: boolean, hasBody: boolean): ErrorCode[] {
  const schemes = (security ?? []).flatMap((scheme) => Object.keys(scheme));
  return [
    ...(schemes.length > 0 ? anyCredential : []),
    ...schemes.flatMap((scheme) => oneCredential[scheme] ?? []),
    ...(hasParameters || hasBody ? anyInput : []),
    ...(hasBody ? anyBody : []),
  ];
}

const anyCredential: readonly ErrorCode[] = [
  'credentials_missing',
  'ambiguous_credentials',
  'token_malformed',
  'token_in_url',
];
const oneCredential: Readonly<Record<string, readonly ErrorCode[]>> = {
  session: ['session_invalid', 'origin_not_allowed'],
  app: ['client_invalid'],
  linkToken: ['link_token_invalid'],
  accessToken: ['access_token_invalid'],
};
const anyInput: readonly ErrorCode[] = ['invalid_request', 'unknown_member', 'duplicate_member'];
const anyBody: readonly ErrorCode[] = [
  'invalid_json',
  'body_too_large',
  'unsupported_media_type',
  'unsupported_encoding',
];

/** What a provider alone defines. */
const anything = { type: 'object', additionalProperties: true };

function proxyPath(operation: ProxyOperation): Record<string, object> {
  return Object.fromEntries(operation.methods.map((method) => [method, proxyOperation(operation, method)]));
}

function proxyOperation(operation: ProxyOperation, method: ProxyOperation['methods'][number]): object {
  const { path, summary, description, parameters, requestSchema = anything, requestExample, errors } = operation;
  const content = jsonContent(requestSchema, requestExample);
  const { methods: all, answerExample, streamExample } = operation;
  const lists = { object: 'list', data: [{ id: 'gpt-4o', object: 'model' }] };
  const deleted = { id: 'file-1', object: 'file', deleted: true };
  const examples = { get: all.length > 1 ? lists : answerExample, post: answerExample, delete: deleted };
  const streams = method === 'post' && streamExample !== undefined;
  const stream = { 'text/event-stream': { schema: text, example: streamExample } };
  return {
    summary,
    description,
    operationId: [method, ...(path.match(/\w+/g) ?? [])].join('_'),
    tags: ['Proxy'],
    security: [{ accessToken: [] }],
    parameters,
    ...(method === 'post' ? { requestBody: { required: true, content } } : {}),
    responses: {
      200: {
        description: streams ? "The provider's answer, or its event stream" : "The provider's answer",
        content: { ...jsonContent(anything, examples[method]), ...(streams ? stream : {}) },
      },
      ...failures(errors),
    },
  };
}

/** One response for each status, naming its codes. */
function failures(codes: readonly ErrorCode[]): Record<string, object> {
  const statuses = [...new Set(codes.map(statusOf))].toSorted((a, b) => a - b);
  const entries = statuses.map((status): [string, object] => {
    const named = codes.filter((code) => statusOf(code) === status);
    const description = named.map((code) => `[\`${code}\`](/docs/errors#${code})`).join(' · ');
    const [first] = named;
    const example = first === undefined ? undefined : failureExample(first);
    return [String(status), { description, content: jsonContent({ $ref: '#/components/schemas/Failure' }, example) }];
  });
  return Object.fromEntries(entries);
}

function failureExample(code: ErrorCode): object {
  return {
    success: false,
    error: {
      type: errorCodes[code],
      code,
      message: 'What happened and what to do, in a sentence.',
      docUrl: `/docs/errors#${code}`,
      requestId: '7d9f4c1e-3b52-4f0a-9c5d-2a8e61b04f37',
    },
  };
}

/** What an operation answers as a file: the items of its answer, one a line. */
function fileContent(csv: string, answer: unknown): object {
  const lines = listAt(memberAt(answer, 'data'), 'items').map((item) => `${JSON.stringify(item)}\n`);
  return {
    'text/csv': { schema: text, example: csv },
    'application/x-ndjson': { schema: text, example: lines.join('') },
  };
}

function jsonContent(schema: object, example: unknown): object {
  return { [json]: { schema, example } };
}

/** A TypeBox schema as JSON Schema: without the symbols that TypeBox keeps on it. */
function plain(schema: object): object {
  const copy: object = JSON.parse(JSON.stringify(schema));
  return copy;
}
