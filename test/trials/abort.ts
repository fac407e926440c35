/**
 * Ends streams of each API at each of their events: the client leaves, the provider breaks off, the owner revokes. The
 * provider has to see it within 100 ms, and the receipt has to say what a tokenizer counts of what had been sent.
 *
 *     bun run harness:abort
 */
import { hasPostgres } from '../harness/postgres.ts';
import { runAbortTrial } from './abort-trial.ts';
import { report } from './report.ts';

const kinds = hasPostgres ? (['embedded', 'postgres'] as const) : (['embedded'] as const);
for (const kind of kinds) report(`abort: ${kind}`, await runAbortTrial({ kind, points: 'all', goalMs: 100 }));
