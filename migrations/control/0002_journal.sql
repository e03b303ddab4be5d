-- Control's own journal, by the rules of a tenant's: what was done to tenants and keys, inserted in the transaction of the act and
-- sealed behind it in commit order.
create schema journal;

create table journal.entry (
  seq bigint generated always as identity primary key,
  id uuid not null constraint journal_entry_id_key unique,
  -- a restore or move starts a new epoch, since transaction numbers begin anew there
  epoch integer not null,
  -- decides the order of sealing: identity numbers are given before the commit, so they are not commit order
  xid xid8 not null default pg_current_xact_id(),
  at timestamptz not null,
  actor_kind text not null,
  actor_id text not null,
  act text not null,
  subject text not null,
  subject_id text not null,
  request_id text not null,
  data jsonb not null,
  created_at timestamptz not null default now()
);
create index journal_entry_order on journal.entry (epoch, xid, seq);
create index journal_entry_subject on journal.entry (subject, subject_id, seq);

-- Each seal covers the entries of its epoch with from_xid <= xid < to_xid and carries the hash of the seal before it.
create table journal.seal (
  number bigint primary key,
  epoch integer not null,
  from_xid xid8 not null,
  to_xid xid8 not null,
  entries bigint not null,
  previous bytea not null,
  hash bytea not null,
  at timestamptz not null,
  created_at timestamptz not null default now()
);

create table journal.epoch (
  number integer primary key,
  reason text not null,
  started_at timestamptz not null default now(),
  created_at timestamptz not null default now()
);
insert into journal.epoch (number, reason) values (1, 'installation');

create function journal.refuse_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  raise exception 'the journal is insert-only' using errcode = '42501';
end
$$;
create trigger entry_insert_only before update or delete on journal.entry for each row execute function journal.refuse_change();
create trigger entry_no_truncate before truncate on journal.entry for each statement execute function journal.refuse_change();
create trigger seal_insert_only before update or delete on journal.seal for each row execute function journal.refuse_change();
create trigger seal_no_truncate before truncate on journal.seal for each statement execute function journal.refuse_change();

-- Control has one role, which owns its tables and serves: it takes the rights from itself. It could give them back, so this guards
-- against a mistake; against somebody who holds the role stand the seals.
revoke update, delete, truncate on all tables in schema journal from current_user;
revoke insert on journal.epoch from current_user;

-- The newest seal that each tenant's journal was seen with, kept outside the tenant's database: who writes a journal anew there, or
-- takes its newest seals away, does not reach this.
create table control.journal_checkpoint (
  tenant_id uuid primary key references control.tenant,
  number bigint not null,
  -- SHA-256 of that seal, in hex
  hash text not null check (hash ~ '^[0-9a-f]{64}$'),
  at timestamptz not null,
  created_at timestamptz not null default now()
);
