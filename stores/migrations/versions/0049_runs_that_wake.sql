-- Whether timers are late is asked on the first page of mission control and by metrics: the first that is to wake says it.
create index runs_that_wake on runs (wakes_at) where state = 'open' and wakes_at is not null;
