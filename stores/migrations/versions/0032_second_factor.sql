-- A second factor of staff who sign in by password, and where each of them is signed in.

-- A name of a session that opens nothing, where it was begun and how, and when its member proved themselves again.
alter table staff_sessions add column session uuid not null default gen_random_uuid();
alter table staff_sessions add column place text not null default 'inbox';          -- or 'histories'
alter table staff_sessions add column how text not null default '';
alter table staff_sessions add column address text not null default '';
alter table staff_sessions add column browser text not null default '';
alter table staff_sessions add column proved_at timestamptz;
-- old code: never says the name of a session, and each is made by chance
create unique index staff_sessions_by_name on staff_sessions (session);

-- The key that a member's phone makes codes of, sealed. One counts; another may be offered meanwhile.
create table second_factors (
    member     text not null references members on delete cascade,
    state      text not null check (state in ('offered', 'counts')),
    master     text not null,
    secret     bytea not null,
    last_step  bigint not null default 0,              -- whose code was taken last: none of it or before counts again
    made_at    timestamptz not null,
    primary key (member, state)
);

-- Codes for whoever lost their phone: the SHA-256 of 120 random bits. One that was used is gone.
create table recovery_codes (
    digest bytea primary key,
    member text not null references members on delete cascade
);
create index recovery_codes_of_member on recovery_codes (member);

-- Who knew the password, and has to show the second factor: no session yet.
create table half_sign_ins (
    digest     bytea primary key,
    member     text not null references members on delete cascade,
    leads_to   text not null,
    expires_at timestamptz not null
);
create index half_sign_ins_over on half_sign_ins (expires_at);

-- Who is on their way from the inbox to the page of histories. Each is used once.
create table staff_passages (
    digest     bytea primary key,
    member     text not null references members on delete cascade,
    how        text not null,
    expires_at timestamptz not null
);
create index staff_passages_over on staff_passages (expires_at);

-- Logins at the provider by which somebody who is signed in proves themselves again: of which session.
alter table openid_logins add column again uuid;
alter table openid_logins add column began_at timestamptz;
