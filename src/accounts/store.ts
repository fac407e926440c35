import type { Sql, Tx } from '../database/connect.ts';

export interface UserRow {
  id: string;
  email: string;
  kdfId: number;
  salt: Uint8Array<ArrayBuffer>;
  passwordRevision: bigint;
  epoch: number;
  verifierPassword: Uint8Array<ArrayBuffer>;
  uvkPassword: Uint8Array<ArrayBuffer>;
  recoveryId: string;
  verifierRecovery: Uint8Array<ArrayBuffer>;
  uvkRecovery: Uint8Array<ArrayBuffer>;
  createdAt: Date;
}

export interface SessionRow {
  id: string;
  userId: string;
  transport: string;
  device: string | null;
  createdAt: Date;
  expiresAt: Date;
}

export async function countUsers(sql: Sql | Tx): Promise<bigint> {
  const [row] = await sql<{ count: bigint }[]>`select count(*) from users`;
  return row?.count ?? 0n;
}

/** Accounts whose outer seals are not of this epoch, a batch at a time. */
export async function listUsersOfOtherEpochs(sql: Sql | Tx, epoch: number, limit: number): Promise<UserRow[]> {
  return sql<UserRow[]>`
    select id, email, kdf_id, salt, password_revision, epoch, verifier_password, uvk_password,
      recovery_id, verifier_recovery, uvk_recovery, created_at
    from users where epoch <> ${epoch} order by id limit ${limit}`;
}

/** Puts the outer seals of another epoch in place, unless the account was changed meanwhile. */
export async function updateUserSeals(sql: Sql | Tx, user: UserRow, old: UserRow): Promise<void> {
  await sql`
    update users set epoch = ${user.epoch}, verifier_password = ${user.verifierPassword},
      uvk_password = ${user.uvkPassword}, verifier_recovery = ${user.verifierRecovery}
    where id = ${old.id} and epoch = ${old.epoch} and verifier_password = ${old.verifierPassword}
      and verifier_recovery = ${old.verifierRecovery}`;
}

export async function findSecondKdfShare(sql: Sql | Tx): Promise<number> {
  const [row] = await sql<{ share: number }[]>`
    select coalesce(avg((kdf_id = 2)::int), 0)::float8 as share from users`;
  return row?.share ?? 0;
}

export async function insertUser(tx: Tx, user: UserRow): Promise<void> {
  await tx`
    insert into users (id, email, kdf_id, salt, password_revision, epoch, verifier_password, uvk_password,
      recovery_id, verifier_recovery, uvk_recovery, created_at)
    values (${user.id}, ${user.email}, ${user.kdfId}, ${user.salt}, ${user.passwordRevision}, ${user.epoch},
      ${user.verifierPassword}, ${user.uvkPassword}, ${user.recoveryId}, ${user.verifierRecovery},
      ${user.uvkRecovery}, ${user.createdAt})`;
}

export async function findUserByEmail(sql: Sql | Tx, email: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`
    select id, email, kdf_id, salt, password_revision, epoch, verifier_password, uvk_password,
      recovery_id, verifier_recovery, uvk_recovery, created_at
    from users where email = ${email}`;
  return row;
}

export async function findUser(sql: Sql | Tx, id: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`
    select id, email, kdf_id, salt, password_revision, epoch, verifier_password, uvk_password,
      recovery_id, verifier_recovery, uvk_recovery, created_at
    from users where id = ${id}`;
  return row;
}

/** New password and recovery wraps, by compare-and-set on the password's revision. */
export async function updateUserSecrets(tx: Tx, user: UserRow, baseRevision: bigint): Promise<boolean> {
  const rows = await tx`
    update users set kdf_id = ${user.kdfId}, salt = ${user.salt}, password_revision = password_revision + 1,
      epoch = ${user.epoch}, verifier_password = ${user.verifierPassword}, uvk_password = ${user.uvkPassword},
      recovery_id = ${user.recoveryId}, verifier_recovery = ${user.verifierRecovery},
      uvk_recovery = ${user.uvkRecovery}
    where id = ${user.id} and password_revision = ${baseRevision} returning id`;
  return rows.length === 1;
}

export async function insertVault(tx: Tx, userId: string, manifest: Uint8Array): Promise<void> {
  await tx`insert into vaults (user_id, revision, manifest) values (${userId}, 1, ${manifest})`;
}

