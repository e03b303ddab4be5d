-- Work orders, their operations (jobs on the floor), material lines and what was reported on them.
create schema workorders;

create table workorders.work_order (
  id uuid primary key,
  seq bigint generated always as identity constraint work_order_seq_key unique,
  number text not null constraint work_order_number_key unique,
  -- the connection it came from and its feedback goes to
  connection_id uuid,
  article text,
  description text,
  department_code text not null,
  quantity numeric(18,6) not null check (quantity >= 0),
  unit text not null,
  due date,
  -- higher is more urgent
  priority integer not null default 0,
  -- the ERP's own word for the state, kept apart from ours
  erp_status text,
  status text not null check (status in ('planned', 'released', 'started', 'paused', 'completed', 'closed', 'cancelled')),
  -- rises with every change the floor can see; a held change names the one it was compared with
  version integer not null default 1,
  started_at timestamptz,
  finished_at timestamptz,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
create index work_order_list on workorders.work_order ((-priority), (coalesce(due, 'infinity'::date)), seq);
create index work_order_open on workorders.work_order ((-priority), (coalesce(due, 'infinity'::date)), seq)
  where status in ('planned', 'released', 'started', 'paused');

create table workorders.job (
  id uuid primary key,
  seq bigint generated always as identity constraint job_seq_key unique,
  order_id uuid not null references workorders.work_order,
  -- the ERP's operation number, with its leading zeros
  number text not null,
  sequence integer not null,
  department_code text not null,
  work_centre text,
  description text not null,
  -- standard times: setup once, run for the whole planned quantity
  setup_seconds integer check (setup_seconds >= 0),
  run_seconds integer check (run_seconds >= 0),
  status text not null check (status in ('planned', 'released', 'started', 'paused', 'completed', 'closed', 'cancelled')),
  planned_quantity numeric(18,6) not null check (planned_quantity >= 0),
  -- sums of the reports, reversals included
  good numeric(18,6) not null default 0 check (good >= 0),
  scrap numeric(18,6) not null default 0 check (scrap >= 0),
  rework numeric(18,6) not null default 0 check (rework >= 0),
  -- copied from the order, so that the list of the floor is one walk along one index
  priority integer not null default 0,
  due date,
  version integer not null default 1,
  started_at timestamptz,
  finished_at timestamptz,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  constraint job_number_key unique (order_id, number)
);
create index job_floor on workorders.job ((-priority), (coalesce(due, 'infinity'::date)), seq)
  where status in ('released', 'started', 'paused');
create index job_running on workorders.job (id) where status = 'started';

create table workorders.material (
  order_id uuid not null references workorders.work_order,
  line text not null,
  -- number of the operation that uses it; null: the order as a whole
  operation_number text,
  -- the article may reach us after the order: its number is kept as it is
  article text not null,
  quantity numeric(18,6) not null check (quantity >= 0),
  unit text not null,
  location text,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (order_id, line)
);

create table workorders.scrap_reason (
  code text primary key,
  name text not null,
  active boolean not null default true,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

-- What was reported, append-only: a correction is a reversal plus a new row, linked.
create table workorders.report (
  id uuid primary key,
  seq bigint generated always as identity constraint report_seq_key unique,
  job_id uuid not null references workorders.job,
  kind text not null check (kind in ('report', 'reversal', 'replacement', 'reopening')),
  good numeric(18,6) not null,
  scrap numeric(18,6) not null,
  rework numeric(18,6) not null,
  scrap_reason text references workorders.scrap_reason,
  -- what happens to the pieces that are missing at completion
  shortfall text not null default 'none' check (shortfall in ('none', 'not_yet', 'lost')),
  -- the row this one takes back; a row is taken back once
  reverses uuid constraint report_reversed_key unique references workorders.report,
  -- the reversed row this one stands for
  replaces uuid constraint report_replaced_key unique references workorders.report,
  -- why: of a correction, or of reporting more than was planned
  reason text,
  reported_by text not null,
  employee_id uuid,
  -- keys of the feedback message and of the receipt of finished goods
  outbox_key text,
  receipt_key text,
  at timestamptz not null,
  created_at timestamptz not null default now(),
  constraint report_sign check (case when kind = 'reversal' then good <= 0 and scrap <= 0 and rework <= 0 else good >= 0 and scrap >= 0 and rework >= 0 end),
  constraint report_link check (case kind
    when 'report' then reverses is null and replaces is null
    when 'reopening' then reverses is null and replaces is null and reason is not null and good = 0 and scrap = 0 and rework = 0
    when 'reversal' then reverses is not null and replaces is null and reason is not null
    else replaces is not null and reverses is null and reason is not null end)
);
create index report_job on workorders.report (job_id, seq);
create index report_employee on workorders.report (employee_id) where employee_id is not null;

-- What the ERP wanted to change on an order that had been started, field by field.
create table workorders.order_change (
  id uuid primary key,
  seq bigint generated always as identity constraint order_change_seq_key unique,
  order_id uuid not null references workorders.work_order,
  field text not null,
  -- what the floor had and what the ERP sent, as JSON
  before jsonb,
  after jsonb,
  policy text not null check (policy in ('accept', 'hold', 'refuse')),
  state text not null check (state in ('accepted', 'held', 'refused', 'withdrawn')),
  floor_version integer not null,
  decided_by text,
  decided_at timestamptz,
  at timestamptz not null,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
create index order_change_order on workorders.order_change (order_id, seq);
-- at most one open question per field; a newer wish of the ERP takes its place
create unique index order_change_held on workorders.order_change (order_id, field) where state = 'held';

-- One row: how this customer works.
create table workorders.setting (
  singleton boolean primary key default true check (singleton),
  version integer not null default 1,
  over_report text not null default 'warn' check (over_report in ('block', 'warn', 'allow')),
  -- with `allow`: how many per cent above the plan
  over_percent numeric(6,2) not null default 0 check (over_percent >= 0),
  -- field -> accept, hold or refuse
  change_guard jsonb not null default '{"article":"hold","quantity":"hold","unit":"hold","department":"hold","due":"accept","priority":"accept","description":"accept","operations":"hold","materials":"accept"}',
  -- whether good pieces of the last operation are sent as a receipt of finished goods, and to which location
  product_receipt text not null default 'last_operation' check (product_receipt in ('last_operation', 'none')),
  receipt_location text,
  -- when material lines are consumed by themselves; an article may say otherwise
  backflush text not null default 'none' check (backflush in ('none', 'on_report', 'on_completion')),
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
insert into workorders.setting (singleton) values (true);
