"""The peers that keep everything in PostgreSQL: DBOS and procrastinate."""

from benchmarks.side_by_side.peers.peer import Peer


class Dbos(Peer):
    """Durable functions in the process that takes the touchpoints."""

    name = "dbos"
    title = "DBOS, durable functions in one process"
    licence = "MIT"
    module = "benchmarks.side_by_side.peers.dbos_app"
    packages = ("dbos", "sqlalchemy", "psycopg")


class Procrastinate(Peer):
    """Jobs with a time, and tables for whoever has bought and whoever waits."""

    name = "procrastinate"
    title = "procrastinate, jobs in PostgreSQL"
    licence = "MIT"
    module = "benchmarks.side_by_side.peers.procrastinate_app"
    packages = ("procrastinate", "psycopg")
    kinds = ("worker", "door")
