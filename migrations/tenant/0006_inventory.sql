-- Articles, places, stock per article, location and lot, the ledger of what moved it, and pick lists.
create schema inventory;

create table inventory.article (
  id uuid primary key,
  seq bigint generated always as identity constraint article_seq_key unique,
  number text not null constraint article_number_key unique,
  -- false: only its number was seen so far, on a work order or in a stock list
  known boolean not null default true,
  description text not null,
  -- the one unit its stock is counted in; the mapping of a connection converts
  unit text not null,
  barcode text,
  blocked boolean not null default false,
  -- null: as the setting of the work orders says
  backflush text check (backflush in ('none', 'on_report', 'on_completion')),
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
create index article_barcode on inventory.article (barcode) where barcode is not null;

create table inventory.warehouse (
  code text primary key,
  created_at timestamptz not null default now()
);

create table inventory.location (
  id uuid primary key,
  seq bigint generated always as identity constraint location_seq_key unique,
  code text not null constraint location_code_key unique,
  warehouse_code text not null references inventory.warehouse,
  description text,
  blocked boolean not null default false,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
-- Where stock is booked when neither the person nor the ERP said a place and none is known.
insert into inventory.warehouse (code) values ('-');
insert into inventory.location (id, code, warehouse_code, description)
  values ('00000000-0000-7000-8000-000000000001', '-', '-', 'place not stated');

-- level = snapshot of the ERP + our transactions that the snapshot does not contain yet (inventory.pending)
create table inventory.level (
  article_id uuid not null references inventory.article,
  location_id uuid not null references inventory.location,
  -- empty: no lot
  lot text not null default '',
  quantity numeric(18,6) not null default 0,
  snapshot_quantity numeric(18,6) not null default 0,
  snapshot_as_of timestamptz,
  -- connection and key of the ERP's stock record, by which a missing one is found
  snapshot_connection uuid,
  snapshot_key text,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (article_id, location_id, lot)
);
create index level_location on inventory.level (location_id);
create index level_snapshot on inventory.level (snapshot_connection, snapshot_key) where snapshot_key is not null;

-- Everything that changed a level, append-only: the sum of a key's rows is its level.
create table inventory.ledger (
  id uuid primary key,
  seq bigint generated always as identity constraint ledger_seq_key unique,
  kind text not null check (kind in ('issue', 'return', 'receipt', 'transfer_out', 'transfer_in', 'adjustment', 'count', 'reversal', 'snapshot')),
  article_id uuid not null references inventory.article,
  location_id uuid not null references inventory.location,
  lot text not null default '',
  -- signed, in the article's stock unit
  quantity numeric(18,6) not null,
  unit text not null,
  order_number text,
  operation_number text,
  -- material line of the order
  line text,
  pick_line_id uuid,
  -- rows of one act
  act_id uuid not null,
  reverses uuid constraint ledger_reversed_key unique references inventory.ledger,
  reason text,
  outbox_key text,
  moved_by text not null,
  at timestamptz not null,
  created_at timestamptz not null default now()
);
create index ledger_level on inventory.ledger (article_id, location_id, lot, seq);
create index ledger_order on inventory.ledger (order_number, seq) where order_number is not null;
create index ledger_message on inventory.ledger (outbox_key) where outbox_key is not null;
create index ledger_act on inventory.ledger (act_id);
create index ledger_pick on inventory.ledger (pick_line_id) where pick_line_id is not null;

-- Ledger rows that no snapshot of the ERP is known to contain; a row goes when one does.
create table inventory.pending (
  ledger_id uuid primary key references inventory.ledger,
  article_id uuid not null,
  location_id uuid not null,
  lot text not null,
  quantity numeric(18,6) not null,
  outbox_key text,
  at timestamptz not null,
  created_at timestamptz not null default now()
);
create index pending_level on inventory.pending (article_id, location_id, lot);

create table inventory.pick_list (
  id uuid primary key,
  seq bigint generated always as identity constraint pick_list_seq_key unique,
  number text not null constraint pick_list_number_key unique,
  connection_id uuid,
  order_number text not null,
  status text not null check (status in ('open', 'picking', 'picked', 'short', 'closed')),
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
create index pick_list_order on inventory.pick_list (order_number);
create index pick_list_open on inventory.pick_list (seq) where status in ('open', 'picking');

create table inventory.pick_line (
  id uuid primary key,
  list_id uuid not null references inventory.pick_list,
  line text not null,
  article text not null,
  requested numeric(18,6) not null check (requested >= 0),
  unit text not null,
  -- the place the ERP names
  location text,
  picked numeric(18,6) not null default 0 check (picked >= 0),
  -- why less was picked than requested
  short_reason text,
  -- false: the ERP took the line away
  present boolean not null default true,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  constraint pick_line_key unique (list_id, line)
);

create table inventory.setting (
  singleton boolean primary key default true check (singleton),
  version integer not null default 1,
  negative_stock text not null default 'warn' check (negative_stock in ('block', 'warn')),
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
insert into inventory.setting (singleton) values (true);
