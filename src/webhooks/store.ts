import type { Sql, Tx } from '../database/connect.ts';
import type { PageRequest } from '../http/pages.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export type EventState = 'pending' | 'delivered' | 'failed';

export interface NewEventRow {
  id: string;
  type: string;
  /** JSON. */
  data: string;
  createdAt: Date;
}

/** Writes an event of a connection, if its app has had it in hand and has a webhook. */
export async function insertConnectionEvent(tx: Tx, connectionId: string, event: NewEventRow): Promise<void> {
  await tx`
    insert into events (id, app_id, connection_id, type, data, created_at)
    select ${event.id}::uuid, apps.id, connections.id, ${event.type}, ${event.data}::text::jsonb, ${event.createdAt}::timestamptz
    from connections join apps on apps.id = connections.app_id
    where connections.id = ${connectionId} and generation > 0 and webhook_url is not null and removed_at is null`;
}

/** The same for a key that a provider refuses, under an id made of connection, key, version and verdict: once for each. */
export async function insertKeyEvent(
  sql: Sql | Tx,
  key: { connectionId: string; keyId: string; keyVersion: number; verdict: string },
  event: Omit<NewEventRow, 'id'>,
): Promise<void> {
  await sql`
    insert into events (id, app_id, connection_id, type, data, created_at)
    select overlay(overlay(left(encode(sha256(convert_to(
        concat_ws(' ', connections.id, provider_keys.id, provider_keys.version, ${key.verdict}::text), 'UTF8')), 'hex'), 32)
        placing '4' from 13) placing '8' from 17)::uuid,
      apps.id, connections.id, ${event.type}, ${event.data}::text::jsonb, ${event.createdAt}::timestamptz
    from connections join apps on apps.id = connections.app_id
      join provider_keys on provider_keys.id = ${key.keyId} and provider_keys.version = ${key.keyVersion}
        and provider_keys.user_id = connections.user_id
    where connections.id = ${key.connectionId} and webhook_url is not null and removed_at is null
    on conflict (id) do nothing`;
}

export async function insertAppEvent(sql: Sql | Tx, appId: string, event: NewEventRow): Promise<void> {
  await sql`
    insert into events (id, app_id, type, data, created_at)
    values (${event.id}, ${appId}, ${event.type}, ${event.data}::text::jsonb, ${event.createdAt})`;
}

export interface DueEvent {
  id: string;
  appId: string;
  connectionId: string | null;
  type: string;
  data: Record<string, unknown>;
  createdAt: Date;
  /** Which attempt this lease is for, from 1. */
  attempts: number;
  lastAttempt: number;
  /** Null where the app has no webhook any more. */
  webhookUrl: string | null;
  /** Of the connection, as stored. */
  policy: Bytes | null;
}

/** How many of the events that are due the next one is chosen among. */
const considered = 500;

/**
 * Takes events that are due until `leasedUntil`: nobody else gets them before, and everybody does afterwards, should
 * this instance have died. At most `perApp` of one app, and none of the apps that are `busy`.
 */
export async function leaseDueEvents(
  sql: Sql | Tx,
  lease: { now: Date; leasedUntil: Date; limit: number; perApp: number; busy: readonly string[] },
): Promise<DueEvent[]> {
  return sql<DueEvent[]>`
    with candidates as (
      select id, app_id, due_at, created_at from events
      where state = 'pending' and due_at <= ${lease.now} and leased_until <= ${lease.now}
        and app_id <> all(${[...lease.busy]}::uuid[])
      order by due_at limit ${considered}
    ), ranked as (
      select id, row_number() over (partition by app_id order by due_at, created_at, id) as place from candidates
    ), due as (
      select events.id, case when removed_at is null then webhook_url end as webhook_url, policy
      from events join apps on apps.id = events.app_id left join connections on connections.id = connection_id
      where events.id in (select id from ranked where place <= ${lease.perApp})
        and state = 'pending' and due_at <= ${lease.now} and leased_until <= ${lease.now}
      order by due_at, events.created_at, events.id limit ${lease.limit} for update of events skip locked
    )
    update events set attempts = attempts + 1, leased_until = ${lease.leasedUntil} from due where events.id = due.id
    returning events.id, app_id, connection_id, type, data, created_at, attempts, last_attempt, webhook_url, policy`;
}

export interface AttemptRow {
  eventId: string;
  attempt: number;
  status: number | null;
  failure: string | null;
  startedAt: Date;
  durationMs: number;
}

/**
 * Notes how an attempt ended and what becomes of the event. Where the lease had run out and another instance has the
 * event by now, only a delivery counts.
 */
export async function insertAttempt(
  sql: Sql | Tx,
  row: AttemptRow,
  event: { state: EventState; dueAt: Date },
): Promise<void> {
  await sql`
    with logged as (
      insert into webhook_deliveries (event_id, attempt, status, failure, started_at, duration_ms)
      select id, ${row.attempt}::integer, ${row.status}::integer, ${row.failure}::text, ${row.startedAt}::timestamptz,
        ${row.durationMs}::integer
      from events where id = ${row.eventId} on conflict do nothing
    )
    update events set state = ${event.state}, due_at = ${event.dueAt}, leased_until = '-infinity'
    where id = ${row.eventId} and state = 'pending'
      and (attempts = ${row.attempt} or ${event.state === 'delivered'})`;
}

