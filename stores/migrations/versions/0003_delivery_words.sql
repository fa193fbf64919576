-- Why a delivery stands as it does, which delivery it corrects, and how often an attempt ended without a word.

alter table deliveries
    add column words    text not null default '',        -- what `reason` means here, to a person
    add column replaces bigint,                          -- the n of the delivery of this run that it corrects
    add column doubts   integer not null default 0;      -- attempts that began and did not say how they ended

create index deliveries_that_replace on deliveries (entry, replaces) where replaces is not null;
