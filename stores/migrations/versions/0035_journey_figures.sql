-- Figures of journeys: who stands where, for how long, which ways they go, and how it ends.
--
-- A fact is a count of something that a record says: `hour` (hours since 1970 UTC), `address` (of a step; '' is the
-- whole journey), `kind`, `way`, and so many. Every row of runs, trace and stays stands for its facts; what changes a
-- row changes its facts by as much (`figure_moves`), and whoever folds them adds them up (`journey_figures`). So the
-- figures are the sum over the records, whatever wrote them, and can be had again from nothing.

-- Where a run stands, as address → since when; a stage has its name for an address. Of one that is over: where it
-- stood when it ended. Runs that have told nothing since they learned to tell it have their stage alone.
alter table runs add column stands jsonb not null default '{}';

-- Each time that a run stood at a step, for a second or longer. Written as it leaves.
create table stays (
    entry       bigint not null,
    address     text not null,
    since       timestamptz not null,                -- run time, as `until`
    until       timestamptz not null
);
create index stays_of_run on stays (entry);

create table figure_moves (
    journey     text not null,
    version     text not null,
    facts       json not null                        -- [[hour, address, kind, way, n, milliseconds], …]
);
alter table figure_moves set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create table journey_figures (
    journey     text not null,
    span        smallint not null check (span in (1, 24)), -- hours
    at          integer not null,                    -- the hour with which it begins, since 1970 UTC
    version     text not null,
    address     text not null,
    kind        text not null,
    way         text not null,
    n           bigint not null,
    milliseconds bigint not null,                    -- of stays: how long they were together
    primary key (journey, span, at, version, address, kind, way)
);
create index figures_of_who_stands on journey_figures (journey, version, address) where kind = 'stands';
create index figures_of_whole_journeys on journey_figures (span, at) where address = '';
create index figures_come_to_nothing on journey_figures (journey) where n = 0;

-- What records said that erasure took out: counts, and nobody's.
create table kept_figures (
    journey     text not null,
    version     text not null,
    hour        integer not null,
    address     text not null,
    kind        text not null,
    way         text not null,
    n           bigint not null,
    milliseconds bigint not null,
    primary key (journey, hour, version, address, kind, way)
);

-- Whether what was there before the figures is in them.
create table figures_standing (
    one_row     boolean primary key default true check (one_row),
    counted_at  timestamptz
);
insert into figures_standing default values;

create index runs_that_need_people on runs (journey, entry) where state = 'open' and needs_attention is not null;

create type fact as (hour integer, address text, kind text, way text, n integer, milliseconds bigint);

create function hour_of(at timestamptz) returns integer language sql immutable
    return floor(extract(epoch from at) / 3600)::integer;

-- Which way a decision went, in the same words for everybody.
create function way_taken(kind text, why text) returns text language sql immutable
    return left(case when kind in ('chose', 'met', 'reacted') then why
                     when kind = 'arm' then split_part(why, ' of ', 1)
                     when kind = 'stage' and why like 'came back to %' then 'again'
                     when kind = 'decided' then regexp_replace(why, '^.* decided: ', '')
                     when kind = 'answered' then regexp_replace(why, '^.* answered: ', '')
                     when kind = 'run' and why like '% ended: %' then regexp_replace(why, '^.* ended: ', '')
                     else '' end, 200);

-- Quarters of an octave: a bucket's ends are 19 % apart.
create function stay_bucket(lasted interval) returns text language sql immutable
    return floor(ln(greatest(extract(epoch from lasted), 1)) / ln(2) * 4)::text;

create function trace_facts(at timestamptz, address text, kind text, why text)
    returns setof fact language sql immutable begin atomic
    select hour_of(at), address, kind, way_taken(kind, why), 1, 0::bigint;
end;

create function stay_facts(address text, since timestamptz, until timestamptz)
    returns setof fact language sql immutable begin atomic
    select hour_of(since), address, 'came', '', 1, 0::bigint
    union all select hour_of(until), address, 'went', '', 1, 0
    union all select hour_of(until), address, 'stay', stay_bucket(until - since), 1,
                     (extract(epoch from until - since) * 1000)::bigint;
