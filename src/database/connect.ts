import postgres from 'postgres';
import { keepHouse } from './housekeeping.ts';
import { retrying } from './retrying.ts';

// A type, not an interface: postgres.js wants an implicit index signature.
type Types = { bigint: bigint };

/** Whatever can run a statement: the pool or a transaction. Store functions take one as their first argument. */
export type Sql = postgres.ISql<Types>;

/** A transaction, for store functions whose statements must stand or fall together. */
export type Tx = postgres.TransactionSql<Types>;

/**
 * A connected database. Column names arrive in camelCase (only names: keys inside JSON values stay as they are),
 * `int8` as bigint, `bytea` as bytes, `timestamptz` as Date.
 *
 * The embedded database is a pool of one connection: while `begin` runs, a statement on `sql` waits for the transaction
 * to end, so awaiting one inside `work` hangs for ever. Store functions therefore take their `sql`, and `work` hands them
 * its `tx`. An open cursor holds everybody else up in the same way.
 */
export interface Database {
  readonly sql: Sql;
  /**
   * One connection, whose statements are sent at once and carried out one after the other: those that would lock the same
   * rows never wait for each other, which costs PostgreSQL about as much as a statement does.
   */
  readonly serial: Sql;
  /**
   * For whoever has waited too long for an answer of `serial`, which may have lost its server without hearing of it: all
   * that it was sent fails, and `serial` is another connection from now on.
   */
  renewSerial(): void;
  readonly kind: 'embedded' | 'postgres';
  /**
   * Runs `work` in a transaction and commits. A serialization failure or deadlock rolls back and runs it again, so it
   * must have no effect outside the transaction. A statement that failed fails the transaction, caught or not.
   */
  begin<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Calls `onNotice` with the payload of every notice, from any instance, until the returned function is called.
   * A notice sent while the connection was lost is lost too: whoever depends on it looks again from time to time.
   */
  listen(channel: string, onNotice: (payload: string) => void): Promise<() => Promise<void>>;
  /** Sends a notice (at most 8,000 bytes) to all listeners on all instances. */
  notify(channel: string, payload: string): Promise<void>;
  /** Ends the connections; statements that still run after five seconds are cut. */
  close(): Promise<void>;
}

export interface PostgresOptions {
  /** The most connections that are opened. */
  max?: number;
}

const connectTimeoutSeconds = 10;
const closeTimeoutSeconds = 5;

/** Seconds before the next attempt to reach a server that is away. Callers wait for it, so it stays short. */
function backoff(attempt: number): number {
  return Math.min(attempt, 10) / 10;
}

/** This long after its beginning no statement is carried out any more, whatever has become of whoever sent it. */
export const longestStatementMs = 20_000;

const shared = {
  backoff,
  connect_timeout: connectTimeoutSeconds,
  // Months of budgets begin in UTC, whatever the server's own zone is.
  // An instance that stands still in a transaction must not hold its locks against all others for long.
  connection: {
    application_name: 'keypass',
    TimeZone: 'UTC',
    idle_in_transaction_session_timeout: 5_000,
    lock_timeout: 3_000,
    statement_timeout: longestStatementMs,
  },
  // Notices may quote values, and `debug` would put parameters on every error.
  onnotice: () => {},
  debug: false,
  types: { bigint: postgres.BigInt },
  // Not `postgres.camel`: it would rewrite the keys inside JSON values too.
  transform: { column: { from: postgres.toCamel } },
} satisfies postgres.Options<Record<string, postgres.PostgresType>>;

/**
 * For statements that are the same all day: planned once, and by the indexes, whatever the statistics say, since a table
 * that was small then may be large by now, or full of dead rows. Without an index it must not look dear enough to compile.
 */
const steady = { enable_seqscan: 'off', plan_cache_mode: 'force_generic_plan', jit: 'off' };

/** Connects to a PostgreSQL server, lazily: the first statement opens the first connection. */
export function connectPostgres(url: string, { max = 10 }: PostgresOptions = {}): Database {
  const sql = postgres(url, { ...shared, max });
  const openSerial = () => postgres(url, { ...shared, max: 1, connection: { ...shared.connection, ...steady } });
  let serial = openSerial();
  return {
    sql,
    get serial() {
      return serial;
    },
    renewSerial: () => {
      void serial.end({ timeout: 0 });
      serial = openSerial();
    },
    kind: 'postgres',
    begin: (work) => transact(sql, work),
    listen: async (channel, onNotice) => {
      const listening = await sql.listen(channel, onNotice);
      return () => listening.unlisten();
    },
    notify: async (channel, payload) => {
      await sql.notify(channel, payload);
    },
    close: async () => {
      await Promise.all([sql, serial].map((pool) => pool.end({ timeout: closeTimeoutSeconds })));
    },
  };
}

/** The server end of the embedded database, as `src/runtime` opens it. */
export interface EmbeddedServer {
  /** A fresh byte stream to the server, in the form that postgres.js takes as its `socket` option. */
  connect(): unknown;
  close(): Promise<void>;
}

/** Connects to the embedded database; `close` closes the server as well. Notices stay within this process. */
export function connectEmbedded(server: EmbeddedServer): Database {
  const options = {
    ...shared,
    // The one connection is the database: it is never recycled.
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    ssl: false,
    host: 'embedded',
    user: 'postgres',
    database: 'postgres',
    // Missing in the package's own types.
    socket: () => server.connect(),
  };
  const sql = postgres(options);
  const stopHousekeeping = keepHouse(sql);
  const listeners = new Map<string, Set<(payload: string) => void>>();
  return {
    sql,
    serial: sql,
    // Within this process no connection falls silent.
    renewSerial: () => {},
    kind: 'embedded',
    begin: (work) => transact(sql, work),
    listen: async (channel, onNotice) => {
      const listener = (payload: string): void => onNotice(payload);
      const channelListeners = listeners.get(channel) ?? new Set();
      listeners.set(channel, channelListeners.add(listener));
      return async () => {
        channelListeners.delete(listener);
      };
    },
    notify: async (channel, payload) => {
      // After the sender's own code, as a notice from a server would come.
      for (const listener of listeners.get(channel) ?? []) queueMicrotask(() => listener(payload));
    },
    close: async () => {
      await stopHousekeeping();
      await sql.end({ timeout: closeTimeoutSeconds });
      await server.close();
    },
  };
}

async function transact<T>(sql: postgres.Sql<Types>, work: (tx: Tx) => Promise<T>): Promise<T> {
  const { value } = await retrying(() => sql.begin(async (tx) => ({ value: await work(tx) })));
  return value;
}
