-- The audit: each deed is chained to the one before, nobody changes one, and what erasure takes leaves its digest.

alter table audit add column actor text not null default '';       -- as whom they proved themselves; `who` is what they said
alter table audit add column ip text not null default '';          -- of staff and their programs, never of customers
alter table audit add column request text not null default '';     -- X-Request-Id
alter table audit add column before text not null default '';      -- SHA-256 of the object as it was, '' where not told
alter table audit add column after text not null default '';
alter table audit add column detail_digest text not null default '';  -- SHA-256 of `detail`: it stays when that is erased
alter table audit add column erased_at timestamptz;

update audit set detail_digest = encode(sha256(convert_to(detail::text, 'UTF8')), 'hex');

-- The chain stands beside the deeds, and is forged as the last thing of a transaction: whoever writes down a deed in
-- the middle of their work makes nobody wait until then, and cannot come to a deadlock.
create table audit_chain (
    n           bigint primary key,                  -- 1, 2, 3 …: a gap is a deed that was taken out
    audit       bigint not null unique,
    hash        bytea not null
);
create table audit_head (
    one         boolean primary key default true check (one),
    n           bigint not null,
    hash        bytea not null
);
insert into audit_head (n, hash) values (0, sha256('clew audit'));

-- Each part with its length before it, so that no two rows have the same text. stores/audit_chain.py says the same in Python.
create function audit_text(row_of audit, n bigint) returns text language sql immutable as $$
    select string_agg(octet_length(part) || ':' || part, ',' order by place)
      from unnest(array[
        n::text, row_of.audit::text,
        to_char(row_of.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
        row_of.who, row_of.did, row_of.object, row_of.detail_digest,
        row_of.actor, row_of.ip, row_of.request, row_of.before, row_of.after
      ]) with ordinality as parts (part, place)
$$;

create function audit_digest() returns trigger language plpgsql as $$
begin
    new.detail_digest := encode(sha256(convert_to(new.detail::text, 'UTF8')), 'hex');
    new.erased_at := null;
    return new;
end $$;

create function audit_forge(deed audit) returns void language plpgsql as $$
declare
    head audit_head;
    link bytea;
begin
    select * into head from audit_head for update;
    link := sha256(head.hash || convert_to(audit_text(deed, head.n + 1), 'UTF8'));
    insert into audit_chain (n, audit, hash) values (head.n + 1, deed.audit, link);
    update audit_head set n = head.n + 1, hash = link;
end $$;

create function audit_chained() returns trigger language plpgsql as $$
begin
    perform audit_forge(new);
    return null;
end $$;

create function audit_stays() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and tg_table_name = 'audit' then
        if new.detail = '{}' and new.erased_at is not null
           and to_jsonb(new) - 'detail' - 'erased_at' = to_jsonb(old) - 'detail' - 'erased_at' then
            return new;
        end if;
    end if;
    raise exception '% is append-only: what was done stays written', tg_table_name
        using errcode = 'insufficient_privilege';
end $$;

do $$
declare
    deed audit;
begin
    for deed in select * from audit order by audit loop
        perform audit_forge(deed);
    end loop;
end $$;

create trigger audit_digest before insert on audit for each row execute function audit_digest();
create constraint trigger audit_chained after insert on audit
    deferrable initially deferred for each row execute function audit_chained();
create trigger audit_stays before update or delete on audit for each row execute function audit_stays();
create trigger audit_stays_whole before truncate on audit for each statement execute function audit_stays();
create trigger audit_chain_stays before update or delete on audit_chain
    for each row execute function audit_stays();
create trigger audit_chain_stays_whole before truncate on audit_chain
    for each statement execute function audit_stays();

-- Whoever owns the tables has these rights by default; what erasure needs is given back by the column.
revoke update, delete, truncate on audit, audit_chain from public, current_user;
grant update (detail, erased_at) on audit to current_user;

-- Who may come in by which door, and until when.

alter table write_keys add column scopes text[] not null default '{ingest,devices}';
alter table write_keys add column expires_at timestamptz;

create table staff_tokens (
    digest      bytea primary key,                   -- SHA-256 of the token; the token itself is shown once
    name        text not null,
    role        text not null check (role ~ '^[a-z_]+$'),
    created_at  timestamptz not null default now(),
    expires_at  timestamptz,
    revoked_at  timestamptz
);
create index staff_tokens_of_name on staff_tokens (name);
