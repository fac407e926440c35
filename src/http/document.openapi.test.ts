import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { Elysia } from 'elysia';
import { openTestDatabase } from '../../test/harness/databases.ts';
import { startTestServer, type TestServer } from '../../test/harness/server.ts';
import { errorCodes } from '../errors.ts';
import { createAuth } from './auth.ts';
import { operationNotes } from './openapi-operations.ts';

interface Operation {
  summary?: string;
  security?: Record<string, unknown>[];
  parameters?: { name: string; in: string; example?: unknown; schema: object }[];
  requestBody?: { content: Record<string, { example?: unknown }> };
  responses: Record<string, { description?: string; content?: Record<string, { example?: unknown }> }>;
  operationId?: string;
}

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { securitySchemes: Record<string, object>; schemas: Record<string, object> };
}

interface Route {
  method: string;
  path: string;
  hooks: { body?: TSchema; response?: Record<string, TSchema>; query?: TSchema; params?: TSchema; session?: boolean };
}

const folder = join(import.meta.dir, '..');
let server: TestServer;
let document: Document;
let operations: [string, Operation][];

beforeAll(async () => {
  server = await startTestServer({ database: await openTestDatabase('embedded') });
  const response = await fetch(`${server.url}/openapi.json`);
  document = await response.json();
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
});

afterAll(async () => {
  await server.stop();
  await server.database.close();
});

/** Stands for any service: nothing is called when routes are only listed. */
const anything: unknown = new Proxy(() => undefined, { get: () => anything });

/** Every route that a module `…routes.ts` makes, whether it is wired or not. */
async function listRoutes(): Promise<Route[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('routes.ts'));
  const auth = createAuth(
    { session: () => Promise.reject(new Error()), app: () => Promise.reject(new Error()) },
    {
      name: 'keypass',
      origin: 'http://localhost',
    },
  );
  const options = new Proxy({ auth }, { get: (target, name) => (name === 'auth' ? target.auth : anything) });
  const routes: Route[] = [];
  for (const file of [...files, 'http/health.ts']) {
    const exported: Record<string, unknown> = await import(join(folder, file));
    for (const [name, make] of Object.entries(exported)) {
      if (!name.endsWith('Routes') || typeof make !== 'function') continue;
      const made: unknown = make.length > 2 ? make(anything, anything, options) : make(anything, options);
      if (made instanceof Elysia) routes.push(...made.routes);
    }
  }
  return routes;
}

/** All schemas with a pattern, however deep. */
function patternsIn(schema: unknown): { pattern: string; description?: string }[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const inner = Object.values(schema).flatMap(patternsIn);
  if (!('pattern' in schema) || typeof schema.pattern !== 'string') return inner;
  const { pattern } = schema;
  const words = 'description' in schema && typeof schema.description === 'string' ? schema.description : undefined;
  return [{ pattern, ...(words === undefined ? {} : { description: words }) }, ...inner];
}

/** As the document writes it. */
function keyOf({ method, path }: Route): string {
  const documented = path.replaceAll(/:(\w+)/g, '{$1}').replace('*', '{path}');
  return `${method} ${documented.length > 1 ? documented.replace(/\/$/, '') : documented}`;
}

