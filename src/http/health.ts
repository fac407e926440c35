import { Elysia } from 'elysia';
import type { Database } from '../database/connect.ts';

/** `/healthz`: the process answers. `/readyz`: its database does too. Neither tells anything about either. */
export function healthRoutes(database: Database) {
  return new Elysia({ tags: ['Operation'] })
    .get('/healthz', () => ({ status: 'ok' }), { detail: { summary: 'The process is alive' } })
    .get(
      '/readyz',
      async () => {
        await database.sql`select 1`;
        return { status: 'ok' };
      },
      { detail: { summary: 'The database answers' } },
    );
}
