"""Where a library of others may connect while it works for us: it looks names up again, and follows who leads on.

What it connects to is looked at by the interpreter itself (https://docs.python.org/3/library/sys.html#sys.addaudithook),
so nothing in the library goes around it. A hook stays for good and costs a comparison of two texts per audited event.
"""

import sys
from collections.abc import Collection, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from channels.public_address import is_public


class PrivateConnectionError(OSError):
    """A library was led to an address that it may not connect to."""


_allowed: ContextVar[frozenset[str] | None] = ContextVar("allowed", default=None)


@contextmanager
def only_public(allowed: Collection[str] = ()) -> Generator[None]:
    """Within, one connects to public addresses and to the IP addresses in `allowed`, and to no others.

    It holds in this context (contextvars), so also in threads that are given a copy of it. What
    connects elsewhere meets `PrivateConnectionError`, an `OSError` as of a place where nobody is.
    """
    _install()
    before = _allowed.set(frozenset(allowed))
    try:
        yield
    finally:
        _allowed.reset(before)


@cache
def _install() -> None:
    sys.addaudithook(_look)


def _look(event: str, args: tuple[Any, ...]) -> None:
    if event != "socket.connect":
        return
    allowed = _allowed.get()
    if allowed is None:
        return
    address: object = args[1]
    host = str(address[0]) if isinstance(address, tuple) else ""  # pyright: ignore[reportUnknownArgumentType] -- whatever the library passes
    if host in allowed:
        return
    try:
        public = is_public(host)
    except ValueError:
        public = False  # a socket of this machine, or a name that nobody looked at
    if not public:
        raise PrivateConnectionError(f"{host or 'a socket of this machine'} is no public address")
