-- The control database: what exists before there is a tenant. Keys, digests and lookups only; no names of people.
create schema if not exists control;

-- One row: which installation this is and which root key opens it (fingerprint, never the key).
create table control.installation (
  id uuid primary key,
  root_key_id text not null,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

-- Servers a tenant may be placed on. The secret part of the URL is wrapped under the root key.
create table control.server (
  name text primary key,
  host text not null,
  port integer not null,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

create table control.tenant (
  id uuid primary key,
  -- what people type at sign-in
  code text not null constraint tenant_code_key unique check (code ~ '^[a-z0-9][a-z0-9-]{1,30}$'),
  -- the processor's name for the customer (a company), for the operator of the service
  name text not null,
  zone text not null,
  state text not null check (state in ('provisioning', 'active', 'suspended')),
  server text not null references control.server,
  -- opaque, since every role of a server sees the names of all its databases and roles
  database text not null constraint tenant_database_key unique,
  owner_role text not null,
  app_role text not null,
  owner_password_wrapped bytea not null,
  app_password_wrapped bytea not null,
  -- number of the newest applied migration of the tenant series
  schema_version integer not null default 0,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

-- Data keys per tenant, wrapped under the root key. Destroying all versions makes every sealed value unreadable.
create table control.tenant_key (
  tenant_id uuid not null references control.tenant,
  version integer not null,
  wrapped bytea not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, version)
);

create table control.credential (
  kind text not null check (kind in ('session', 'api_key', 'invite', 'sftp_user', 'sftp_key', 'erp_token', 'connection')),
  lookup text not null,
  tenant_id uuid not null references control.tenant,
  connection_id uuid,
  created_at timestamptz not null default now(),
  primary key (kind, lookup)
);
create index credential_tenant on control.credential (tenant_id);

-- Keys that sign access tokens; the newest signs, the others still verify until they retire.
create table control.signing_key (
  kid text primary key,
  realm text not null check (realm in ('tenant', 'staff')),
  public_pem text not null,
  private_wrapped bytea not null,
  retired_at timestamptz,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

-- Host key of the SFTP server: made once, at installation, and never again by itself.
create table control.sftp_host_key (
  algorithm text primary key,
  public_line text not null,
  private_wrapped bytea not null,
  created_at timestamptz not null default now()
);

-- Tenants with work waiting. Marked before the tenant's commit; a mark is cleared only when it is older than the longest
-- transaction and a look found nothing, so a look that came too early loses nothing.
create table control.tenant_due (
  tenant_id uuid not null references control.tenant,
  kind text not null check (kind in ('import', 'export', 'seal')),
  generation bigint not null default 1,
  marked_at timestamptz not null,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (tenant_id, kind)
);
create index tenant_due_age on control.tenant_due (marked_at);
