-- The inbox inside a business's own app: what we put there, and what the customer did with it.
create table inbox_messages (
    message     bigint generated always as identity primary key,
    delivery    text not null unique,                -- key in the ledger
    customer    text not null,
    purpose     text not null check (purpose in ('service', 'marketing')),
    subject     text not null,
    text        text not null,
    html        text,
    link        text,
    unsubscribe text,
    locale      text,
    replaced_by text,                                -- key of what corrects it: it is shown no more
    at          timestamptz not null,
    read_at     timestamptz,
    archived_at timestamptz
);
create index inbox_of_customer on inbox_messages (customer, message desc) where replaced_by is null;
create index inbox_unread on inbox_messages (customer)
    where read_at is null and archived_at is null and replaced_by is null;
