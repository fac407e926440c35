import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { Arrived } from './attack-provider.ts';
import type { Scene } from './attack-scene.ts';
import type { Answer } from './attack-socket.ts';
import type { Case } from './attack/case.ts';
import type { Fault } from './faults.ts';
import { openReader, type Query } from './reader.ts';

/** What stands in a table as it was sent: a search that does not find it finds nothing. */
const known = 'https://notes.example';

/** Looks for secrets and for what the attacks were marked with, in every place where either could have been left. */
export class Search {
  readonly figures: Record<string, string | number> = {};
  readonly #scene: Scene;
  readonly #traces: Map<string, readonly string[]>;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#traces = new Map(Object.entries(scene.secrets).map(([name, secret]) => [name, tracesOf(secret)]));
  }

  /** Nobody who calls is told a secret, nor what they sent, but for the name of the member that is at fault. */
  inAnswers({ quotes }: Case, answers: readonly Answer[]): string[] {
    if (quotes === true) return [];
    const text = answers
      .map(({ head, body }) => `${head}\r\n${body}`.replaceAll(/"param":"[\w.-]{1,64}"/g, ''))
      .join('\r\n');
    return this.#namesIn(text).map((name) => `an answer has the ${name}`);
  }

  /** A provider sees the one key that is its own and, of the rest, what the client wrote into the body. */
  inArrivals(arrived: readonly Arrived[]): string[] {
    return arrived.flatMap(({ provider, head, body }) =>
      this.#namesIn(`${head}\r\n\r\n${body}`)
        .filter((name) => name !== provider && name !== 'MARK')
        .map((name) => `${provider} was sent the ${name}`),
    );
  }

  /** The process and all that it leaves behind. It is ended for that. */
  async everywhere(databaseUrl: string | undefined): Promise<Fault[]> {
    const { server } = this.#scene;
    const started = this.#startedWith();
    await server.stop();
    const rows = await this.#rows(databaseUrl);
    const files = databaseUrl === undefined ? filesIn(join(server.folder, 'database')) : [];
    const pepper = readFileSync(join(server.folder, 'pepper.json'), 'utf8').match(/[\w-]{43}/g) ?? [];
    for (const secret of pepper)
      this.#traces.set('pepper', [...(this.#traces.get('pepper') ?? []), ...tracesOf(secret)]);
    this.figures['log lines'] = server.log.length;
    this.figures['database rows'] = rows.length;
    if (files.length > 0) this.figures['database bytes'] = files.reduce((sum, { length }) => sum + length, 0);
    return [
      ...(rows.some((row) => row.includes(known)) ? [] : [{ rule: 'the search finds nothing', detail: known }]),
      ...this.#faultsIn('log', server.output),
      ...this.#faultsIn('arguments or environment', started),
      ...this.#faultsIn('tables', rows.join('\n')),
      ...files.flatMap((text) => this.#faultsIn('files of the database', text)),
    ];
  }

  #faultsIn(place: string, text: string): Fault[] {
    return this.#namesIn(text).map((name) => ({ rule: `the ${place} have a secret`, detail: name }));
  }

  #namesIn(text: string): string[] {
    return [...this.#traces].filter(([, traces]) => traces.some((trace) => text.includes(trace))).map(([name]) => name);
  }

  /** What everybody on the machine may read of the process, and what its starter gave it. */
  #startedWith(): string {
    const folder = `/proc/${this.#scene.server.pid}`;
    return ['cmdline', 'environ']
      .map((name) => join(folder, name))
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, 'latin1'))
      .join('\n');
  }

  async #rows(databaseUrl: string | undefined): Promise<string[]> {
    if (databaseUrl !== undefined) {
      const reader = openReader(databaseUrl);
      const rows = await rowsOf(reader.query);
      await reader.close();
      return rows;
    }
    const database = await PGlite.create(join(this.#scene.server.folder, 'database'));
    const query: Query = async (statement) => (await database.query<Record<string, unknown>>(statement)).rows;
    const rows = await rowsOf(query);
    await database.close();
    return rows;
  }
}

/** Every row of every table as text; bytes in it are hexadecimal. */
async function rowsOf(query: Query): Promise<string[]> {
  const tables = await query(`select tablename as name from pg_tables where schemaname = 'public'`);
  const rows = await Promise.all(tables.map(({ name }) => query(`select t::text as row from "${String(name)}" t`)));
  return rows.flat().map(({ row }) => String(row));
}

/** Tables, indexes and what is kept for a crash, as bytes. */
function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'));
}

/** A text as it may stand somewhere: as it is, in hexadecimal, and in base64 wherever its bytes begin. */
function tracesOf(text: string): string[] {
  const bytes = Buffer.from(text);
  const inBase64 = ['', '-', '--'].map((before) => Buffer.from(before + text).toString('base64'));
  // The first and the last characters depend on what stands around.
  const cores = inBase64.map((encoded, offset) => encoded.slice(offset === 0 ? 0 : 4, -4));
  const hex = bytes.toString('hex');
  return [
    text,
    hex,
    hex.toUpperCase(),
    ...cores,
    ...cores.map((core) => core.replaceAll('+', '-').replaceAll('/', '_')),
  ];
}
