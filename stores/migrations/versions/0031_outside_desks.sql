-- Desks outside of ours that show cases: up to which event each one was told, and what it is asked next.
create table outside_desks (
    desk       text primary key,
    told_to    bigint not null,
    asked_to   text not null default '',
    asked_at   timestamptz not null default '-infinity',
    failures   integer not null default 0,
    failed_why text not null default '',
    next_at    timestamptz not null default clock_timestamp(),
    held_to    timestamptz
);

-- Under which id a case stands there, and which decision of it was taken last.
create table shown_cases (
    "case"     text not null,
    desk       text not null,
    outside_id text not null,
    taken      text not null default '',
    primary key ("case", desk)
);
