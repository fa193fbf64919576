-- Programs outside that are told what happens to cases, each in order.

create table case_hooks (
    hook          text primary key,                       -- its name
    url           text not null,
    master        text not null,                          -- name of the master key that seals its secret
    secret        bytea not null,                         -- sealed; signs what it is told
    kinds         text[] not null default '{}',           -- what it wants to be told; empty: everything
    told_to       bigint not null,                        -- number of the event that it was told last
    told_at       timestamptz,
    failures      integer not null default 0,             -- one after another
    failing_since timestamptz,
    failed_why    text not null default '',
    next_at       timestamptz not null default clock_timestamp(),
    held_to       timestamptz,                            -- somebody is telling it until then
    off_at        timestamptz,                            -- it failed too long, or wants no more
    made_at       timestamptz not null default clock_timestamp()
);
