"""Temporal as one runs it in production, on one machine: its server's own program, several of them, on PostgreSQL."""
