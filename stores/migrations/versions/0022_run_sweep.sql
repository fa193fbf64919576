-- How far the look for runs that ended outside of Clew has come: one row, one process at a time.
create table run_sweep (
    one         boolean primary key default true check (one),
    next_at     timestamptz not null default '-infinity',  -- wall time: nobody looks before
    after_customer text not null default '',               -- the last run that was looked at; '' and 0: begin anew
    after_entry bigint not null default 0,
    closed_to   timestamptz not null default '-infinity'   -- whatever the server ended by then is known
);
insert into run_sweep default values;
