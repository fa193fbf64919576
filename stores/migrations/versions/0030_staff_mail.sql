-- Staff answer from where they are.

-- What Slack signed and we took already: played again within its five minutes it does nothing.
create table slack_requests (
    digest text primary key,
    at timestamptz not null default clock_timestamp()
);
create index slack_requests_at on slack_requests (at);

-- Up to which event members of staff were looked for who are written to; one row.
create table staff_mail_cursor (
    one boolean primary key default true check (one),
    told_to bigint not null
);
insert into staff_mail_cursor (told_to) select coalesce(max(event), 0) from case_events;

-- Mails to members of staff: one for each event and member, or for each answer to a mail of theirs.
create table staff_mails (
    mail      bigint generated always as identity primary key,
    about     text not null,                  -- 'event/<number>', or 'answer/<their mail>'
    member    text not null,
    "case"    text not null,
    kind      text not null check (kind in ('given', 'asked', 'answer')),
    words     text not null default '',
    state     text not null default 'waiting'
              check (state in ('waiting', 'leaving', 'sent', 'unknown', 'refused')),
    attempts  integer not null default 0,
    next_at   timestamptz not null default clock_timestamp(),
    held_to   timestamptz,
    why       text not null default '',
    made_at   timestamptz not null default clock_timestamp(),
    unique (about, member)
);
create index staff_mails_waiting on staff_mails (next_at) where state in ('waiting', 'leaving');
create index staff_mails_of_case on staff_mails ("case");
create index staff_mails_of_member on staff_mails (member, made_at);

-- What members answered by mail, and how many of its orders were done.
create table staff_replies (
    reply  text primary key,
    member text not null,
    "case" text not null,
    done   integer not null default 0,
    at     timestamptz not null default clock_timestamp()
);
create index staff_replies_of_case on staff_replies ("case");
