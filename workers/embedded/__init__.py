"""The servers that come with a checkout: PostgreSQL and Temporal, which end with their parent."""
