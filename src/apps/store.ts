import type { Sql, Tx } from '../database/connect.ts';
import type { PageRequest } from '../http/pages.ts';

export interface AppRow {
  id: string;
  userId: string;
  name: string;
  clientId: string;
  allowedOrigins: string[];
  redirectUris: string[];
  webhookUrl: string | null;
  createdAt: Date;
}

export async function insertApp(tx: Tx, app: AppRow): Promise<void> {
  await tx`
    insert into apps (id, user_id, name, client_id, allowed_origins, redirect_uris, webhook_url, created_at)
    values (${app.id}, ${app.userId}, ${app.name}, ${app.clientId}, ${app.allowedOrigins}::text[],
      ${app.redirectUris}::text[], ${app.webhookUrl}, ${app.createdAt})`;
}

export async function insertAppSecret(
  tx: Tx,
  secret: { id: string; appId: string; lookup: Uint8Array; createdAt: Date },
): Promise<void> {
  await tx`
    insert into app_secrets (id, app_id, lookup, created_at)
    values (${secret.id}, ${secret.appId}, ${secret.lookup}, ${secret.createdAt})`;
}

export async function listApps(sql: Sql | Tx, userId: string, { limit, after }: PageRequest): Promise<AppRow[]> {
  return sql<AppRow[]>`
    select id, user_id, name, client_id, allowed_origins, redirect_uris, webhook_url, created_at from apps
    where user_id = ${userId} and removed_at is null
      and (${after === null} or (created_at, id) > (${after?.at ?? null}::timestamptz, ${after?.id ?? null}::uuid))
    order by created_at, id limit ${limit + 1}`;
}

export async function findApp(sql: Sql | Tx, id: string): Promise<AppRow | undefined> {
  const [row] = await sql<AppRow[]>`
    select id, user_id, name, client_id, allowed_origins, redirect_uris, webhook_url, created_at
    from apps where id = ${id} and removed_at is null`;
  return row;
}

export async function updateApp(sql: Sql | Tx, app: AppRow): Promise<void> {
  await sql`
    update apps set name = ${app.name}, allowed_origins = ${app.allowedOrigins}::text[],
      redirect_uris = ${app.redirectUris}::text[], webhook_url = ${app.webhookUrl}
    where id = ${app.id}`;
}

/** The same, locked against removal and edits until the transaction ends. */
export async function findAppForUpdate(tx: Tx, id: string): Promise<AppRow | undefined> {
  const [row] = await tx<AppRow[]>`
    select id, user_id, name, client_id, allowed_origins, redirect_uris, webhook_url, created_at
    from apps where id = ${id} and removed_at is null for update`;
  return row;
}

/** Takes the app out of use, and its secrets out of existence. */
export async function updateAppRemoved(tx: Tx, id: string, now: Date): Promise<void> {
  await tx`update apps set removed_at = ${now} where id = ${id}`;
  await tx`delete from app_secrets where app_id = ${id}`;
}

/** Lets the secrets in force live until a moment; one that ends sooner keeps its end. */
export async function updateSecretExpiry(tx: Tx, appId: string, expiresAt: Date): Promise<void> {
  await tx`
    update app_secrets set expires_at = least(expires_at, ${expiresAt}::timestamptz) where app_id = ${appId}`;
}

/** The app whose client id and live secret these are. */
export async function findAppBySecret(
  sql: Sql | Tx,
  clientId: string,
  lookup: Uint8Array,
  now: Date,
): Promise<AppRow | undefined> {
  const [row] = await sql<AppRow[]>`
    select apps.id, user_id, name, client_id, allowed_origins, redirect_uris, webhook_url, apps.created_at
    from apps join app_secrets on app_secrets.app_id = apps.id
    where client_id = ${clientId} and lookup = ${lookup} and (expires_at is null or expires_at > ${now})`;
  return row;
}
