-- The exchange with the ERP: connections, what came in, what must go out. Everything that came from an ERP row before it was
-- accepted, and every sealed batch, is stored encrypted under the tenant's key (column names end in _sealed).
create schema exchange;

create table exchange.connection (
  id uuid primary key,
  name text not null constraint connection_name_key unique,
  adapter text not null,
  adapter_version text not null,
  config jsonb not null,
  -- secret settings as one sealed JSON object
  secrets_sealed bytea,
  config_version integer not null,
  time_zone text not null,
  locale text not null,
  state text not null check (state in ('draft', 'active', 'paused')),
  -- why the host paused it: the code and sentence of the error; null when a person did
  paused_code text,
  paused_reason text,
  -- version of the row for If-Match
  version integer not null default 1,
  last_in_at timestamptz,
  last_out_at timestamptz,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

-- Mapping and code tables, versioned: a replay uses today's, the history says which one a delivery met.
create table exchange.mapping (
  connection_id uuid not null references exchange.connection,
  version integer not null,
  mapping jsonb not null,
  code_tables jsonb not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  primary key (connection_id, version)
);

-- Each record kind in has one owning connection; each kind out that no order routes goes to its owner.
create table exchange.kind_owner (
  direction text not null check (direction in ('in', 'out')),
  kind text not null,
  connection_id uuid not null references exchange.connection,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (direction, kind)
);

-- How a connection's ERP proves who it is. The control database holds lookup -> tenant and connection.
create table exchange.access (
  id uuid primary key,
  connection_id uuid not null references exchange.connection,
  kind text not null check (kind in ('sftp_key', 'sftp_password', 'token')),
  label text not null,
  -- SFTP user name, or the token's lookup part
  lookup text not null,
  -- SHA-256 of the token's secret; the PHC string of a password; the OpenSSH public key line without comment
  digest bytea,
  password_phc text,
  public_key text,
  revoked_at timestamptz,
  last_used_at timestamptz,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
create index access_connection on exchange.access (connection_id);
create index access_lookup on exchange.access (kind, lookup);

create table exchange.delivery (
  id uuid primary key,
  seq bigint generated always as identity constraint delivery_seq_key unique,
  connection_id uuid not null references exchange.connection,
  way text not null check (way in ('sftp', 'http', 'pull', 'replay')),
  -- file name, route, or kind of a pull
  name text not null,
  size bigint not null default 0,
  sha256 text,
  blob_id uuid,
  state text not null check (state in
    ('arriving', 'incomplete', 'stored', 'processing', 'done', 'done_with_rejects', 'rejected', 'parked', 'duplicate', 'held')),
  -- items already committed; a crash resumes behind them
  position bigint not null default 0,
  -- records of the chunk behind `position` that are committed already, where a chunk had to be halved
  chunk_done integer not null default 0,
  read_count bigint not null default 0,
  new_count bigint not null default 0,
  changed_count bigint not null default 0,
  unchanged_count bigint not null default 0,
  stale_count bigint not null default 0,
  closed_count bigint not null default 0,
  rejected_count bigint not null default 0,
  held_count bigint not null default 0,
  -- earlier rows of the same key within the delivery
  duplicate_count bigint not null default 0,
  ack_count bigint not null default 0,
  -- what a snapshot would close and a person has to confirm: [{kind, scope, count, of}]
  pending_close jsonb,
  -- columns of the ERP that no mapping names: name -> times seen
  unknown_columns jsonb,
  mapping_version integer,
  -- for a replay: the delivery it repeats, and whether only its rejects
  replay_of uuid references exchange.delivery,
  replay_rejects_only boolean not null default false,
  reason_code text,
  reason text,
  attempts integer not null default 0,
  next_attempt_at timestamptz,
  -- the name as the ERP still sees it in its inbox; null once archived
  inbox_name text,
  removed_at timestamptz,
  -- the sender closed the file cleanly; counts the quiet seconds
  closed_at timestamptz,
  -- time of the file as the sender set it; a client that synchronises compares it
  modified_at timestamptz,
  received_at timestamptz not null,
  stored_at timestamptz,
  finished_at timestamptz,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
create index delivery_work on exchange.delivery (connection_id, seq) where state in ('stored', 'processing');
create index delivery_latest on exchange.delivery (connection_id, name, seq desc);
create index delivery_inbox on exchange.delivery (connection_id, inbox_name) where inbox_name is not null;
create index delivery_arriving on exchange.delivery (connection_id) where state in ('arriving', 'incomplete');
create index delivery_blob on exchange.delivery (blob_id) where blob_id is not null;

-- What we last took over of each record of a connection: decides new, changed, unchanged, stale.
create table exchange.record_state (
  connection_id uuid not null references exchange.connection,
  kind text not null,
  -- the ERP's key; of an employee its blind index, with the key itself sealed beside it
  key text not null,
  key_sealed bytea,
  -- part of the kind that a partial snapshot named, such as a warehouse
  scope text,
  -- the ERP's revision, if it gives one: a number or an instant, else null
  revision_seq bigint,
  revision_at timestamptz,
  -- HMAC of the canonical record under the tenant's key
  hash bytea not null,
  -- field -> shortened HMAC, so that a dry run can name what differs without keeping what it was
  fields jsonb not null default '{}',
  -- the delivery that brought it; without revisions the later arrival wins
  delivery_seq bigint not null,
  -- the delivery that last saw it, for snapshots
  seen_seq bigint not null,
  present boolean not null default true,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (connection_id, kind, key)
) with (fillfactor = 80);

create table exchange.pull_state (
  connection_id uuid not null references exchange.connection,
  kind text not null,
  checkpoint jsonb,
  adapter_version text,
  -- seconds between two pulls; null: not pulled
  every_seconds integer check (every_seconds >= 10),
  next_at timestamptz,
  last_started_at timestamptz,
  last_finished_at timestamptz,
  attempts integer not null default 0,
  reason text,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (connection_id, kind)
);

-- The error bin: one row per record that did not get through, in either direction.
create table exchange.reject (
  id uuid primary key,
  seq bigint generated always as identity constraint reject_seq_key unique,
  connection_id uuid not null references exchange.connection,
  direction text not null check (direction in ('in', 'out')),
  delivery_id uuid references exchange.delivery,
  -- ordinal of the item in its delivery, so that a repeated chunk finds its own row again
  item bigint,
  outbox_seq bigint,
  kind text not null,
  -- for display; empty for people
  record_key text,
  line integer,
  pointer text,
  code text not null,
  message text not null,
  field text,
  -- value of the field and the whole row, sealed: {"value": …} and the row as JSON
  value_sealed bytea,
  row_sealed bytea,
  -- HMAC of kind and key, or of the row where no key could be read: a later success resolves this one by it, and the same bad
  -- record of the next delivery takes its place
  subject_mac bytea,
  -- no key could be read: a snapshot that holds such a row closes nothing, since it may name any record
  keyless boolean not null default false,
  -- what a person put in its place; the original is kept
  edited_sealed bytea,
  -- a missing translation: table and value, so that one new entry clears all of them
  code_table text,
  -- same code, field and value: one cause
  cause bytea not null,
  state text not null default 'open' check (state in ('open', 'replaying', 'resolved', 'skipped')),
  attempts integer not null default 1,
  resolution text,
  resolved_by text,
  resolved_at timestamptz,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  constraint reject_item_key unique (delivery_id, item)
);
create index reject_open on exchange.reject (connection_id, seq) where state = 'open';
create index reject_cause on exchange.reject (cause) where state = 'open';
create index reject_subject on exchange.reject (connection_id, subject_mac) where state = 'open';
create index reject_replaying on exchange.reject (connection_id, seq) where state = 'replaying';

-- Next sequence per ordering key. The row lock, held until commit, makes commit order and sequence the same.
create table exchange.ordering (
  connection_id uuid not null,
  ordering_key text not null,
  last_seq bigint not null,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (connection_id, ordering_key)
);

create table exchange.batch (
  id uuid primary key,
  seq bigint generated always as identity constraint batch_seq_key unique,
  connection_id uuid not null references exchange.connection,
  ordering_key text not null,
  key text not null constraint batch_key_key unique,
  -- the items exactly as first sent; repeated byte for byte
  items_sealed bytea not null,
  state text not null check (state in ('open', 'closed')),
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
-- at most one open batch per connection and ordering key
create unique index batch_open on exchange.batch (connection_id, ordering_key) where state = 'open';

create table exchange.outbox (
  seq bigint generated always as identity primary key,
  key text not null constraint outbox_key_key unique,
  -- null: no connection takes this kind yet; kept, shown, and routed when one does
  connection_id uuid references exchange.connection,
  kind text not null,
  -- the export record; an employee is named by our id and becomes a number only when the batch is sealed
  record jsonb not null,
  ordering_key text not null,
  ordering_seq bigint not null,
  reverses text,
  state text not null check (state in
    ('waiting', 'held', 'sealed', 'sending', 'accepted', 'delivered', 'rejected', 'unknown', 'parked', 'dropped')),
  batch_id uuid references exchange.batch,
  attempts integer not null default 0,
  lookups integer not null default 0,
  -- instants at which a lookup did not find it
  not_found_at timestamptz[] not null default '{}',
  previous text not null default 'none' check (previous in ('none', 'not-sent', 'unknown')),
  next_attempt_at timestamptz,
  confirm_by timestamptz,
  document text,
  document_line text,
  reject_code text,
  reject_message text,
  alarm text,
  sent_at timestamptz,
  settled_at timestamptz,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  constraint outbox_order_key unique (connection_id, ordering_key, ordering_seq)
);
create index outbox_open on exchange.outbox (connection_id, ordering_key, ordering_seq)
  where state not in ('accepted', 'delivered', 'dropped');
create index outbox_confirm on exchange.outbox (confirm_by) where state = 'delivered';
create index outbox_batch on exchange.outbox (batch_id) where batch_id is not null;

-- Every change of state of an outbox row, with what the ERP said: the proof of "once".
create table exchange.outbox_event (
  seq bigint generated always as identity primary key,
  outbox_seq bigint not null references exchange.outbox,
  at timestamptz not null,
  event text not null,
  state text not null,
  detail text,
  actor text not null,
  created_at timestamptz not null default now()
);
create index outbox_event_row on exchange.outbox_event (outbox_seq, seq);

-- What adapters wrote for the ERP to fetch: files over SFTP, documents over the web service.
create table exchange.outbox_file (
  seq bigint generated always as identity primary key,
  connection_id uuid not null references exchange.connection,
  name text not null,
  body_sealed bytea not null,
  size bigint not null,
  sha256 text not null,
  fetched_at timestamptz,
  removed_at timestamptz,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  constraint outbox_file_name_key unique (connection_id, name)
);

-- The adapter's own small memory (tokens, cursors of exports); compare and set.
create table exchange.adapter_state (
  connection_id uuid primary key references exchange.connection,
  state_sealed bytea not null,
  version bigint not null,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
