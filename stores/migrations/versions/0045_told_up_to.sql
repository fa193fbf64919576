-- The highest number that a batch of this unit has had. Where its rows are still there when the next one begins, it
-- was not finished, and runs may have been told up to it (docs/decisions/0005).
alter table routing_units add column told_up_to bigint not null default 0;

-- When a run went on under another version last, wall time.
alter table runs add column moved_at timestamptz;
