"""Which ways beyond this machine are encrypted, and which may be in the clear because somebody said so.

What leaves this machine is encrypted, and whoever is reached shows a certificate that is checked; a host that
`CLEW_UNENCRYPTED` names is taken for one of a private network.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

CHECKED = frozenset({"verify-full", "verify-ca"})
"""The ways of libpq to encrypt in which a certificate counts; `require` and `prefer` take any, or none."""


def is_this_machine(host: str) -> bool:
    """Whether who is named is this machine: loopback, or a socket in a folder."""
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def in_the_clear(hosts: Iterator[str] | Collection[str], allowed: Collection[str]) -> list[str]:
    """Of hosts that are reached without TLS, those that nobody allowed."""
    return [each for each in hosts if not is_this_machine(each) and each not in allowed]


def database_hosts_in_the_clear(
    url: str, allowed: Collection[str], environment: Mapping[str, str] = os.environ
) -> list[str]:
    """Hosts of PostgreSQL that could be somebody else's, or overheard. What cannot be read names none."""
    # Not every process that reads settings has a database.
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        read = conninfo_to_dict(url)
    except ProgrammingError:
        return []  # whoever connects says what is wrong with it
    said = {name: str(value) for name, value in read.items() if value is not None}
    if (said.get("sslmode") or environment.get("PGSSLMODE", "")) in CHECKED:
        return []
    hosts = said.get("host") or said.get("hostaddr") or environment.get("PGHOST", "")
    return in_the_clear(hosts.split(","), allowed)


def web_host_in_the_clear(url: str, allowed: Collection[str]) -> list[str]:
    """The host of an address that begins with http://, unless it may be so."""
    parts = urlsplit(url)
    return in_the_clear([parts.hostname or ""], allowed) if parts.scheme == "http" else []
