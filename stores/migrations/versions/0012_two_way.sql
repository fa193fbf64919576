-- What customers write to us, threaded to what we wrote to them.

alter table inbound_messages add column reason text not null default '';  -- why no touchpoint was made of it
create index inbound_of_address on inbound_messages (channel, address, received_at desc);
create index inbound_of_strangers on inbound_messages (address) where customer is null;

-- A text message names nothing that it answers: the newest delivery to that number counts.
create index deliveries_to_address on deliveries (channel, address, settled_at desc)
    where channel <> 'email' and state in ('accepted', 'unknown');
