-- One row for each process at work, told anew every few seconds. Who is long silent is forgotten.
create table processes (
    process     text primary key,                    -- host, process id and a part by chance
    kind        text not null,                       -- journey, delivery, router, api, ...
    build       text not null,
    engines     integer[] not null,                  -- the engines that its code knows
    started_at  timestamptz not null default clock_timestamp(),
    seen_at     timestamptz not null default clock_timestamp()
);
