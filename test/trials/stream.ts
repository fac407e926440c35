/**
 * Streams of each API, split at each of their bytes and after every one, in each way in which events can be written.
 * Through passthrough: the same bytes. Through unified chat: the same words, tool calls and usage. On each receipt: what
 * the stream states.
 *
 *     bun run harness:stream [--step N]
 */
import { hasPostgres } from '../harness/postgres.ts';
import { exitOnSignal, flag, report } from './report.ts';
import { runStreamTrial } from './stream-trial.ts';

exitOnSignal();
const step = Math.max(1, flag('step', 1));
report('stream: embedded', await runStreamTrial({ kind: 'embedded', step }));
// What is read of a stream does not depend on where it is booked.
if (hasPostgres) report('stream: postgres', await runStreamTrial({ kind: 'postgres', step: step * 17 }));
