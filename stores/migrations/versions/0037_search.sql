-- Whom one looks for: by a trait, and by when they entered. Where they stand has its indexes.
create index customers_by_trait on customers using gin (traits jsonb_path_ops);
create index runs_by_entered on runs (entered_at);

-- Searches that are kept, and made a file of on time by whichever router comes first.
create table saved_searches (
    search      bigint generated always as identity primary key,
    name        text not null unique,
    conditions  jsonb not null,                      -- as the form has them; never an identity
    traits      text[] not null,                     -- columns of the file
    format      text not null check (format in ('csv', 'parquet')),
    every       text not null check (every in ('day', 'week')),
    weekday     smallint not null check (weekday between 0 and 6), -- Monday is 0; of every week
    hour        smallint not null check (hour between 0 and 23),
    zone        text not null,                       -- IANA time zone, checked when written
    saved_by    text not null,
    saved_at    timestamptz not null default now(),
    next_at     timestamptz not null                 -- wall time
);
create index searches_that_are_due on saved_searches (next_at);

create table search_files (
    file        bigint generated always as identity primary key,
    search      bigint not null references saved_searches on delete cascade,
    due_at      timestamptz not null,
    made_at     timestamptz not null,
    rows        integer not null,
    cut         boolean not null,                    -- there was more
    customers   text[] not null,                     -- whom it is of: erasing one of them deletes it
    content     bytea not null,
    failed      text not null,                       -- why there is none; '' of a file
    unique (search, due_at)
);
alter table search_files alter column content set storage external; -- Parquet is packed already, and CSV goes soon
create index search_files_of_customer on search_files using gin (customers);
create index search_files_by_age on search_files (made_at);
