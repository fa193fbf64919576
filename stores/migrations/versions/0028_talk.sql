-- What staff write to customers from a case. What becomes of it is the ledger's, under `delivery`.
create table case_messages (
    message     bigint generated always as identity primary key,
    "case"      text not null,
    channel     text,                                     -- null: by which the customer is reached best
    template    text,                                     -- a published message; null: the text, in the house's layout
    "values"    jsonb not null default '{}',              -- what the template may name
    subject     text not null default '',
    text        text not null default '',
    by          text not null,
    once        text,                                     -- whoever asks again with the same word gets this one
    written_at  timestamptz not null,                     -- run time
    due_at      timestamptz not null,                     -- wall time: it may be undone until then
    state       text not null default 'waiting'
        check (state in ('waiting', 'leaving', 'undone', 'sent', 'refused', 'unknown')),
    delivery    text not null default '',                 -- its key in the ledger
    went_by     text,
    reason      text not null default '',
    words       text not null default '',
    settled_at  timestamptz
);
create index case_messages_of_case on case_messages ("case", message);
create unique index case_messages_once on case_messages ("case", once) where once is not null;
create unique index case_messages_by_delivery on case_messages (delivery) where delivery <> '';
create index case_messages_to_send on case_messages (due_at) where state in ('waiting', 'leaving');

create table case_message_files (
    message     bigint not null references case_messages on delete cascade,
    n           integer not null,
    name        text not null,
    media_type  text not null,
    content     bytea not null,
    primary key (message, n)
);

-- What was said in public, each link once, with the case that it is on.
create table case_mentions (
    asked       text primary key,                         -- digest of network and link
    "case"      text not null,
    network     text not null,
    link        text not null,
    text        text not null,
    at          timestamptz not null
);
create index case_mentions_of_case on case_mentions ("case", at);