end;

create function run_facts(state text, reason text, held_out boolean, goal boolean, outcome text, stage text, stands jsonb,
                          entered_at timestamptz, finished_at timestamptz)
    returns setof fact language sql immutable begin atomic
    select hour_of(entered_at), '', 'not_admitted', coalesce(reason, ''), 1, 0::bigint
     where state = 'not_admitted'
    union all select hour_of(entered_at), '', 'held_out', '', 1, 0 where held_out
    union all select hour_of(coalesce(finished_at, entered_at)), '', w.kind, coalesce(outcome, ''), 1, 0
      from (values ('ended', true), ('goal', goal), ('held_out_ended', held_out),
                   ('held_out_goal', held_out and goal)) w(kind, holds)
     where state = 'finished' and w.holds
    union all select 0, coalesce(stage, ''), 'in', '', 1, 0 where state = 'open'
    union all select hour_of(s.value::timestamptz), s.key, w.kind, '', 1, 0
      from jsonb_each_text(stands) s cross join (values ('came'), ('stands')) w(kind)
     where state = 'open'
    union all select hour_of(coalesce(finished_at, entered_at)), s.key, 'left', coalesce(outcome, ''), 1, 0
      from jsonb_each_text(stands) s where state = 'finished';
end;

-- Whoever erases says so, and keeps the figures: then what goes changes nothing.
create function figures_are_kept() returns boolean language sql stable
    return coalesce(current_setting('clew.figures_are_kept', true), '') = 'yes';

-- Rows came (1) or went (-1); the facts of trace and stays belong to the version that their run has now.
create function trace_counted() returns trigger language plpgsql as $$
begin
    if not figures_are_kept() then
        insert into figure_moves (journey, version, facts)
        select journey, version, json_agg(json_build_array(hour, address, kind, way, n, milliseconds))
          from (select r.journey, coalesce(r.version, '') as version, f.hour, f.address, f.kind, f.way,
                       tg_argv[0]::integer * sum(f.n) as n, 0 as milliseconds
                  from changed c join runs r on r.entry = c.entry cross join lateral trace_facts(c.at, c.address, c.kind, c.why) f
                 group by 1, 2, 3, 4, 5, 6) f
         group by 1, 2;
    end if;
    return null;
end $$;

create function stay_counted() returns trigger language plpgsql as $$
begin
    if not figures_are_kept() then
        insert into figure_moves (journey, version, facts)
        select journey, version, json_agg(json_build_array(hour, address, kind, way, n, milliseconds))
          from (select r.journey, coalesce(r.version, '') as version, f.hour, f.address, f.kind, f.way,
                       tg_argv[0]::integer * sum(f.n) as n, tg_argv[0]::integer * sum(f.milliseconds) as milliseconds
                  from changed c join runs r on r.entry = c.entry cross join lateral stay_facts(c.address, c.since, c.until) f
                 group by 1, 2, 3, 4, 5, 6) f
         group by 1, 2;
    end if;
    return null;
end $$;

create function run_counted() returns trigger language plpgsql as $$
begin
    if not figures_are_kept() then
        insert into figure_moves (journey, version, facts)
        select journey, version, json_agg(json_build_array(hour, address, kind, way, n, milliseconds))
          from (select c.journey, coalesce(c.version, '') as version, f.hour, f.address, f.kind, f.way,
                       tg_argv[0]::integer * sum(f.n) as n, 0 as milliseconds
                  from changed c cross join lateral run_facts(c.state, c.reason, c.held_out, c.goal, c.outcome,
                                       c.stage, c.stands, c.entered_at, c.finished_at) f
                 group by 1, 2, 3, 4, 5, 6) f
         group by 1, 2;
    end if;
    return null;
end $$;

