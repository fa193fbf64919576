-- What was asked for in a stretch of time is found without reading the whole ledger (stores/delivery_looks.py).
create index deliveries_by_asking on deliveries (asked_at, entry, n);
