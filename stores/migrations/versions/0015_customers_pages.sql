-- Customers ask for a person by themselves: a case that belongs to no run has entry 0, a number from here, and no
-- workflow id. `asked` is the form that it was asked with: sent twice, it is one case.
create sequence cases_asked_for;
alter table cases add column asked text;
-- old code: never fills it
create unique index cases_asked_once on cases (asked) where asked is not null;
