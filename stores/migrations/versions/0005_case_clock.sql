-- The clock of the run that opened a case: what staff do happens on it too, so that deadlines and answers compare.
alter table cases add column run_clock jsonb;
