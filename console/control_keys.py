"""Sources and write keys: who may send touchpoints and devices, until when; made and revoked by an admin."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from starlette.responses import Response

from console.inbox_door import InboxDoor, Visit, to
from console.settings_page import KEYS, for_admins, settings_page
from stores.write_keys import SCOPES, Scope, WriteKey

LONGEST_NAME = 200
MOST_DAYS = 3_650
MOST_OVER = 100
"""So many of those that are over are shown, the newest first."""

_DAYS = re.compile("[1-9][0-9]{0,3}")
_ADMINS = "An admin sees, makes and revokes write keys."
SOON = timedelta(days=14)
"""A key that ends within so long is told apart: its source will be refused."""


class Keys(Protocol):
    """Where write keys are kept; `stores.write_keys` says what each guarantees."""

    async def keys(self) -> list[WriteKey]: ...
    async def create(
        self, name: str, *, scopes: Sequence[Scope] = SCOPES, lasts: timedelta | None = None, by: str = ""
    ) -> str: ...  # fmt: skip
    async def revoke(self, name: str, *, by: str = "") -> int: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class KeysPage:
    """The page, and what its forms do. `per_second`: how much each name may send, by one API process; 0 is no limit."""

    door: InboxDoor
    keys: Keys
    per_second: float
    public_url: str
    now: Callable[[], datetime]

    async def show(self, visit: Visit) -> Response:
        """Every key by its name: never the key itself."""
        for_admins(visit, _ADMINS)
        return await self._page(visit)

    async def create(self, visit: Visit) -> Response:
        """Make a key, and show it this once: on the answer to the form, which nothing keeps."""
        for_admins(visit, _ADMINS)
        name = visit.form.line("name", LONGEST_NAME + 1)
        scopes: list[Scope] = [each for each in SCOPES if each in visit.form.lines("opens")]
        days = visit.form.line("days")
        wrong = _wrong(name, scopes, days) or await self._taken(name)
        if wrong:
            return await self._page(visit, wrong, {"name": name, "opens": scopes, "days": days})
        lasts = timedelta(days=int(days)) if days else None
        key = await self.keys.create(name, scopes=scopes, lasts=lasts, by=visit.member.member)
        made = {
            "name": name,
            "key": key,
            "opens": scopes,
            "ends": self.now() + lasts if lasts else None,
            "public_url": self.public_url.rstrip("/"),
        }
        return settings_page(self.door, visit, KEYS, "control-key-made.html", made)

    async def revoke(self, visit: Visit) -> Response:
        """Accept no key of this name any more."""
        for_admins(visit, _ADMINS)
        name = visit.form.line("name", LONGEST_NAME)
        if not await self.keys.revoke(name, by=visit.member.member):
            return await self._page(
                visit, f"No key of the name {name} is good: it was revoked before."
            )
        return to(KEYS)

    async def _taken(self, name: str) -> str:
        """Two keys of one name are revoked together: so one is made for a name that has none, or has it replaced."""
        if name in _good(await self.keys.keys(), self.now()):
            return (
                f"There is a good key of the name {name}, and it is not shown again. Choose another name, revoke"
                " that one first, or replace it without a gap: clew write-keys rotate"
            )
        return ""

    async def _page(
        self, visit: Visit, wrong: str = "", filled: dict[str, Any] | None = None
    ) -> Response:
        keys, now = await self.keys.keys(), self.now()
        good = [each for each in keys if _is_good(each, now)]
        over = [each for each in keys if not _is_good(each, now)]
        values: dict[str, Any] = {
            "good": good,
            "over": over[:MOST_OVER],
            "over_more": max(0, len(over) - MOST_OVER),
            "of_name": _good(keys, now),
            "soon": now + SOON,
            "scopes": SCOPES,
            "per_second": self.per_second,
            "most_days": MOST_DAYS,
            "longest_name": LONGEST_NAME,
            "wrong": wrong,
            "filled": filled or {"name": "", "opens": list(SCOPES), "days": ""},
        }
        status = 400 if wrong else 200
        return settings_page(self.door, visit, KEYS, "control-keys.html", values, status)


def _wrong(name: str, scopes: Sequence[Scope], days: str) -> str:
    if not 1 <= len(name) <= LONGEST_NAME:
        return f"Name the source in 1 to {LONGEST_NAME} characters, such as web-shop."
    if not scopes:
        return f"Choose what it opens: {' or '.join(SCOPES)}."
    if days and not (_DAYS.fullmatch(days) and int(days) <= MOST_DAYS):
        return f"Days: a number from 1 to {MOST_DAYS}, or nothing for a key that does not end."
    return ""


def _is_good(key: WriteKey, now: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def _good(keys: Sequence[WriteKey], now: datetime) -> Counter[str]:
    """How many good keys each name has."""
    return Counter(each.name for each in keys if _is_good(each, now))