create function run_moved_on() returns trigger language plpgsql as $$
begin
    if figures_are_kept() then
        return null;
    end if;

    -- An end that is undone was no leaving.
    delete from stays s using was w join now_is n on n.entry = w.entry
     where w.state = 'finished' and n.state = 'open' and s.entry = w.entry and s.until = w.finished_at;

    insert into stays (entry, address, since, until)
    select w.entry, s.key, s.value::timestamptz, l.until
      from was w join now_is n on n.entry = w.entry
     cross join lateral jsonb_each_text(w.stands) s
     cross join lateral (select case when n.state = 'finished' then coalesce(n.finished_at, n.entered_at) else n.recorded_at end
                                 as until) l
     where w.state <> 'not_admitted' and (w.stands <> n.stands or w.state <> n.state)
       and not (w.state = 'finished' and n.state = 'finished')
       and (n.state = 'finished' or n.stands -> s.key is distinct from w.stands -> s.key)
       and l.until - s.value::timestamptz >= interval '1 second';

    insert into figure_moves (journey, version, facts)
    select journey, version, json_agg(json_build_array(hour, address, kind, way, n, milliseconds))
      from (select t.journey, t.version, t.hour, t.address, t.kind, t.way, sum(t.sign * t.n) as n,
                   sum(t.sign * t.milliseconds) as milliseconds
              from was w join now_is n on n.entry = w.entry
             cross join lateral (select w.journey, coalesce(w.version, '') as version, -1 as sign, f.* from run_facts(w.state, w.reason, w.held_out, w.goal, w.outcome,
                                       w.stage, w.stands, w.entered_at, w.finished_at) f
                                 union all
                                 select n.journey, coalesce(n.version, ''), 1, f.* from run_facts(n.state, n.reason, n.held_out, n.goal, n.outcome,
                                       n.stage, n.stands, n.entered_at, n.finished_at) f) t
             where (w.journey, w.version, w.state, w.stage, w.stands, w.finished_at, w.outcome, w.goal, w.held_out)
                   is distinct from
                   (n.journey, n.version, n.state, n.stage, n.stands, n.finished_at, n.outcome, n.goal, n.held_out)
             group by 1, 2, 3, 4, 5, 6 having sum(t.sign * t.n) <> 0) f
     group by 1, 2;

    -- Moved to another version, a run takes along what it did.
    if exists (select from was w join now_is n on n.entry = w.entry
                where coalesce(w.version, '') <> coalesce(n.version, '')) then
        insert into figure_moves (journey, version, facts)
        select journey, version, json_agg(json_build_array(hour, address, kind, way, n, milliseconds))
          from (select m.journey, m.version, f.hour, f.address, f.kind, f.way, sum(m.sign * f.n) as n,
                       sum(m.sign * f.milliseconds) as milliseconds
                  from (select w.entry, v.*
                          from was w join now_is n on n.entry = w.entry
                         cross join lateral (values (w.journey, coalesce(w.version, ''), -1),
                                                    (n.journey, coalesce(n.version, ''), 1)) v(journey, version, sign)
                         where coalesce(w.version, '') <> coalesce(n.version, '')) m
                 cross join lateral (select f.* from trace t cross join lateral trace_facts(t.at, t.address, t.kind, t.why) f where t.entry = m.entry
                                     union all
                                     select f.* from stays s cross join lateral stay_facts(s.address, s.since, s.until) f where s.entry = m.entry) f
                 group by 1, 2, 3, 4, 5, 6) f
         group by 1, 2;
    end if;
    return null;
end $$;

create trigger trace_counted after insert on trace
    referencing new table as changed for each statement execute function trace_counted('1');
create trigger trace_counted_anew after update on trace
    referencing new table as changed for each statement execute function trace_counted('1');
create trigger trace_no_longer_so after update on trace
    referencing old table as changed for each statement execute function trace_counted('-1');
create trigger trace_forgotten after delete on trace
    referencing old table as changed for each statement execute function trace_counted('-1');
create trigger stay_counted after insert on stays
    referencing new table as changed for each statement execute function stay_counted('1');
create trigger stay_forgotten after delete on stays
    referencing old table as changed for each statement execute function stay_counted('-1');
create trigger run_counted after insert on runs
    referencing new table as changed for each statement execute function run_counted('1');
create trigger run_forgotten after delete on runs
    referencing old table as changed for each statement execute function run_counted('-1');
create trigger run_moved_on after update on runs
    referencing old table as was new table as now_is for each statement execute function run_moved_on();
