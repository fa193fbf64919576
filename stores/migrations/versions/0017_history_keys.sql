-- owner: the customer as the workflow ids of their runs name them. wrapped is null once it is destroyed:
-- the row stays, so that no new key is ever made for that owner.
create table history_keys (
    owner text not null,
    n int not null check (n >= 1),
    master text,
    wrapped bytea,
    created_at timestamptz not null default now(),
    destroyed_at timestamptz,
    primary key (owner, n),
    check ((wrapped is null) = (destroyed_at is not null))
);

create index history_keys_master on history_keys (master) where wrapped is not null;
