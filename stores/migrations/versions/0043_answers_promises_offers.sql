-- What was answered, newest first, without reading the rows: what was said, and in which run.
create index answers_counted on answers (survey, at) include (score, choice, entry);
-- Who gave a score, who chose, who wrote.
create index answers_by_score on answers (survey, score, at) where score is not null;
create index answers_by_choice on answers (survey, choice, at) where choice is not null;
create index answers_with_words on answers (survey, at) where words <> '';

-- Promises by when they are due; those that customers wait for apart, so that whoever waits longest is found first.
create index promises_due on promises (by) include (state, name, entry);
create index promises_waited_for on promises (by, entry, n) include (state, name) where state in ('open', 'late');
create index promises_settled on promises (state, by, entry, n) where state not in ('open', 'late');

-- Coupons by when they were given and when they ended, and those that may still be used.
create index coupons_granted on coupons (offer, granted_at) include (state, journey, amount);
create index coupons_ended on coupons (offer, settled_at) include (state, journey, amount) where settled_at is not null;
create index coupons_of_offer_open on coupons (offer, expires_at) include (journey, amount) where state = 'open';
