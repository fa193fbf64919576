"""HTTP: ingest, control, staff and customers' own pages."""
