import { Elysia, t } from 'elysia';
import { success } from '../http/envelope.ts';
import { object, success as Success } from '../http/schema.ts';
import type { Catalogue, Provider } from '../providers/index.ts';

const ProviderAnswer = object({
  id: t.String(),
  name: t.String(),
  origin: t.String({ description: 'Where calls go; a client shows one that differs from what it was built with' }),
  keyPatterns: t.Array(
    t.String({ description: 'Regular expression of a whole key: a hint, never a reason to refuse' }),
  ),
  keyPage: t.Union([t.String({ description: 'Where a person makes a key' }), t.Null()]),
  needsKey: t.Boolean({ description: 'false: it takes no key, and whatever is stored as one is never sent' }),
});

/** `/v1/providers`: the catalogue, with the origins that are in force on this server. */
export function providerRoutes(providers: Catalogue) {
  return new Elysia({ prefix: '/v1/providers', normalize: false, tags: ['Keys'] }).get(
    '/',
    () => success([...providers.values()].map(shown)),
    {
      response: { 200: Success(t.Array(ProviderAnswer)) },
      detail: { summary: 'The providers that KeyPass knows' },
    },
  );
}

function shown({ id, name, origin, keyPatterns, keyPage, keyHeader }: Provider) {
  return { id, name, origin, keyPatterns: [...keyPatterns], keyPage, needsKey: keyHeader !== null };
}
