-- What customers choose from stands in the order of its author: jsonb orders names by their length.
-- old code: none was released before 0.1.0
alter table published alter column source type json using source::json;
