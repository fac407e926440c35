import { parsePolicy } from '../crypto/index.ts';
import type { Database } from '../database/connect.ts';
import { pageOf, type PageRequest } from '../http/pages.ts';
import type { Ledger } from '../money/ledger.ts';
import { connectionNotFound } from './service.ts';
import * as store from './store.ts';

interface Parts {
  database: Database;
  ledger: Ledger;
}

/** What an owner sees of their connections: who, what for, how much. */
export class ConnectionOverview {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async list(userId: string, page: PageRequest) {
    const { database, ledger } = this.#parts;
    const rows = await store.listConnections(database.sql, userId, page);
    const { items, nextCursor } = pageOf(
      rows,
      page.limit,
      (row) => ({ at: row.createdAt, id: row.id }),
      (row) => row,
    );
    const policies = items.map((row) => parsePolicy(row.policy));
    const states = await ledger.states(
      items.map(({ id }, index) => ({ connectionId: id, period: policies[index]?.period ?? 'month' })),
    );
    const grants = await store.listGrants(
      database.sql,
      items.map(({ id }) => id),
    );
    const summaries = items.map((row, index) => summaryOf(row, states[index], grants));
    return { items: summaries, nextCursor };
  }

  async get(userId: string, id: string) {
    const { database, ledger } = this.#parts;
    const row = await store.findConnection(database.sql, id);
    if (row === undefined || row.userId !== userId) throw connectionNotFound();
    const grants = await store.listGrants(database.sql, [id]);
    const [state] = await ledger.states([{ connectionId: id, period: parsePolicy(row.policy).period }]);
    return { ...summaryOf(row, state, grants), ckVault: row.ckVault, tokenVault: row.tokenVault, grants };
  }
}

type State = Awaited<ReturnType<Ledger['states']>>[number];

function summaryOf(row: store.ConnectionRow, state: State | undefined, grants: readonly store.GrantRow[]) {
  const policy = parsePolicy(row.policy);
  const granted = new Set(grants.filter((grant) => grant.connectionId === row.id).map((grant) => grant.provider));
  const missingKeys =
    row.status === 'revoked' ? [] : policy.providers.map(({ id }) => id).filter((id) => !granted.has(id));
  return {
    row,
    policy,
    missingKeys,
    spent: state?.spent ?? 0n,
    held: state?.held ?? 0n,
    resetsAt: state?.resetsAt ?? null,
  };
}
