import { Elysia, t } from 'elysia';
import { success } from '../http/envelope.ts';
import { object, success as Success } from '../http/schema.ts';
import { providers } from '../providers/index.ts';

const ProviderAnswer = object({
  id: t.String(),
  name: t.String(),
  origin: t.String({ description: 'Where calls go; a client shows one that differs from what it was built with' }),
  keyPatterns: t.Array(
    t.String({ description: 'Regular expression of a whole key: a hint, never a reason to refuse' }),
  ),
  keyPage: t.String({ description: 'Where a person makes a key' }),
});

/** `/v1/providers`: the catalogue, with the origins that are in force on this server. */
export function providerRoutes(originOf: (provider: string) => string | undefined) {
  const catalogue = providers.map(({ id, name, origin, keyPatterns, keyPage }) => ({
    id,
    name,
    origin: originOf(id) ?? origin,
    keyPatterns: [...keyPatterns],
    keyPage,
  }));
  return new Elysia({ prefix: '/v1/providers', normalize: false, tags: ['Keys'] }).get('/', () => success(catalogue), {
    response: { 200: Success(t.Array(ProviderAnswer)) },
    detail: { summary: 'The providers that KeyPass knows' },
  });
}
