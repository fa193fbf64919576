-- Erasure: what was asked for and how far it is, the proof of it, and who is never to come back.

create table erasures (
    erasure      text primary key,                  -- e_ and 26 letters of base 32
    state        text not null default 'begun'
                 check (state in ('begun', 'ended', 'swept', 'done')),
    work         jsonb,                             -- whom and what to look for; null from `done` on
    customers    bytea[] not null,                  -- HMAC of each id that is erased, to know them in a restored backup
    reason       text not null default '',
    asked_by     text not null,
    begun_at     timestamptz not null default now(),
    done_at      timestamptz,
    swept_by     xid8,                              -- the transaction that took the rows out
    held_by      text,                              -- who carries it on, and until when alone
    held_until   timestamptz,
    counts       jsonb not null default '{}',       -- table → rows that went
    figures      jsonb not null default '{}',       -- what was counted of them, without whose it was
    executions   bigint not null default 0,
    keys         bigint not null default 0,
    digest       text
);
create index erasures_under_way on erasures (begun_at) where state <> 'done';

-- Ids of ours that nobody has any more, from the moment at which the erasure begins: nothing is stored for them.
-- The ids are 128 random bits; their digests tell nothing.
create table erased_customers (
    digest       bytea primary key,                 -- SHA-256 of the id
    erasure      text not null
);

-- Addresses that were an erased customer's: HMAC of kind:address. Nothing is sent to them without a new yes.
create table erased_addresses (
    digest       bytea primary key,
    erasure      text not null,
    at           timestamptz not null default now()
);

create function is_erased(id text) returns boolean stable language sql as
$$ select exists (select from erased_customers where digest = sha256(convert_to(id, 'UTF8'))) $$;
