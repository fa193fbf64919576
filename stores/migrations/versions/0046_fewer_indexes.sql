-- What is written most is written with as few indexes as can be.

-- A figure that changes stays in its page: no index names what changes of it, and pages keep room for it.
-- old code: finds what came to nothing more slowly, and is right
drop index figures_come_to_nothing;
alter table journey_figures set (fillfactor = 70);

-- old code: has deliveries_waiting, which is the same
drop index deliveries_put_off;