describe('the API document', () => {
  test('has every route, and nothing else', async () => {
    const routes = (await listRoutes()).flatMap((route) =>
      // What is mounted for all methods passes these on and refuses the rest.
      route.method === 'ALL' ? ['GET', 'POST', 'DELETE'].map((method) => ({ ...route, method })) : [route],
    );
    expect(routes.length).toBeGreaterThan(40);
    expect(operations.map(([key]) => key).toSorted()).toEqual([...new Set(routes.map(keyOf))].toSorted());
  });

  test('has notes for every operation that has a schema, and for no other', () => {
    const noted = operations
      .map(([key]) => key)
      .filter((key) => !/ \/(v1\/proxy|openai|anthropic|google|groq)\//.test(key));
    expect(Object.keys(operationNotes).toSorted()).toEqual(noted.toSorted());
  });

  test('is OpenAPI 3.1 whose references lead somewhere', () => {
    expect(document.openapi).toBe('3.1.0');
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference);
    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) {
      const [root, ...steps] = reference?.split('/') ?? [];
      expect(root).toBe('#');
      const target = steps.reduce<unknown>((value, step) => Reflect.get(Object(value), step), document);
      expect(target, reference).toBeObject();
    }
  });

  test('says of each operation what it does, who may, what it takes, what it answers and how it fails', () => {
    const ids = new Set<string>();
    for (const [key, operation] of operations) {
      expect(operation.summary, key).toBeString();
      expect(operation.security, key).toBeArray();
      const schemes = (operation.security ?? []).flatMap((scheme) => Object.keys(scheme));
      expect(Object.keys(document.components.securitySchemes), key).toEqual(expect.arrayContaining(schemes));
      expect(operation.operationId, key).toMatch(/^\w+$/);
      ids.add(operation.operationId ?? '');
      for (const { example } of operation.parameters?.filter(({ in: place }) => place !== 'header') ?? []) {
        if (!key.includes('{path}')) expect(example, key).toBeDefined();
      }
      for (const content of Object.values(operation.requestBody?.content ?? {}))
        expect(content.example, key).toBeDefined();
      const answers = operation.responses['200']?.content ?? {};
      expect(Object.keys(answers), key).toContain('application/json');
      for (const [type, { example }] of Object.entries(answers)) expect(example, `${key}: ${type}`).toBeTruthy();
      for (const [status, { description, content }] of Object.entries(operation.responses)) {
        expect(description, `${key} ${status}`).toBeString();
        if (Number(status) >= 400) expect(content?.['application/json']?.example, `${key} ${status}`).toBeObject();
      }
    }
    expect(ids.size).toBe(operations.length);
  });

  test('names, for each status that a route declares, the codes that it can have', async () => {
    for (const route of await listRoutes()) {
      const key = keyOf(route);
      const declared = Object.keys(route.hooks.response ?? {}).filter((status) => status !== '200');
      const documented = operations.find(([name]) => name === key)?.[1].responses ?? {};
      expect(Object.keys(documented), key).toEqual(expect.arrayContaining(declared));
    }
    for (const [key, { responses }] of operations) {
      const codes = Object.values(responses).flatMap(
        ({ description = '' }) => description.match(/(?<=`)\w+(?=`)/g) ?? [],
      );
      for (const code of codes) expect(Object.keys(errorCodes), key).toContain(code);
    }
  });

  test('its examples fit the schemas that validate', async () => {
    let checked = 0;
    for (const route of await listRoutes()) {
      const key = keyOf(route);
      const operation = operations.find(([name]) => name === key)?.[1];
      const { body, response } = route.hooks;
      const request = operation?.requestBody?.content['application/json']?.example;
      const answer = operation?.responses['200']?.content?.['application/json']?.example;
      if (body !== undefined) {
        expect([...Value.Errors(body, request)], `${key}: request`).toEqual([]);
        checked += 1;
      }
      if (response?.['200'] !== undefined) {
        expect([...Value.Errors(response['200'], answer)], `${key}: answer`).toEqual([]);
        checked += 1;
      }
    }
    expect(checked).toBeGreaterThan(40);
  });

  test('says in words what a pattern means: a refusal repeats it', async () => {
    const wordless = (await listRoutes()).flatMap((route) =>
      patternsIn([route.hooks.body, route.hooks.query, route.hooks.params])
        .filter(({ description }) => description === undefined)
        .map(({ pattern }) => `${keyOf(route)}: ${pattern}`),
    );
    expect(wordless).toEqual([]);
  });

  test('can be read from any page, and from one without an origin', async () => {
    for (const origin of ['https://app.example', 'null']) {
      const response = await fetch(`${server.url}/openapi.json`, { headers: { origin } });
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      await response.text();
    }
  });
});
