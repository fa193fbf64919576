-- How customers are reached: what they agreed to and prefer, the devices they carry, where they last wrote to us,
-- and what is stopped.

-- Each time a customer agreed or withdrew, with its proof. Of one purpose and channel the newest row counts;
-- channel '' is every channel. What stood in `unsubscribes` is here now; that table goes one release later.
create table consents (
    consent     bigint generated always as identity primary key,
    customer    text not null,
    purpose     text not null check (purpose in ('service', 'marketing')),
    channel     text not null default '',
    given       boolean not null,
    source      text not null,                       -- one-click, page, reply, provider, import, api, staff
    proof       text not null,
    at          timestamptz not null default now()
);
create index consents_of_customer on consents (customer, purpose, channel, consent desc);
insert into consents (customer, purpose, channel, given, source, proof, at)
select customer, purpose, channel, false, 'page', proof, at from unsubscribes;

create table preferences (
    customer    text primary key,
    preferred_channel text,
    channels_off text[] not null default '{}',       -- of marketing
    topics_off  text[] not null default '{}',
    quiet_from  time,                                -- in the customer's own zone
    quiet_to    time,
    paused_until timestamptz,                        -- marketing waits until then
    locale      text,
    changed_at  timestamptz not null default now()
);

create table devices (
    channel     text not null check (channel in ('push', 'webpush')),
    token       text not null,                       -- FCM registration token; the endpoint of a web push subscription
    customer    text not null,
    keys        jsonb not null default '{}',         -- of web push: p256dh, auth
    platform    text not null default '',
    seen_at     timestamptz not null default now(),
    gone_at     timestamptz,                         -- the provider said that it is there no more
    primary key (channel, token)
);
create index devices_of_customer on devices (customer, channel, seen_at desc) where gone_at is null;

-- By which channels a customer has written to us, and when last.
create table conversations (
    customer    text not null,
    channel     text not null,
    address     text not null,                       -- theirs
    heard_at    timestamptz not null,
    primary key (customer, channel)
);

create table stops (
    stop        bigint generated always as identity primary key,
    scope       text not null check (scope in ('everything', 'channel', 'journey')),
    name        text not null default '',            -- of the channel or journey
    reason      text not null,
    began_by    text not null,
    began_at    timestamptz not null default now(),
    lifted_by   text,
    lifted_at   timestamptz
);
create unique index one_stop_at_a_time on stops (scope, name) where lifted_at is null;

-- Files of the whole installation stand beside surveys and offers, under the name `house`.
-- old code: may still write every kind that it knows
alter table published drop constraint published_kind_check;
-- old code: the same
alter table published add constraint published_kind_check
    check (kind in ('survey', 'offer', 'policy', 'identities', 'feelings', 'block'));

-- What providers reported of a delivery. An event that is reported again has the same id.
create table delivery_feedback (
    event_id    text primary key,                    -- provider, and its id of the event
    delivery    text not null,                       -- key in the ledger
    customer    text not null,
    channel     text not null,
    kind        text not null check (kind in
        ('delivered', 'opened', 'clicked', 'bounced', 'complained', 'unsubscribed', 'replied')),
    detail      text not null default '',
    at          timestamptz not null
);
create index feedback_of_delivery on delivery_feedback (delivery);
create index feedback_of_customer on delivery_feedback (customer, channel, at desc);
create index deliveries_by_provider_id on deliveries (provider_id) where provider_id is not null;

-- What customers wrote to us, by any channel, whole.
create table inbound_messages (
    reply       text primary key,                    -- channel, and the provider's id of it
    customer    text,                                -- null where nobody knows who wrote
    channel     text not null,
    address     text not null,                       -- theirs
    sent_to     text not null default '',            -- ours
    subject     text not null default '',
    text        text not null default '',            -- without what it quotes
    whole       text not null default '',
    delivery    text,                                -- key of what it answers
    entry       bigint,                              -- the run that this belongs to
    "case"      text,
    kind        text not null default 'reply' check (kind in ('reply', 'automatic', 'bounce', 'stop', 'start', 'help')),
    received_at timestamptz not null default now()
);
create index inbound_of_customer on inbound_messages (customer, received_at desc);
create table inbound_files (
    reply       text not null references inbound_messages on delete cascade,
    n           integer not null,
    name        text not null,
    media_type  text not null,
    content     bytea not null,
    primary key (reply, n)
);
