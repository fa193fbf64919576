-- Cases keep their own time, members of staff are known, and every change of a case is told.

-- old code: may still write every state that it knows
alter table cases drop constraint cases_state_check;
-- old code: the same
alter table cases add constraint cases_state_check check (state in
    ('open', 'claimed', 'snoozed', 'pending', 'reopened', 'resolved', 'expired', 'closed'));

-- old code: opens cases with these as they are by default, and keeps the time of its own
alter table cases
    add column clock         text,                        -- id of the workflow that keeps its time
    add column origin        text not null default 'journey'
        check (origin in ('journey', 'customer', 'staff', 'mention')),
    add column title         text not null default '',
    add column place         text,
    add column language      text,
    add column skills        text[] not null default '{}',
    add column first_answer  text,                        -- lengths of time as its journey wrote them
    add column next_answer   text,
    add column resolve       text,
    add column escalate_to   text,
    add column fixed         jsonb,                       -- instants that were counted elsewhere; null: those of the row
    add column expires       boolean not null default false,  -- undecided in time it is over, and its run goes on
    add column reopened_at   timestamptz,                 -- run time, as all of these
    add column queued_at     timestamptz,                 -- null: since it was opened
    add column waits_since   timestamptz,                 -- the customer waits for the next answer
    add column next_answer_by timestamptz,
    add column pauses        jsonb not null default '[]', -- [{since, until}]: the customer was to answer
    add column snoozed_until timestamptz,
    add column snoozed_for   text,                        -- or until this touchpoint comes
    add column acted_at      timestamptz,                 -- whoever has it did something
    add column marks         text[] not null default '{}',
    add column had_by        text[] not null default '{}',   -- who was silent or away
    add column approval      jsonb,                       -- a decision above authority that waits for somebody who may
    add column merged_into   text,
    add column look_at       timestamptz,                 -- wall time: when its workflow looks again
    add column words         text not null default '';    -- how it stands, as its workflow says

alter table cases add column under_way boolean not null
    generated always as (state in ('open', 'claimed', 'snoozed', 'pending', 'reopened')) stored;
create index cases_of_holder on cases (claimed_by) where under_way;
create index cases_under_way on cases (queue, least(first_answer_by, next_answer_by, resolve_by), opened_wall)
    where under_way;
-- old code: asks by two states, which the new index does not serve; cases are few while a deployment rolls
drop index cases_open;
create index cases_of_customer_under_way on cases (customer) where under_way;

create index cases_to_look_at on cases (look_at) where under_way;

-- The customer is not to answer any more: the pause that is open ends.
create function ended_pauses(pauses jsonb, at timestamptz) returns jsonb language sql immutable as $$
    select coalesce(jsonb_agg(case when p.pause ->> 'until' is null
               then p.pause || jsonb_build_object('until', at) else p.pause end order by p.n), '[]')
      from jsonb_array_elements(pauses) with ordinality p(pause, n)
$$;

-- Whose clock is to be told of a change, or to be started.
create table case_bells (
    "case"   text primary key,
    rung_at  timestamptz not null default clock_timestamp(),
    held_to  timestamptz                                  -- a router is telling it until then
);

-- What happened to a case, in order: its thread, its audit, and what is sent to programs outside.
create table case_events (
    event    bigint generated always as identity primary key,
    "case"   text not null,
    at       timestamptz not null,                        -- run time
    at_wall  timestamptz not null default clock_timestamp(),
    who      text not null,                               -- a member, the customer, or 'clew'
    did      text not null,
    why      text not null default '',
    detail   jsonb not null default '{}'
);
create index case_events_of_case on case_events ("case", event);

create table members (
    member      text primary key,                         -- the name under which they act
    name        text not null,                            -- what they are called
    role        text not null check (role in ('agent', 'lead', 'editor', 'analyst', 'admin')),
    queues      text[] not null default '{}',
    skills      text[] not null default '{}',
    languages   text[] not null default '{}',
    capacity    integer not null default 8 check (capacity between 0 and 1000),
    grants      double precision,                         -- up to which amount they decide; null: as their role
    zone        text not null default 'UTC',
    shift       jsonb,                                    -- their hours, as those of a queue; null: the queue's
    email       text,
    subject     text,                                     -- who they are at the OpenID provider
    slack       text,
    password    text,
    created_at  timestamptz not null default now(),
    left_at     timestamptz
);
create unique index members_by_email on members (lower(email)) where email is not null;
create unique index members_by_subject on members (subject) where subject is not null;
create unique index members_by_slack on members (slack) where slack is not null;
create index members_of_queue on members using gin (queues);

create table absences (
    absence  bigint generated always as identity primary key,
    member   text not null references members on delete cascade,
    since    timestamptz not null,
    until    timestamptz not null check (until > since),
    why      text not null default ''
);
create index absences_of_member on absences (member, until);

-- When a member was given a case of a queue last: turns go round.
create table queue_turns (
    queue     text not null,
    member    text not null references members on delete cascade,
    turned_at timestamptz not null,
    primary key (queue, member)
);

-- What was there before goes on as it is, until `clew engine raise 3`: an old build may be at work.
update engine set engine = 3
 where engine = 2 and not exists (select from runs) and not exists (select from processes);
