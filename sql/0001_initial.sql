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
  last_used_at timestamptz
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

create table budgets (
  connection_id uuid not null references connections on delete cascade,
  window_start date not null,
  spent bigint not null default 0 check (spent >= 0),
  held bigint not null default 0 check (held >= 0),
  primary key (connection_id, window_start)
);

create table instances (
  id uuid primary key,
  started_at timestamptz not null,
  heartbeat_at timestamptz not null
);

-- One row per call between its dispatch and its settlement.
create table holds (
  call_id uuid primary key,
  connection_id uuid not null,
  window_start date not null,
  amount bigint not null check (amount >= 0),
  instance_id uuid not null,
  provider text not null,
  model text,
  endpoint text not null,
  key_id uuid not null,
  created_at timestamptz not null,
  foreign key (connection_id, window_start) references budgets on delete cascade
);
create index holds_connection on holds (connection_id);
create index holds_instance on holds (instance_id);

-- Append-only: what each call cost and why.
create table receipts (
  call_id uuid primary key,
  connection_id uuid not null references connections on delete cascade,
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
  usage jsonb,
  lines jsonb not null,
  price jsonb,
  cost bigint not null check (cost >= 0),
  started_at timestamptz not null,
  ttfb_ms integer,
  duration_ms integer not null
);
create index receipts_connection on receipts (connection_id, started_at desc, call_id);

create table idempotency_keys (
  caller bytea not null,
  key_hash bytea not null,
  body_hash bytea not null,
  state text not null check (state in ('running', 'done')),
  result_id uuid,
  created_at timestamptz not null,
  primary key (caller, key_hash)
);
