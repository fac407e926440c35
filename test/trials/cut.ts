/**
 * Ends connections while streams of theirs run on every instance: revoked, paused, let go, expired, the key deleted, the
 * app removed. The provider has to see it within 100 ms of the owner's answer, or of the approval's last moment.
 *
 *     bun test/trials/cut.ts [--rounds N] [--streams N]
 */
import { hasPostgres } from '../harness/postgres.ts';
import { runCutTrial } from './cut-trial.ts';
import { exitOnSignal, flag, report } from './report.ts';

exitOnSignal();
const [rounds, streams] = [flag('rounds', 5), flag('streams', 10)];
const kinds = hasPostgres ? (['embedded', 'postgres'] as const) : (['embedded'] as const);
for (const kind of kinds) report(`cut: ${kind}`, await runCutTrial({ kind, rounds, streams, goalMs: 100 }));
