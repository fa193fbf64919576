-- What caps, priorities, rates and stops need to know of a delivery.
-- `run_time` is now when it was last decided, on the clock of its run: for what left, when it took its place in the caps.
alter table deliveries
    add column asked_at timestamptz,                 -- run time at which it was first asked for
    add column expires timestamptz,                  -- run time from which on it is of no use
    add column topic text,
    add column priority integer not null default 0,  -- of the message, else of its run
    add column tried jsonb not null default '{}';    -- channel → what its provider refused it with

-- What waits its turn, by customer; and what waits for the end of a stop, in the order in which it goes on.
create index deliveries_waiting on deliveries (customer) where state = 'deferred';
create index deliveries_stopped on deliveries (purpose desc, priority desc, key)
    where state = 'deferred' and reason = 'stopped';

-- One token bucket a provider (or channel), on the wall clock: `free_at` is when the next message may leave.
create table send_rates (
    rate        text primary key,
    free_at     timestamptz not null,
    taken_by    text not null default '',            -- by whom last, '' where who asked last had no turn
    service_until timestamptz not null default 'epoch', -- a service message waits: marketing does not take until then
    waiting     integer not null default 0,          -- how many marketing messages wait, about
    service_waiting integer not null default 0
);
