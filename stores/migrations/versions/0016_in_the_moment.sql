-- The moment in which a customer looks or asks: what is suggested there and what became of it, what they feel and
-- from what, and problems: one cause, whom it touches, and who was told.

-- Which kinds there are is said by the store that publishes; a list here would have to grow with every file.
-- old code: may still write every kind that it knows
alter table published drop constraint published_kind_check;
-- old code: the same
alter table published add constraint published_kind_check check (kind ~ '^[a-z_]+$');

alter table shows add column name text not null default '';     -- the id of the step in its journey, '' where it has none

-- What became of a suggestion: shown, taken, refused. `key` is the same for all customers: it is what ranking counts.
create table suggestions_told (
    message_id  text primary key,
    customer    text not null,
    suggestion  text not null,                       -- entry and n of a show: 12:3; coupon:12:4; problem:NAME
    key         text not null,
    place       text not null,
    told        text not null check (told in ('shown', 'taken', 'refused')),
    by          text not null default '',
    at          timestamptz not null,
    again_at    timestamptz                          -- a refused one is not suggested before
);
create index suggestions_of_customer on suggestions_told (customer, at desc);

-- Sums over all customers, in several slots, so that places that tell at once do not wait for each other's commit.
create table suggestion_counts (
    key         text not null,
    place       text not null,
    slot        smallint not null,
    shown       bigint not null default 0,
    taken       bigint not null default 0,
    refused     bigint not null default 0,
    primary key (key, place, slot)
);

create table feelings (
    reading     text primary key,                    -- made of what it came from: read twice, it is there once
    customer    text not null,
    feeling     text not null,
    source      text not null check (source in ('staff', 'answer', 'rule')),
    evidence    text not null,                       -- in words
    by          text not null default '',
    at          timestamptz not null,                -- run time, as is `fades_at`
    fades_at    timestamptz not null,
    faded       boolean not null default false       -- and the customer was looked at since
);
create index feelings_of_customer on feelings (customer, fades_at desc);
create index feelings_to_fade on feelings (fades_at) where not faded;

create table problems (
    problem     text primary key,
    title       text not null,
    words       text not null,                       -- the newest, as the customer would be told
    why         text not null,
    properties  jsonb not null default '{}',         -- more that its touchpoints carry, such as `until`
    state       text not null check (state in ('open', 'mended')),
    updates     integer not null default 0,          -- how often there was something new to tell since it was opened
    audience    text,                                -- CEL over `customer`
    audience_after text,                             -- the last customer that was looked at; null where all were
    subject_kind text,
    subject_id  text,
    had         boolean not null default false,      -- whoever had a touchpoint about it before it was opened has joined
    journey     text,                                -- who has a run of it, in this stage where one is named
    stage       text,
    queues      text[] not null default '{}',        -- an open case in one of these is about this problem
    places      text[] not null default '{}',        -- where it is said to anyone
    rule        text not null default '',            -- the rule that opened it, and what all of it has in common
    same        text not null default '',
    settled     boolean not null default false,      -- mended, and everybody was told
    opened_by   text not null,
    opened_at   timestamptz not null,
    mended_by   text,
    mended_at   timestamptz
);
create index problems_at_work on problems (opened_at) where not settled;
create unique index one_problem_of_a_rule on problems (rule, same) where state = 'open' and rule <> '';

create table problem_news (
    problem     text not null references problems on delete cascade,
    n           integer not null,                    -- as `problems.updates` was then
    news        text not null check (news in ('opened', 'updated', 'mended', 'reopened')),
    words       text not null,
    by          text not null,
    at          timestamptz not null,
    primary key (problem, n)
);

-- Whom a problem touches. The key holds the customer as they were when they joined, so that two who become one later
-- keep both rows; they are told once all the same: a message id is made of the customer as they are.
create table problem_touched (
    touched     text primary key,
    problem     text not null references problems on delete cascade,
    customer    text not null,
    how         text not null,                       -- listed, audience, subject, run, case, rule
    run         text,                                -- workflow id
    "case"      text,
    joined_at   timestamptz not null,
    told_to     integer not null default -1,         -- the newest of `problem_news` that they were told
    told_at     timestamptz,
    mended_told_at timestamptz,
    asked_at    timestamptz
);
create index problem_to_tell on problem_touched (problem, told_to);
create index problems_of_customer on problem_touched (customer, problem);

-- What a rule for problems has seen and not yet made a problem of.
create table problem_signs (
    sign        text primary key,                    -- rule and message id
    rule        text not null,
    same        text not null,
    customer    text not null,
    at          timestamptz not null
);
create index signs_of_a_rule on problem_signs (rule, same, at);

create index refused_ties_to on refused_ties (leads_to, value);

-- For what is said in the moment: the newest of each customer, and nothing older is read.
create index runs_of_customer on runs (customer, entered_at desc);
create index coupons_open on coupons (customer) where state = 'open';
create index cases_open on cases (customer) where state in ('open', 'claimed');
