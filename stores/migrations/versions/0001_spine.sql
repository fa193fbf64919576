-- The spine: who a customer is, what happened, which run wants it, what was sent, whom staff have.
-- Expand-then-contract: a later migration adds; what old code still reads goes only one release later.

create table customers (
    customer    text primary key,                    -- opaque, ours: c_ and 26 letters of base 32
    traits      jsonb not null default '{}',
    zone        text,                                -- IANA time zone, checked when written
    created_at  timestamptz not null default now()
);

create table identities (
    kind        text not null,                       -- user_id, anonymous_id, email, phone
    value       text not null,
    customer    text not null references customers,
    created_at  timestamptz not null default now(),
    primary key (kind, value)
);
create index identities_of_customer on identities (customer);
create index identities_by_value on identities (value);

-- Append-only; monthly partitions by arrival, made ahead by stores.touchpoints.
create table touchpoints (
    touchpoint  bigint generated always as identity,
    received_at timestamptz not null,
    message_id  text not null,
    event       text not null,
    customer    text,                                -- whose it is, or null where it is about a subject only
    subject_kind text,
    subject_id  text,
    occurred_at timestamptz not null,
    properties  jsonb not null default '{}',
    context     jsonb not null default '{}',
    primary key (received_at, touchpoint)
) partition by range (received_at);
create index touchpoints_of_customer on touchpoints (customer, received_at);
create index touchpoints_of_subject on touchpoints (subject_kind, subject_id, received_at) where subject_id is not null;

-- A primary key of a partitioned table must hold the partition key, so uniqueness lives here, kept longer than any client retries.
create table message_ids (
    message_id  text primary key,
    touchpoint  bigint not null,
    received_at timestamptz not null
);
create index message_ids_by_age on message_ids (received_at);

-- What is still to be routed. `unit` is 'c/<customer>' or 's/<kind>/<id>' (percent-encoded): the unit that is leased and kept in order.
-- A row with `run` goes to that run only (a run that came to listen after the touchpoint arrived).
create table outbox (
    outbox      bigint generated always as identity primary key,
    unit        text not null,
    touchpoint  bigint not null,
    received_at timestamptz not null,
    run         text,
    number      bigint                               -- null until the router has numbered it
);
create index outbox_by_unit on outbox (unit, number nulls last, outbox);

-- One row a unit: its lease, and the last number given out.
create table routing_units (
    unit        text primary key,
    numbered    bigint not null default 0,
    leased_by   text,
    leased_until timestamptz
);

-- A customer's touchpoints in the order the router gave them, own and through subjects, each with its fate.
create table arrivals (
    customer    text not null,
    number      bigint not null,
    touchpoint  bigint not null,
    received_at timestamptz not null,                -- the touchpoint's
    fates       jsonb not null default '[]',         -- [{"fate": "signalled|entered|not_entered|not_admitted|ignored|...", "run"|"journey": ..., "reason": ...}]
    primary key (customer, number),
    unique (customer, touchpoint)
);

create table definitions (
    version     text primary key,                    -- SHA-256 of the canonical JSON (RFC 8785)
    journey     text not null,
    canonical   bytea not null,
    source      text not null,                       -- as the author wrote it
    source_name text not null,
    published_at timestamptz not null default now()
);
create index definitions_of_journey on definitions (journey, published_at);

create table live_journeys (
    journey     text primary key,
    version     text not null references definitions,
    published_at timestamptz not null default now()
);

create table messages (
    name        text not null,
    revision    text not null,                       -- SHA-256 of the source
    source      text not null,
    published_at timestamptz not null default now(),
    live        boolean not null default true,
    primary key (name, revision)
);
create unique index live_message on messages (name) where live;

create table engine (
    one_row     boolean primary key default true check (one_row),
    engine      integer not null
);
insert into engine (engine) values (1);

create sequence entries;

