-- Running processes own nothing (docs/decisions/0039): what they need of the owner is done by functions that run as the owner.

-- The partition of one month, and what had arrived in that month before; false where it was there already.
create function make_touchpoints_partition(of_month timestamptz) returns boolean
language plpgsql security definer as $$
declare
    begins timestamptz := date_trunc('month', of_month, 'UTC');
    behind timestamptz := date_trunc('month', begins + interval '32 days', 'UTC');
    called text := 'touchpoints_' || to_char(begins at time zone 'UTC', 'YYYY_MM');
begin
    if begins < '1970-01-01 00:00+00' or begins > now() + interval '25 years' then
        raise exception 'no partition is made for %', called using errcode = 'invalid_parameter_value';
    end if;
    -- Not to_regclass: it remembers that there was none, also behind a lock that waited for one.
    if exists (select from pg_inherits i join pg_class c on c.oid = i.inhrelid
                where i.inhparent = 'touchpoints'::regclass and c.relname = called) then
        return false;
    end if;
    perform pg_advisory_xact_lock(1953461603);  -- the number that processes of the release before lock, too
    if exists (select from pg_inherits i join pg_class c on c.oid = i.inhrelid
                where i.inhparent = 'touchpoints'::regclass and c.relname = called) then
        return false;
    end if;
    -- Whoever stores waits from here on, so that nothing slips into the default partition meanwhile.
    lock table touchpoints in access exclusive mode;
    execute format('create table %I (like touchpoints including defaults including constraints)', called);
    execute format(
        'with moved as (delete from touchpoints_other where received_at >= %L and received_at < %L returning *)'
        ' insert into %I select * from moved', begins, behind, called);
    execute format('alter table touchpoints attach partition %I for values from (%L) to (%L)', called, begins, behind);
    return true;
end $$;

-- Whoever inserts a deed has it linked by the owner, and can neither write a link nor move the head.
alter function audit_chained() security definer;

-- A function of the owner looks for names where the owner made them, and nowhere before.
do $$
declare
    called text;
begin
    foreach called in array array['make_touchpoints_partition(timestamptz)', 'audit_chained()'] loop
        execute format('alter function %s set search_path = %I, pg_temp', called, current_schema());
    end loop;
end $$;

-- Nobody but the owner calls them by hand, or has them run by a trigger of their own; stores/rights.py gives back what is needed.
revoke execute on function make_touchpoints_partition(timestamptz), audit_chained(), audit_forge(audit) from public;
