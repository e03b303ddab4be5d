-- Who works (number and/or name, sealed), when they worked on what (raw intervals) and what is booked from it (shared result).
create schema timekeeping;

create table timekeeping.employee (
  id uuid primary key,
  -- the connection that brought it; null for one made by hand
  connection_id uuid,
  -- blind index of the ERP's key and of the number: equality without plain text
  key_blind bytea not null,
  number_blind bytea constraint employee_number_key unique,
  number_sealed bytea,
  name_sealed bytea,
  active boolean not null,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  constraint employee_key_key unique (key_blind),
  constraint employee_known_check check (number_sealed is not null or name_sealed is not null)
);

create table timekeeping.activity_code (
  code text primary key,
  name text not null,
  kind text not null check (kind in ('indirect', 'absence')),
  active boolean not null default true,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

-- What really happened: one row per person and job from start to stop. Never edited but to be closed.
create table timekeeping.interval (
  id uuid primary key,
  seq bigint generated always as identity constraint interval_seq_key unique,
  employee_id uuid not null references timekeeping.employee,
  job_id uuid,
  order_number text,
  operation_number text,
  connection_id uuid,
  activity text not null check (activity in ('setup', 'run', 'indirect')),
  activity_code text references timekeeping.activity_code,
  started_at timestamptz not null,
  ended_at timestamptz,
  end_reason text,
  -- a person should look at it: closed by the order's end or by the shift's end
  flagged boolean not null default false,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  constraint interval_subject_check check ((activity = 'indirect') = (job_id is null) and (activity_code is not null) = (activity = 'indirect')),
  constraint interval_order_check check (ended_at is null or ended_at >= started_at)
);
-- a double tap cannot make two
create unique index interval_open_job on timekeeping.interval (employee_id, job_id) where ended_at is null and job_id is not null;
create unique index interval_open_indirect on timekeeping.interval (employee_id) where ended_at is null and job_id is null;
create index interval_employee on timekeeping.interval (employee_id, started_at);
create index interval_job on timekeeping.interval (job_id) where ended_at is null;

-- What is booked: an interval's fair share of the person's time, whole seconds. Append-only; a correction reverses and books anew.
create table timekeeping.booking (
  id uuid primary key,
  seq bigint generated always as identity constraint booking_seq_key unique,
  interval_id uuid not null references timekeeping.interval,
  employee_id uuid not null references timekeeping.employee,
  job_id uuid,
  order_number text,
  operation_number text,
  connection_id uuid,
  activity text not null,
  activity_code text,
  started_at timestamptz not null,
  seconds integer not null,
  -- calendar day of the start in the tenant's zone
  day date not null,
  reverses uuid constraint booking_reverses_key unique references timekeeping.booking,
  reason text,
  -- key of the feedback message; null when there was nothing to tell
  outbox_key text,
  created_at timestamptz not null default now()
);
create index booking_employee_day on timekeeping.booking (employee_id, day);
create index booking_job on timekeeping.booking (job_id);
