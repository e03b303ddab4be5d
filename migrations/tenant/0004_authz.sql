-- Who may do what (roles) for which jobs (operational groups). User names and numbers are sealed; equality by blind index.
create schema authz;

-- What timekeeping tells of an employee, so that one may sign in with the number: no name, no number in plain text.
create table authz.employee_link (
  id uuid primary key,
  number_blind bytea constraint employee_link_number_key unique,
  active boolean not null,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

create table authz."user" (
  id uuid primary key,
  username_blind bytea not null constraint user_username_key unique,
  username_sealed bytea not null,
  name_sealed bytea,
  employee_id uuid constraint user_employee_key unique references authz.employee_link,
  active boolean not null default true,
  -- PHC string; null until the invitation is accepted
  password_phc text,
  -- the password was chosen by somebody else: until the person has chosen one, nothing but that is allowed
  must_change boolean not null default false,
  version integer not null default 1,
  last_sign_in_at timestamptz,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

create table authz.role (
  id uuid primary key,
  name text not null constraint role_name_key unique,
  built_in boolean not null default false,
  permissions text[] not null,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

create table authz.user_role (
  user_id uuid not null references authz."user",
  role_id uuid not null references authz.role,
  created_at timestamptz not null default now(),
  primary key (user_id, role_id)
);

create table authz.operational_group (
  id uuid primary key,
  name text not null constraint operational_group_name_key unique,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

create table authz.group_rule (
  group_id uuid not null references authz.operational_group on delete cascade,
  kind text not null check (kind in ('all', 'department', 'work_centre', 'order', 'order_pattern')),
  -- for `all` the empty text; a pattern is LIKE with % and _
  value text not null,
  created_at timestamptz not null default now(),
  primary key (group_id, kind, value)
);

create table authz.group_member (
  group_id uuid not null references authz.operational_group on delete cascade,
  user_id uuid not null references authz."user",
  created_at timestamptz not null default now(),
  primary key (group_id, user_id)
);
create index group_member_user on authz.group_member (user_id);

create table authz.session (
  id uuid primary key,
  user_id uuid not null references authz."user",
  -- stays the same over rotations of the refresh token; the directory knows it
  lookup text not null constraint session_lookup_key unique,
  digest bytea not null,
  -- each refresh token follows from the one before, so any older one of the chain is known again
  rotations integer not null default 0,
  rotated_at timestamptz not null,
  -- MAC of address and user agent of the latest refresh
  client bytea not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  ended_reason text,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
create index session_of_user on authz.session (user_id) where ended_at is null;
create index session_expiry on authz.session (expires_at);

create table authz.api_key (
  id uuid primary key,
  name text not null,
  lookup text not null constraint api_key_lookup_key unique,
  digest bytea not null,
  permissions text[] not null,
  group_ids uuid[] not null,
  -- exact addresses; empty: any
  addresses text[] not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

create table authz.invitation (
  id uuid primary key,
  user_id uuid not null references authz."user",
  lookup text not null constraint invitation_lookup_key unique,
  digest bytea not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

-- Counts guesses per account and address for the brake at sign-in. Failed ones are kept a day; an address from which somebody once
-- came in is known for 30 days, so that guessing from elsewhere does not lock them out there.
create table authz.sign_in_attempt (
  seq bigint generated always as identity primary key,
  account_blind bytea not null,
  address_blind bytea not null,
  at timestamptz not null,
  outcome text not null check (outcome in ('ok', 'failed', 'slowed')),
  created_at timestamptz not null default now()
);
create index sign_in_attempt_account on authz.sign_in_attempt (account_blind, at);
create index sign_in_attempt_address on authz.sign_in_attempt (address_blind, at);

create table authz.department (
  code text primary key,
  name text,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

-- Seen on jobs; for those who write the rules of groups.
create table authz.work_centre (
  code text not null,
  department_code text not null,
  created_at timestamptz not null default now(),
  primary key (code, department_code)
);

-- By what a job is selected; written by workorders in the transaction that writes the job.
create table authz.job_scope (
  job_id uuid primary key,
  order_number text not null,
  department_code text not null,
  work_centre text,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
create index job_scope_department on authz.job_scope (department_code);
create index job_scope_work_centre on authz.job_scope (work_centre) where work_centre is not null;
create index job_scope_order on authz.job_scope (order_number text_pattern_ops);

create table authz.setting (
  singleton boolean primary key default true check (singleton),
  version integer not null default 1,
  -- a department code that no one has seen yet: take it in, or refuse the work order
  unknown_departments text not null default 'create' check (unknown_departments in ('create', 'reject')),
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
insert into authz.setting (singleton) values (true);