export async function findVault(sql: Sql | Tx, userId: string) {
  const [row] = await sql<{ revision: bigint; manifest: Uint8Array<ArrayBuffer> }[]>`
    select revision, manifest from vaults where user_id = ${userId}`;
  return row;
}

/** The next manifest, unless another came in between; null stands for "the next revision, whichever it is". */
export async function updateVault(
  tx: Tx,
  userId: string,
  manifest: Uint8Array,
  revision: number | null,
): Promise<boolean> {
  const rows = await tx`
    update vaults set manifest = ${manifest}, revision = revision + 1
    where user_id = ${userId} and (${revision}::bigint is null or revision + 1 = ${revision}::bigint)
    returning revision`;
  return rows.length === 1;
}

/** Answers whether the session was made: not if the password it was opened with has been replaced meanwhile. */
export async function insertSession(
  sql: Sql | Tx,
  session: SessionRow & { lookup: Uint8Array },
  passwordRevision: bigint,
): Promise<boolean> {
  const rows = await sql`
    insert into sessions (id, lookup, user_id, transport, device, created_at, expires_at)
    select ${session.id}::uuid, ${session.lookup}::bytea, id, ${session.transport}, ${session.device},
      ${session.createdAt}::timestamptz, ${session.expiresAt}::timestamptz
    from users where id = ${session.userId} and password_revision = ${passwordRevision} for share
    returning id`;
  return rows.length === 1;
}

export async function findSession(sql: Sql | Tx, lookup: Uint8Array): Promise<SessionRow | undefined> {
  const [row] = await sql<SessionRow[]>`
    select id, user_id, transport, device, created_at, expires_at from sessions where lookup = ${lookup}`;
  return row;
}

export async function listSessions(sql: Sql | Tx, userId: string, now: Date): Promise<SessionRow[]> {
  return sql<SessionRow[]>`
    select id, user_id, transport, device, created_at, expires_at from sessions
    where user_id = ${userId} and expires_at > ${now} order by created_at desc limit 200`;
}

export async function deleteSession(sql: Sql | Tx, id: string): Promise<void> {
  await sql`delete from sessions where id = ${id}`;
}

/** Ends one session of a user; answers whether there was one. */
export async function deleteSessionOf(sql: Sql | Tx, userId: string, id: string): Promise<boolean> {
  const rows = await sql`delete from sessions where id = ${id} and user_id = ${userId} returning id`;
  return rows.length === 1;
}

/** Ends all sessions of a user but the one to keep. */
export async function deleteOtherSessions(tx: Tx, userId: string, kept: string | null): Promise<void> {
  await tx`delete from sessions where user_id = ${userId} and id is distinct from ${kept}::uuid`;
}

export async function insertTicket(
  sql: Sql | Tx,
  ticket: { lookup: Uint8Array; userId: string; passwordRevision: bigint; expiresAt: Date },
): Promise<void> {
  await sql`
    insert into recovery_tickets (lookup, user_id, password_revision, expires_at)
    values (${ticket.lookup}, ${ticket.userId}, ${ticket.passwordRevision}, ${ticket.expiresAt})`;
}

/** Takes a ticket out, so that it serves once. */
export async function deleteTicket(tx: Tx, lookup: Uint8Array) {
  const [row] = await tx<{ userId: string; passwordRevision: bigint; expiresAt: Date }[]>`
    delete from recovery_tickets where lookup = ${lookup} returning user_id, password_revision, expires_at`;
  return row;
}

export async function insertInvitation(
  sql: Sql | Tx,
  lookup: Uint8Array,
  createdAt: Date,
  expiresAt: Date,
): Promise<void> {
  await sql`
    insert into invitations (lookup, created_at, expires_at) values (${lookup}, ${createdAt}, ${expiresAt})`;
}

export async function deleteInvitation(tx: Tx, lookup: Uint8Array) {
  const [row] = await tx<{ expiresAt: Date }[]>`
    delete from invitations where lookup = ${lookup} returning expires_at`;
  return row;
}

/** Removes what time has made useless. */
export async function deleteExpiredAccess(sql: Sql | Tx, now: Date): Promise<void> {
  await sql`delete from sessions where expires_at <= ${now}`;
  await sql`delete from recovery_tickets where expires_at <= ${now}`;
  await sql`delete from invitations where expires_at <= ${now}`;
}
