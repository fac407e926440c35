-- Times are UTC. Money is integer pico-dollars (10^-12 USD). Sealed blobs are bytea in the envelope of the crypto kernel;
-- `epoch` names the pepper epoch of the outer seals in that row. Lookups are HKDF outputs of 256-bit tokens.

create table pepper_epochs (
  epoch integer primary key check (epoch > 0),
  check_value bytea not null check (octet_length(check_value) = 32),
  created_at timestamptz not null
);

create table invitations (
  lookup bytea primary key,
  created_at timestamptz not null,
  expires_at timestamptz not null
);

create table users (
  id uuid primary key,
  email text not null unique,
  kdf_id integer not null,
  salt bytea not null check (octet_length(salt) = 16),
  password_revision bigint not null default 1,
  epoch integer not null references pepper_epochs,
  verifier_password bytea not null,
  uvk_password bytea not null,
  recovery_id uuid not null,
  verifier_recovery bytea not null,
  uvk_recovery bytea not null,
  created_at timestamptz not null
);

create table vaults (
  user_id uuid primary key references users on delete cascade,
  revision bigint not null check (revision > 0),
  manifest bytea not null
);

create table sessions (
  id uuid primary key,
  lookup bytea not null unique,
  user_id uuid not null references users on delete cascade,
  transport text not null check (transport in ('bearer', 'cookie')),
  device text,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index sessions_user on sessions (user_id);

create table recovery_tickets (
  lookup bytea primary key,
  user_id uuid not null references users on delete cascade,
  password_revision bigint not null,
  expires_at timestamptz not null
);

create table provider_keys (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  provider text not null,
  origin text not null,
  version bigint not null check (version > 0),
  is_default boolean not null,
  item bytea not null,
  dek_vault bytea not null,
  created_at timestamptz not null,
  last_used_at timestamptz,
  -- Since when the provider refuses this version of the key, and how; null as long as it takes it.
  refused_at timestamptz,
  refused_status integer,
  refused_verdict text check (refused_verdict in ('rejected', 'restricted')),
  check ((refused_at is null) = (refused_status is null) and (refused_at is null) = (refused_verdict is null))
);
create unique index provider_keys_default on provider_keys (user_id, provider) where is_default;
create index provider_keys_user on provider_keys (user_id, provider);

create table apps (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  name text not null,
  client_id text not null unique,
  allowed_origins text[] not null,
  redirect_uris text[] not null,
  webhook_url text,
  created_at timestamptz not null,
  -- A removed app stays known by name: its owners' receipts outlive it.
  removed_at timestamptz
);
create index apps_user on apps (user_id, created_at, id);

create table app_secrets (
  id uuid primary key,
  app_id uuid not null references apps on delete cascade,
  lookup bytea not null unique,
  created_at timestamptz not null,
  expires_at timestamptz
);
create index app_secrets_app on app_secrets (app_id);

-- A connection is one approval of one owner. `policy` holds the very bytes that the grants are sealed under.
create table connections (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  app_id uuid references apps,
  kind text not null check (kind in ('app', 'personal', 'site')),
  origin text,
  status text not null check (status in ('pending', 'active', 'paused', 'revoked')),
  revision bigint not null check (revision > 0),
  generation bigint not null check (generation >= 0),
  -- Counts edits of the connection's grants that leave its policy as it is, so that each edit changes this row.
  grants_revision bigint not null default 0,
  policy bytea not null,
  policy_hash bytea not null check (octet_length(policy_hash) = 32),
  cap_cents bigint check (cap_cents >= 0),
  ck_vault bytea,
  token_lookup bytea unique,
  ck_token bytea,
  token_vault bytea,
  epoch integer references pepper_epochs,
  created_at timestamptz not null,
  revoked_at timestamptz,
  -- Revocation shreds every wrap of the connection's key.
  check (status <> 'revoked' or (ck_vault is null and ck_token is null and token_lookup is null and token_vault is null)),
  check ((ck_token is null) = (token_lookup is null))
);
create index connections_user on connections (user_id, created_at, id);
create index connections_app on connections (app_id);

create table grants (
  connection_id uuid not null references connections on delete cascade,
  provider text not null,
  key_id uuid not null references provider_keys on delete cascade,
  version bigint not null,
  sealed_dek bytea not null,
  primary key (connection_id, provider)
);
create index grants_key on grants (key_id);

create table link_sessions (
  id uuid primary key,
  app_id uuid not null references apps on delete cascade,
  lookup bytea not null unique,
  status text not null check (status in ('pending', 'approved', 'exchanged', 'denied')),
  requested_providers text[] not null,
  requested_scopes text[],
  budget_suggestion_cents bigint,
  models text[],
  client_user_id_hash bytea,
  origin text,
  redirect_uri text,
  update_of uuid references connections on delete cascade,
  connection_id uuid references connections on delete cascade,
  public_lookup bytea unique,
  ck_public bytea,
  exchange_reply bytea,
  epoch integer references pepper_epochs,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  approved_at timestamptz,
  exchanged_at timestamptz
);
create index link_sessions_app on link_sessions (app_id);
create index link_sessions_connection on link_sessions (connection_id);
create index link_sessions_update on link_sessions (update_of);
create index link_sessions_age on link_sessions (created_at);

create table budgets (
  connection_id uuid not null references connections on delete cascade,
  window_start date not null,
  spent bigint not null default 0 check (spent >= 0),
  held bigint not null default 0 check (held >= 0),
  -- The policy's budget at the last hold, and how many per cent of the budget in force the app was told are spent.
  budget bigint not null default 0,
  told smallint not null default 0,
  primary key (connection_id, window_start)
);

-- Limits per minute of the connections that have some, as token buckets: a bucket is full again at the time it names.
create table rates (
  connection_id uuid primary key references connections on delete cascade,
  requests_full_at timestamptz not null default '-infinity',
  tokens_full_at timestamptz not null default '-infinity',
  tokens_per_minute bigint,
  running integer not null default 0
);

create table instances (
  id uuid primary key,
  started_at timestamptz not null,
  heartbeat_at timestamptz not null
);

-- One row per call between its dispatch and its settlement. The statement that makes it holds a lock on its connection and
-- its budget, so no foreign key has to ask for them again, once for each row.
create table holds (
  call_id uuid primary key,
  connection_id uuid not null,
  window_start date not null,
  amount bigint not null check (amount >= 0),
  instance_id uuid not null,
  -- Counted against the connection's limits; null where it has none.
  tokens bigint,
  provider text not null,
  model text,
  endpoint text not null,
  key_id uuid not null,
  created_at timestamptz not null
);

-- Append-only: what each call cost and why. Made from a hold, so its connection is known to have been there.
create table receipts (
  call_id uuid primary key,
  connection_id uuid not null,
  window_start date not null,
  provider text not null,
  model text,
  served_model text,
  service_tier text,
  endpoint text not null,
  key_id uuid not null,
  status integer,
  quality text not null check (quality in ('measured', 'estimated', 'unknown')),
  flags text[] not null,
  -- Kept as they came: nobody looks for something inside.
  usage json,
  lines json not null,
  price json,
  cost bigint not null check (cost >= 0),
  started_at timestamptz not null,
  ttfb_ms integer,
  duration_ms integer not null
);
-- Lists and totals of an owner are merged from their connections'. With what totals add up inside, they need no row of the
-- table; names of models have at most 200 characters, so that an entry always fits.
create index receipts_connection on receipts (connection_id, started_at, call_id)
  include (cost, quality, provider, model);

create table idempotency_keys (
  caller bytea not null,
  key_hash bytea not null,
  body_hash bytea not null,
  state text not null check (state in ('running', 'done')),
  result_id uuid,
  created_at timestamptz not null,
  primary key (caller, key_hash)
);
create index idempotency_keys_age on idempotency_keys (created_at);

-- The outbox: what apps with a webhook are told, written with the change that it tells of. The first six columns alone are
-- a complete event. The instance that delivers leases it: no other takes it before the lease has run out.
create table events (
  id uuid primary key,
  app_id uuid not null references apps on delete cascade,
  connection_id uuid,
  type text not null,
  data jsonb not null,
  created_at timestamptz(3) not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
  attempts integer not null default 0,
  last_attempt integer not null default 15,
  due_at timestamptz not null default '-infinity',
  leased_until timestamptz not null default '-infinity'
);
create index events_due on events (due_at) where state = 'pending';
create index events_app on events (app_id, created_at desc, id);
create index events_age on events (created_at);

create table webhook_secrets (
  id uuid primary key,
  app_id uuid not null references apps on delete cascade,
  epoch integer not null references pepper_epochs,
  secret bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz
);
create index webhook_secrets_app on webhook_secrets (app_id);

-- One row per attempt to deliver an event: the status of its answer, or why there was none. Never the answer.
create table webhook_deliveries (
  event_id uuid not null references events on delete cascade,
  attempt integer not null,
  status integer,
  failure text,
  started_at timestamptz not null,
  duration_ms integer not null,
  primary key (event_id, attempt)
);
