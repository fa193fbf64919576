-- What is written most is written with as few indexes as can be.

-- A figure that changes stays in its page: no index names what changes of it, and pages keep room for it.
drop index figures_come_to_nothing;
alter table journey_figures set (fillfactor = 70);

-- The same as deliveries_waiting.
drop index deliveries_put_off;
