-- The inbox: who of staff is signed in, when a case is due, what a member keeps for themselves.

-- The next of the deadlines that run: none while the customer is to answer, and the first answer's only until it was given.
-- old code: writes what it is made of, and never it
alter table cases add column due_at timestamptz generated always as (
    case when state = 'pending' then null
         when answered_at is null then least(first_answer_by, next_answer_by, resolve_by)
         else least(next_answer_by, resolve_by) end) stored;
create index cases_due_of_queue
    on cases (queue, coalesce(due_at, 'infinity'::timestamptz), opened_wall, "case") where under_way;
create index cases_due on cases (coalesce(due_at, 'infinity'::timestamptz), opened_wall, "case") where under_way;
create index cases_for_approval on cases (queue) where under_way and approval is not null;
create index cases_over on cases (queue, resolved_at desc, "case") where not under_way;

-- Whoever has the cookie is the member; of the cookie only its SHA-256 is kept.
create table staff_sessions (
    digest     bytea primary key,
    member     text not null references members on delete cascade,
    created_at timestamptz not null,
    used_at    timestamptz not null,
    expires_at timestamptz not null
);
create index staff_sessions_of_member on staff_sessions (member);
create index staff_sessions_over on staff_sessions (expires_at);

-- How often it was tried to sign in since a moment: by the SHA-256 of a name, an address, or both.
create table sign_in_tries (
    whose bytea primary key,
    tries integer not null,
    since timestamptz not null
);

-- Logins that are under way at the OpenID provider. Each is used once.
create table openid_logins (
    digest     bytea primary key,                         -- of its state
    nonce      text not null,
    verifier   text not null,
    leads_to   text not null,
    expires_at timestamptz not null
);
create index openid_logins_over on openid_logins (expires_at);

-- What a member looks at often.
create table inbox_views (
    view    bigint generated always as identity primary key,
    member  text not null references members on delete cascade,
    name    text not null,
    filters jsonb not null,
    unique (member, name)
);

-- What staff say often, with variables; a macro does something besides.
create table canned_replies (
    reply  bigint generated always as identity primary key,
    member text references members on delete cascade,     -- null: the house's
    name   text not null,
    text   text not null,
    act    text not null default ''                       -- '', 'wait', 'snooze 1d', 'queue NAME'
);
create unique index canned_replies_by_name on canned_replies (coalesce(member, ''), name);

-- Who writes on a case just now.
create table case_writers (
    "case" text not null,
    member text not null references members on delete cascade,
    at     timestamptz not null,
    primary key ("case", member)
);
create index case_writers_by_time on case_writers (at);
