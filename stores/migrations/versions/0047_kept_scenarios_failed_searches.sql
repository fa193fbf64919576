-- The scenarios that a version was published with. A version without a row was published by what keeps none.
create table kept_scenarios (
    version     text primary key references definitions,
    source      text not null,                       -- YAML as it was typed; '' where it was published without any
    kept_at     timestamptz not null default clock_timestamp() -- wall time
);

-- A file that could not be made is tried again, later and later.
alter table saved_searches
    add column failures smallint not null default 0, -- how often in a row, of the file that is due
    add column due_at   timestamptz;                 -- when that file was due; null where none failed. `next_at` is when it is tried again