/** Gives up a lease: whoever looks next may take the event. */
export async function updateLeaseReturned(sql: Sql | Tx, eventId: string, attempt: number): Promise<void> {
  await sql`update events set leased_until = '-infinity' where id = ${eventId} and attempts = ${attempt}`;
}

export interface EventRow {
  id: string;
  connectionId: string | null;
  type: string;
  createdAt: Date;
  state: EventState;
  nextAttemptAt: Date | null;
}

/** The newest first. */
export async function listEvents(sql: Sql | Tx, appId: string, { limit, after }: PageRequest): Promise<EventRow[]> {
  return sql<EventRow[]>`
    select id, connection_id, type, created_at, state,
      case when state = 'pending' then greatest(due_at, leased_until, created_at) end as next_attempt_at
    from events
    where app_id = ${appId}
      and (${after === null} or (created_at, id) < (${after?.at ?? null}::timestamptz, ${after?.id ?? null}::uuid))
    order by created_at desc, id desc limit ${limit + 1}`;
}

export async function listAttempts(sql: Sql | Tx, eventIds: readonly string[]): Promise<AttemptRow[]> {
  return sql<AttemptRow[]>`
    select event_id, attempt, status, failure, started_at, duration_ms from webhook_deliveries
    where event_id = any(${[...eventIds]}::uuid[]) order by event_id, attempt`;
}

/** Makes an event due now, with a whole round of attempts before it. A lease that runs stays. */
export async function updateEventDue(sql: Sql | Tx, appId: string, eventId: string, attempts: number) {
  const rows = await sql`
    update events set state = 'pending', due_at = '-infinity', last_attempt = attempts + ${attempts}
    where id = ${eventId} and app_id = ${appId} returning id`;
  return rows.length === 1;
}

export async function deleteEventsBefore(sql: Sql | Tx, before: Date): Promise<void> {
  await sql`delete from events where created_at < ${before} and state <> 'pending'`;
}

/** A developer's own app that is in use. */
export async function findOwnWebhook(sql: Sql | Tx, userId: string, appId: string) {
  const [row] = await sql<{ webhookUrl: string | null }[]>`
    select webhook_url from apps where id = ${appId} and user_id = ${userId} and removed_at is null`;
  return row;
}

/** The same, locked against edits and other rotations until the transaction ends. */
export async function findOwnWebhookForUpdate(tx: Tx, userId: string, appId: string) {
  const [row] = await tx<{ webhookUrl: string | null }[]>`
    select webhook_url from apps where id = ${appId} and user_id = ${userId} and removed_at is null for update`;
  return row;
}

export interface SecretRow {
  id: string;
  appId: string;
  epoch: number;
  secret: Bytes;
}

export async function insertSecret(
  tx: Tx,
  row: { id: string; appId: string; epoch: number; secret: Uint8Array; createdAt: Date },
): Promise<void> {
  await tx`
    insert into webhook_secrets (id, app_id, epoch, secret, created_at)
    values (${row.id}, ${row.appId}, ${row.epoch}, ${row.secret}, ${row.createdAt})`;
}

/** The newest first. */
export async function listLiveSecrets(sql: Sql | Tx, appId: string, now: Date): Promise<SecretRow[]> {
  return sql<SecretRow[]>`
    select id, app_id, epoch, secret from webhook_secrets
    where app_id = ${appId} and (expires_at is null or expires_at > ${now}) order by expires_at desc nulls first`;
}

/** Before a new secret: the one in force lives on until a moment, one that was replaced before ends now. */
export async function retireSecrets(tx: Tx, appId: string, expiresAt: Date): Promise<void> {
  await tx`delete from webhook_secrets where app_id = ${appId} and expires_at is not null`;
  await tx`update webhook_secrets set expires_at = ${expiresAt} where app_id = ${appId}`;
}

export async function deleteSecrets(tx: Tx, appId: string): Promise<void> {
  await tx`delete from webhook_secrets where app_id = ${appId}`;
}

export async function deleteExpiredSecrets(sql: Sql | Tx, now: Date): Promise<void> {
  await sql`delete from webhook_secrets where expires_at <= ${now}`;
}

/** Secrets that are not sealed under this epoch, a batch at a time. */
export async function listSecretsOfOtherEpochs(sql: Sql | Tx, epoch: number, limit: number): Promise<SecretRow[]> {
  return sql<SecretRow[]>`
    select id, app_id, epoch, secret from webhook_secrets where epoch <> ${epoch} order by id limit ${limit}`;
}

export async function updateSecretSeal(
  sql: Sql | Tx,
  row: { id: string; epoch: number; secret: Uint8Array; oldSecret: Uint8Array },
): Promise<void> {
  await sql`
    update webhook_secrets set secret = ${row.secret}, epoch = ${row.epoch}
    where id = ${row.id} and secret = ${row.oldSecret}`;
}
