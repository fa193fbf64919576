-- The scenarios that a version was published with. A version without a row was published by what keeps none.
create table kept_scenarios (
    version     text primary key references definitions,
    source      text not null,                       -- YAML as it was typed; '' where it was published without any
    kept_at     timestamptz not null default clock_timestamp() -- wall time
);
