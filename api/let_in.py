"""Who was let in and who was sent away, in the log: by which door, with which proof, and never with what.

Of doors that are asked many times a second, one line an hour says that a proof still opens them.
"""

import re
import time
from collections.abc import Callable

import structlog
from starlette.types import Scope

from api.doors import DOORS, Proof


def _pattern(path: str) -> re.Pattern[str]:
    """What a path of the table stands for: `{name}` is one part of it, `{name:path}` all that follows."""
    parts = re.split(r"(\{[^}]+\})", path)
    some = {True: ".+", False: "[^/]+"}
    return re.compile(
        "".join(some[":path" in each] if each[:1] == "{" else re.escape(each) for each in parts)
    )


_DOORS: dict[tuple[str, str], Proof] = {(each.method, each.path): each.proof for each in DOORS}
_PATTERNS = [(each, _pattern(each.path)) for each in DOORS if "{" in each.path]
_NAMED: frozenset[Proof] = frozenset({"staff", "write_key", "devices_key"})
"""Whoever looks at these proofs knows a name, and tells of it."""

_OFTEN: frozenset[Proof] = frozenset({"inbox_token"})
_SECONDS = 3_600.0
_TOLD = "told_of_entrance"
_log = structlog.get_logger(__name__)


def is_told(scope: Scope) -> None:
    """Whoever judged this request has said so already, with more than is known here."""
    scope.setdefault("state", {})[_TOLD] = True


class Entrances:
    """Tells of each answer. `monotonic_clock` says when an hour is over."""

    def __init__(self, monotonic_clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = monotonic_clock
        self._said: dict[str, float] = {}

    def answered(self, scope: Scope, status: int, named: str) -> None:
        """What a request, which is named so, was answered."""
        refused = 400 <= status < 500
        door, proof = _door(scope["method"], scope.get("path", ""))
        if scope.get("state", {}).get(_TOLD) or not (refused or proof != "none"):
            return
        told = {"door": door, "proof": proof, "status": status, "request": named}
        if refused:
            ip = scope["client"][0] if scope.get("client") else ""
            _log.info("request refused", method=scope["method"], ip=ip, **told)
        elif status < 400 and proof not in _NAMED and self._is_news(door, proof):
            _log.info("let in", method=scope["method"], **told)

    def _is_news(self, door: str, proof: Proof) -> bool:
        if proof not in _OFTEN:
            return True
        now, before = self._clock(), self._said.get(door)
        if before is not None and now - before < _SECONDS:
            return False
        self._said[door] = now
        return True


def _door(method: str, path: str) -> tuple[str, Proof]:
    """The path as the table has it, and what opens it: what stands in its place may be a name, or a proof."""
    proof = _DOORS.get((method, path))
    if proof is not None:
        return path, proof
    for each, pattern in _PATTERNS:
        if each.method == method and pattern.fullmatch(path):
            return each.path, each.proof
    return "/" + path[1:].partition("/")[0][:20], "none"
