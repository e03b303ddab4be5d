-- The journal: who did what, inserted in the transaction of the act and sealed behind it in commit order.
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
