/**
 * Attacks a real server over raw sockets: paths, hosts, headers, credentials, redirects, methods, bodies and answers. Each
 * case says what must come of it; nothing else may reach a provider, and afterwards every secret and every mark is looked
 * for in answers, log, database and process.
 *
 *     bun run harness:attack
 */
import { hasPostgres } from '../harness/postgres.ts';
import { runAttackTrial } from './attack-trial.ts';
import { exitOnSignal, report } from './report.ts';

exitOnSignal();
const kinds = hasPostgres ? (['embedded', 'postgres'] as const) : (['embedded'] as const);
for (const kind of kinds) report(`attack: ${kind}`, await runAttackTrial({ kind, step: 1 }));
