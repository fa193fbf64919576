-- Who complains of marketing still hears what they must know; an address that does not exist hears nothing.
alter table suppressed_addresses add column marketing_only boolean not null default false;
