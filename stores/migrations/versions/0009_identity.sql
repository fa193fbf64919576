-- How two customers become one and are parted again; groups; types of traits, and traits that are computed.

-- Who became another customer keeps the row: runs and links hold its id for ever. Always the end of the chain.
alter table customers add column merged_into text references customers;
create index customers_merged on customers (merged_into) where merged_into is not null;

-- The customer whom an id means now. Of an id that nobody has, the id itself.
create function canonical(id text) returns text stable language sql as
    $$ select coalesce((select merged_into from customers where customer = id), id) $$;

-- Columns with a customer's id are not named `customer` here, on purpose: these rows never move.
create table merges (
    merge       bigint generated always as identity primary key,
    stays       text not null references customers,
    goes        text not null references customers,
    by          text not null,                       -- ingest, or who of staff
    why         text not null,
    at          timestamptz not null default now(),
    added       jsonb not null default '{}',         -- traits of `stays` that the merge set
    before      jsonb not null default '{}',         -- what they were; one that was not there is absent
    settled_at  timestamptz,                         -- runs and touchpoints on their way have followed
    undone_at   timestamptz,
    undone_by   text,
    undone_why  text
);
create index merges_into on merges (stays) where undone_at is null;
create index merges_of on merges (goes);

-- What moved with a merge, for undoing it. `was`: a row that gave way, or as it was before it was changed
-- into `made`. `made` alone: a row that the merge wrote.
create table merge_rows (
    merge       bigint not null references merges,
    "table"     text not null,
    key         jsonb not null,
    was         jsonb,
    made        jsonb
);
create index merge_rows_of on merge_rows (merge, "table");

-- Names that were not tied, or did not join two customers, and why. As long as the same rules hold nobody asks again.
create table refused_ties (
    whose       text not null,                       -- the customer whom the surer names lead to
    kind        text not null,
    value       text not null,
    leads_to    text,                                -- whose the name is instead; null where it is nobody's
    why         text not null,
    rules       text not null,                       -- revision of the rules
    times       bigint not null default 1,
    at          timestamptz not null default now(),
    primary key (whose, kind, value)
);

-- `forward_to`: the unit that this one became. `joins`: units that became this one, whose runs are still to follow.
alter table routing_units
    add column forward_to text,
    add column joins text[] not null default '{}';

-- Two runs of one customer in one journey: the one that ends names the one that stays.
alter table runs add column gives_way_to bigint;
-- old code: none of its runs gives way, and for those the index says what it said
drop index one_open_run;
-- old code: the same
create unique index one_open_run on runs (journey, customer, coalesce(key, ''))
    where state = 'open' and gives_way_to is null;

create table groups (
    group_id    text primary key,
    traits      jsonb not null default '{}',
    changed_at  timestamptz not null default now()
);
create table group_members (
    customer    text not null,
    group_id    text not null references groups,
    since       timestamptz not null default now(),
    primary key (customer, group_id)
);
create index members_of_group on group_members (group_id);

-- What traits were seen to hold; the first values decide, where nobody pinned the type.
create table trait_types (
    trait       text primary key,
    seen        jsonb not null default '{}',         -- type -> how often, of the first values
    learned     text,                                -- the type they were, once there were enough
    differ      bigint not null default 0,           -- later values of another type
    example     text,                                -- the last of those, cut
    changed_at  timestamptz not null default now()
);

-- What computed traits are made from, each kept as touchpoints come in.
create table computed_traits (
    customer    text not null,
    trait       text not null,
    state       jsonb not null,
    look_at     timestamptz,                         -- when time alone changes it
    primary key (customer, trait)
);
create index computed_due on computed_traits (look_at) where look_at is not null;
