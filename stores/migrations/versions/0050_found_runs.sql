-- Executions that an erasure found, by run id, until it is done: each is counted once, also where it was slow to go or
-- where the process that deleted it died. A build before this one counts those that it saw go, and leaves this empty.
alter table erasures add column found_runs text[] not null default '{}';
