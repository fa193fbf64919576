"""What staff search for: kept by their own browser, and in addresses only under a number.

They search for names, telephone numbers and e-mail addresses, and logs keep addresses.
"""

import re
import secrets
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from console.inbox_door import InboxDoor

SECONDS = 8 * 3_600
"""As long as staff stay signed in at most."""

MOST = 8
"""Searches that a browser keeps; the one that was made first makes room."""

_NUMBER = re.compile(r"[0-9a-f]{8}")


def cookie_of(door: InboxDoor, number: str) -> str:
    """What the browser keeps a search as."""
    return f"{door.cookie}-sought-{number}"


def sought(door: InboxDoor, request: Request, number: str, most: int = 200) -> str:
    """What was searched for under this number; empty where this browser has nothing of it any more."""
    if not _NUMBER.fullmatch(number):
        return ""
    return unquote(request.cookies.get(cookie_of(door, number), ""))[:most]


def keep(door: InboxDoor, request: Request, answer: Response, number: str, words: str) -> None:
    """Keep a search under its number."""
    kept = _kept(door, request)
    for name in kept[: max(0, len(kept) - MOST + 1)]:
        door.forget_cookie(answer, name)
    door.set_cookie(answer, cookie_of(door, number), quote(words, safe=""), seconds=SECONDS)


def new_number() -> str:
    """A number for a search."""
    return secrets.token_hex(4)


def forget_all(door: InboxDoor, request: Request, answer: Response) -> None:
    """Whoever signs out leaves nothing of what they searched for."""
    for name in _kept(door, request):
        door.forget_cookie(answer, name)


def _kept(door: InboxDoor, request: Request) -> list[str]:
    """Browsers send what they kept first first (RFC 6265, 5.4)."""
    return [name for name in request.cookies if name.startswith(cookie_of(door, ""))]
