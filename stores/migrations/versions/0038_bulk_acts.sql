-- What was ordered for all who wait at a step of a version (docs/decisions/0042). It is bound to what its preview showed.
create table bulk_acts (
    act bigint generated always as identity primary key,
    form text not null unique,  -- a form that is sent twice orders once
    kind text not null check (kind in ('end', 'move')),
    journey text not null,
    version text not null,
    address text not null,
    to_version text,
    to_step text,
    up_to bigint not null,
    seen_at timestamptz not null,  -- run time
    shown bigint not null,
    reason text not null,
    ordered_by text not null,
    ordered_at timestamptz not null default now(),
    halted_by text,
    halted_at timestamptz,
    check ((kind = 'move') = (to_version is not null))
);

create index bulk_acts_of_journey on bulk_acts (journey, act desc);

create table bulk_act_runs (
    act bigint not null references bulk_acts,
    entry bigint not null references runs on delete cascade,
    state text not null default 'waits' check (state in ('waits', 'done', 'left_alone', 'refused')),
    why text not null default '',
    due_at timestamptz not null default now(),
    settled_at timestamptz,
    primary key (act, entry)
);

create index bulk_act_runs_due on bulk_act_runs (due_at) where state = 'waits';
create index bulk_act_runs_of_run on bulk_act_runs (entry);
