-- A file that could not be made is tried again, later and later.
alter table saved_searches
    add column failures smallint not null default 0, -- how often in a row, of the file that is due
    add column due_at   timestamptz;                 -- when that file was due; null where none failed. `next_at` is when it is tried again
