-- What the rest of the journey language keeps: words of surveys and offers, coupons, answers, what is shown, who is
-- looked at for entering, and which open run holds back marketing of others.

-- Surveys and offers by kind and name, as their authors wrote them; every revision is kept, one is live.
create table published (
    kind        text not null check (kind in ('survey', 'offer')),
    name        text not null,
    revision    text not null,                       -- SHA-256 of the source
    source      jsonb not null,
    published_at timestamptz not null default now(),
    live        boolean not null default true,
    primary key (kind, name, revision)
);
create unique index live_published on published (kind, name) where live;

-- Codes to be given out, for offers that have a pool of them.
create table coupon_pool (
    offer       text not null,
    code        text not null,
    coupon      text,                                -- the key of the coupon that it was given as
    loaded_at   timestamptz not null default now(),
    primary key (offer, code)
);
create index free_codes on coupon_pool (offer, code) where coupon is null;

-- One row a grant asked for, for ever, also where it was refused: asked again, the answer is the same.
create table coupons (
    key         text primary key,                    -- workflow id : entry : n
    offer       text not null,
    code        text unique,
    customer    text not null,
    entry       bigint not null,
    journey     text not null,
    amount      double precision,
    state       text not null check (state in ('open', 'redeemed', 'expired', 'voided', 'refused')),
    reason      text not null default '',
    granted_at  timestamptz not null,                -- run time
    expires_at  timestamptz,                         -- run time
    run_clock   jsonb,
    settled_at  timestamptz
);
create index coupons_of_customer on coupons (customer, offer, granted_at);
create index coupons_of_run on coupons (entry);

-- The first answer to what was asked; `ask` is the key of the invitation.
create table answers (
    ask         text primary key,
    survey      text not null,
    customer    text not null,
    entry       bigint not null,
    score       double precision,
    choice      text,
    words       text not null default '',
    answer_group text not null,
    at          timestamptz not null default now()
);
create index answers_of_survey on answers (survey, at);
create index answers_of_customer on answers (customer);

create table shows (
    entry       bigint not null,
    n           bigint not null,
    customer    text not null,
    places      text[] not null,
    say         text not null,
    "values"    jsonb not null default '{}',
    priority    integer not null,
    until       timestamptz,                         -- run time
    shown       boolean not null,
    sequence    bigint not null,
    at          timestamptz not null,
    primary key (entry, n)
);
create index shown_to_customer on shows (customer) where shown;

-- How a customer stood when they were last looked at for entering a journey without doing anything.
create table entry_looks (
    journey     text not null,
    customer    text not null,
    inside      boolean not null default false,
    times       integer not null default 0,
    looked_to   timestamptz not null,
    look_at     timestamptz,                         -- when time alone may change the answer
    primary key (journey, customer)
);
create index entry_looks_due on entry_looks (look_at) where look_at is not null;

-- Where the scanner is with each such journey: `after` is the last customer that it has looked at.
create table entry_scans (
    journey     text primary key,
    live_since  timestamptz not null default now(),
    version     text,                                -- the version that all customers were looked at for
    after       text,
    occurrence  timestamptz                          -- of a schedule: the next one, or the one under way
);

alter table runs
    add column holds    text,                        -- marketing: that of other journeys waits for the end of this run
    add column priority integer;                     -- marketing of journeys with a lower one waits, too
create index runs_that_hold on runs (customer) where state = 'open' and (holds is not null or priority is not null);
create index deliveries_put_off on deliveries (customer) where state = 'deferred';
