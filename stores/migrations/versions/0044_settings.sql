-- What the delivery processes tell of their channels: nobody else knows it (docs/decisions/0047).
create table channel_reports (
    channel    text primary key,
    is_on      boolean not null,
    settings   jsonb not null,                       -- names of variables, whether they are set; never a secret
    told_by    text not null,                        -- the process that began last
    told_at    timestamptz not null,
    sent_at    timestamptz,                          -- when its provider took a message last
    failed_at  timestamptz,
    failed_why text not null default ''              -- without addresses
);

-- Messages to try a channel with. The delivery processes send them, each once.
create table channel_tests (
    test       bigint generated always as identity primary key,
    form       text not null unique,                 -- a form that is sent twice asks once
    channel    text not null,
    address    text,                                 -- goes as soon as it is settled
    state      text not null default 'waits' check (state in ('waits', 'leaving', 'sent', 'refused', 'busy', 'unknown')),
    words      text not null default '',             -- what the provider answered, without the address
    asked_by   text not null,
    asked_at   timestamptz not null default clock_timestamp(),
    held_to    timestamptz,
    settled_at timestamptz,
    check ((state in ('waits', 'leaving')) = (address is not null))
);
create index channel_tests_to_do on channel_tests (asked_at) where state in ('waits', 'leaving');

-- When a source sent last, to the hour: whoever revokes its key wants to know.
alter table write_keys add column used_at timestamptz;
