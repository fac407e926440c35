import initial from '../../sql/0001_initial.sql' with { type: 'text' };
import type { Migration } from './migrations.ts';

/** Every file of `sql/` in its order. Imported by name, so that the compiled binary carries them. */
export const migrations: readonly Migration[] = [{ name: '0001_initial.sql', sql: initial }];
