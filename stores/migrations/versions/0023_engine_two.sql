-- What was there before goes on as it is, until `clew engine raise 2`: an old build may be at work.

update engine set engine = 2
 where engine = 1 and not exists (select from runs) and not exists (select from processes);
