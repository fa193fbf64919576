-- Staff answer from where they are.

-- What Slack signed and we took already: played again within its five minutes it does nothing.
create table slack_requests (
    digest text primary key,
    at timestamptz not null default clock_timestamp()
);
create index slack_requests_at on slack_requests (at);
