"""Who is signed in at a page of staff: a random name in a cookie, and what it stands for in this process.

Whoever signs out is out at once, whoever does nothing for two hours too, and nobody stays for longer than
eight. A process that ends, which a new staff token asks for, ends them all.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

LONGEST = timedelta(hours=8)
IDLE = timedelta(hours=2)
MOST = 1_000
"""Sessions at once; the one that was used longest ago makes room."""


@dataclass(slots=True)
class _Session:
    who: str
    began: datetime
    used: datetime


class StaffSessions:
    """The sessions of one page. `https`: the cookie travels by it only, and to this very host."""

    def __init__(self, name: str, *, https: bool, wall_clock: Callable[[], datetime]) -> None:
        self._https = https
        self._cookie = f"__Host-{name}" if https else name
        self._now = wall_clock
        self._open: dict[str, _Session] = {}

    def begin(self, request: Request, answer: Response, who: str) -> None:
        """A new session of this member of staff, in place of the one that the browser had."""
        self.end(request, answer)
        if len(self._open) >= MOST:
            self._open.pop(min(self._open, key=lambda each: self._open[each].used))
        named, now = secrets.token_urlsafe(32), self._now()
        self._open[named] = _Session(who, now, now)
        answer.set_cookie(
            self._cookie,
            named,
            max_age=int(LONGEST.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=self._https,
        )

    def known(self, request: Request) -> str | None:
        """Who is signed in with this browser; the session is in use then."""
        named = request.cookies.get(self._cookie, "")
        session, now = self._open.get(named), self._now()
        if session is None:
            return None
        if now - session.began >= LONGEST or now - session.used >= IDLE:
            del self._open[named]
            return None
        session.used = now
        return session.who

    def end(self, request: Request, answer: Response) -> None:
        """No more of it here; the browser is told to forget it."""
        self._open.pop(request.cookies.get(self._cookie, ""), None)
        answer.delete_cookie(self._cookie, httponly=True, samesite="lax", secure=self._https)

    def end_all(self) -> None:
        """Everybody is out."""
        self._open.clear()
