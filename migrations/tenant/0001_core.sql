-- What core keeps in each tenant's database: leases of tenant work, idempotency of requests, settings of the tenant.
create schema if not exists core;

-- A worker holds a lease while it works; `fence` rises with each new holder and is checked in every commit of the work.
create table core.lease (
  name text primary key,
  holder uuid not null,
  fence bigint not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

-- One row per Idempotency-Key and principal, written in the transaction of the act.
create table core.idempotency (
  principal text not null,
  key text not null,
  -- SHA-256 of method, address and body
  fingerprint bytea not null,
  status integer,
  -- ids from which the answer is rendered again
  result jsonb,
  created_at timestamptz not null default now(),
  primary key (principal, key)
);
create index idempotency_age on core.idempotency (created_at);
