-- Acts of a third kind: those who wait go on now. No build before this one meets an act of it that can be done: only runs
-- of engine 4 can be nudged, and none is born while a process is at work that does not know it.
-- old code: may still write every kind that it knows
alter table bulk_acts drop constraint bulk_acts_kind_check;
-- old code: the same
alter table bulk_acts add constraint bulk_acts_kind_check check (kind in ('end', 'move', 'nudge'));

-- What was there before goes on as it is, until `clew engine raise 4`: an old build may be at work.
update engine set engine = 4
 where engine = 3 and not exists (select from runs) and not exists (select from processes);
