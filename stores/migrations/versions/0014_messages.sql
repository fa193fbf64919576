-- Links of messages that lead over us, so that a click is counted: one of a delivery and an address, for ever.
create table short_links (
    token       text primary key,                    -- nobody can guess it; a second attempt makes the same
    delivery    text not null,                       -- key in the ledger
    customer    text not null,
    url         text not null,
    made_at     timestamptz not null default now()
);
create index short_links_of_customer on short_links (customer);
