-- What ingest refuses and why; a place for touchpoints of any month; what the router remembers of runs it has just started.

-- Partitions are made months ahead; a touchpoint of a month that has none lands here and is moved when its partition is made.
create table touchpoints_other partition of touchpoints default;

create table refused_touchpoints (
    refused     bigint generated always as identity primary key,
    received_at timestamptz not null default now(),
    source      text not null,                       -- name of the write key
    message_id  text,
    reason      text not null,
    message     text not null                        -- as it came, cut; text, because it may be no valid JSON value for PostgreSQL
);
create index refused_touchpoints_by_age on refused_touchpoints (received_at);

-- Runs that the router started and that are not yet in `runs`: [{"workflow_id", "first_run_id", "journey", "version", "key"}].
alter table routing_units add column starting jsonb not null default '[]';

-- The outbox is a queue: rows live for milliseconds, and a scan must not wade through the dead ones.
alter table outbox set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
alter table routing_units set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
alter table arrivals set (fillfactor = 80);