create table runs (
    entry       bigint primary key default nextval('entries'),
    workflow_id text not null,
    first_run_id text not null unique,               -- Temporal's; the key of admission
    journey     text not null,
    version     text references definitions,
    customer    text not null,
    key         text,
    engine      integer not null,
    state       text not null check (state in ('open', 'finished', 'not_admitted')),
    reason      text,                                -- of not_admitted
    detail      text not null default '',            -- that reason in words
    held_out    boolean not null default false,
    entering_message_id text,
    entered_at  timestamptz not null,                -- run time
    began_at    timestamptz not null,                -- wall time
    sequence    bigint not null default 0,           -- of the newest record written
    recorded_at timestamptz not null default '-infinity', -- run time of that record
    listens_sequence bigint not null default 0,      -- of the newest record that said what the run listens to
    listens_at  timestamptz not null default '-infinity',
    stage       text,
    waits_for   jsonb not null default '[]',
    wakes_at    timestamptz,
    needs_attention text,
    outcome     text,
    goal        boolean not null default false,
    finished_at timestamptz,
    updated_at  timestamptz not null default now()
);
create unique index one_open_run on runs (journey, customer, coalesce(key, '')) where state = 'open';
create unique index message_enters_once on runs (journey, customer, coalesce(key, ''), entering_message_id)
    where state <> 'not_admitted' and entering_message_id is not null;
create index open_runs_of_customer on runs (customer) where state = 'open';
create index runs_by_journey on runs (journey, state, stage);
create index runs_by_workflow on runs (workflow_id, entry);
create index runs_again on runs (journey, customer, coalesce(key, ''), entered_at);

create table listening (
    kind        text not null,
    id          text not null,
    entry       bigint not null references runs on delete cascade,
    customer    text not null,
    workflow_id text not null,
    primary key (kind, id, entry)
);
create index listening_of_run on listening (entry);

create table trace (
    entry       bigint not null,
    sequence    bigint not null,
    at          timestamptz not null,
    address     text not null,
    kind        text not null,
    why         text not null,
    primary key (entry, sequence)
);

create table promises (
    entry       bigint not null,
    n           bigint not null,
    name        text not null,
    by          timestamptz,
    state       text not null,                       -- open, kept, late, kept_late, broken, dropped
    at          timestamptz not null,
    reason      text not null default '',
    sequence    bigint not null,
    primary key (entry, n)
);

-- The ledger: one row a delivery key, for ever.
create table deliveries (
    key         text primary key,                    -- workflow id : entry : n
    entry       bigint not null,
    n           bigint not null,
    journey     text not null,
    customer    text not null,
    message     text not null,
    revision    text,
    purpose     text not null,
    channel     text,
    address     text,
    state       text not null check (state in ('intended', 'accepted', 'refused', 'deferred', 'unknown')),
    reason      text not null default '',
    provider_id text,
    attempts    integer not null default 0,
    uncertain   boolean not null default false,      -- it may have left more than once, or not at all
    claimed_until timestamptz,                       -- wall time: an attempt is under way until then
    deferred_until timestamptz,                      -- run time
    run_time    timestamptz not null,                -- when the run asked, on its own clock
    intended_at timestamptz,
    settled_at  timestamptz
);
create index deliveries_of_customer on deliveries (customer, run_time);
create index deliveries_of_run on deliveries (entry, n);
create index deliveries_by_journey on deliveries (journey, state, reason);

create table unsubscribes (
    customer    text not null,
    purpose     text not null,                       -- marketing
    channel     text not null,
    at          timestamptz not null default now(),
    proof       text not null,
    primary key (customer, purpose, channel)
);

create table suppressed_addresses (
    channel     text not null,
    address     text not null,
    reason      text not null,
    at          timestamptz not null default now(),
    primary key (channel, address)
);

create table cases (
    "case"      text primary key,
    entry       bigint not null,
    n           bigint not null,
    workflow_id text not null,
    journey     text not null,
    customer    text not null,
    queue       text not null,
    brief       text not null,
    decisions   json not null,                       -- json keeps them in the author's order
    state       text not null check (state in ('open', 'claimed', 'resolved', 'closed')),
    claimed_by  text,
    decision    text,
    fields      jsonb not null default '{}',
    decided_by  text,
    reason      text not null default '',
    first_answer_by timestamptz,
    resolve_by  timestamptz,
    escalations jsonb not null default '[]',
    opened_at   timestamptz not null,                -- run time
    opened_wall timestamptz not null default now(),
    answered_at timestamptz,
    resolved_at timestamptz
);
create index cases_by_state on cases (state, queue, opened_wall);
create index cases_of_customer on cases (customer);
create index cases_of_run on cases (entry, n);

create table write_keys (
    digest      bytea primary key,                   -- SHA-256 of the key; the key itself is shown once
    name        text not null,
    created_at  timestamptz not null default now(),
    revoked_at  timestamptz
);

create table audit (
    audit       bigint generated always as identity primary key,
    at          timestamptz not null default now(),
    who         text not null,
    did         text not null,
    object      text not null,
    detail      jsonb not null default '{}'
);
