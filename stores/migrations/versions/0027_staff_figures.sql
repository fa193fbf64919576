-- What was decided in a queue lately, and what happened to cases since: for suggestions and figures.
create index cases_decided on cases (queue, (coalesce(resolved_at, reopened_at)) desc nulls last)
    where decision is not null;
create index case_events_by_time on case_events (at);
