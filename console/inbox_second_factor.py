"""The page between the password and the inbox: a code of the phone, or the phone is set up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from starlette.requests import Request
from starlette.responses import Response

from console.inbox_door import (
    AT,
    InboxDoor,
    RefusedPageError,
    address_of,
    csrf_of,
    origin_of,
    read_form,
    refuse_forged,
    to,
)
from console.inbox_login import Login
from stores.audit import acting
from stores.one_time_code import address, written
from stores.second_factors import ShownBy
from stores.staff_sign_ins import HalfSignIn, TooManyTriesError

HOUSE = "Clew"
"""What a phone shows beside the code."""

WRONG = "That code is wrong, was used, or its thirty seconds are over. Take the next one."
_log = structlog.get_logger(__name__)


class SecondFactors(Protocol):
    """Where they are kept; `stores.second_factors` says what each guarantees."""

    async def has(self, member: str) -> bool: ...
    async def offered(self, member: str) -> bytes | None: ...
    async def confirm(self, member: str, code: str) -> list[str] | None: ...
    async def shown(self, member: str, code: str) -> ShownBy | None: ...


class HalfSignIns(Protocol):
    """Who knew the password; `stores.staff_sign_ins` says what each guarantees."""

    async def half(self, cookie: str) -> HalfSignIn | None: ...
    async def end_half(self, cookie: str) -> bool: ...
    async def tried(self, name: str, address: str) -> None: ...
    async def may_try_again(self, name: str, address: str) -> None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class SecondFactorPage:
    """Who knew the password shows the second factor; who has none yet sets it up."""

    door: InboxDoor
    login: Login
    half: HalfSignIns
    factors: SecondFactors

    async def ask(self, request: Request) -> Response:
        """The page."""
        cookie = request.cookies.get(self.login.half, "")
        half = await self.half.half(cookie)
        return to(f"{AT}/login") if half is None else await self._page(half, cookie)

    async def take(self, request: Request) -> Response:
        """The code. Whoever tries too often waits."""
        cookie = request.cookies.get(self.login.half, "")
        half = await self.half.half(cookie)
        if half is None:
            return to(f"{AT}/login")
        try:
            form = await read_form(request)
            refuse_forged(request, form, csrf_of(cookie))
        except RefusedPageError as refused:
            return self.door.refusal(refused)
        counted, where = tried_as(half.member), address_of(request)
        try:
            await self.half.tried(counted, where)
        except TooManyTriesError as error:
            _log.warning("staff refused", why="too_many_tries", ip=where)
            return await self._page(half, cookie, f"{error}".capitalize() + ".", 429)
        with acting(origin_of(request, half.member)):
            answer = await self._taken(request, half, cookie, form.line("code", 60))
        if answer is None:
            _log.warning("staff refused", why="wrong_code", ip=where)
            return await self._page(half, cookie, WRONG, 401)
        await self.half.may_try_again(counted, where)
        return answer

    async def _taken(
        self, request: Request, half: HalfSignIn, cookie: str, code: str
    ) -> Response | None:
        """In, where the code is theirs; who set up their phone is shown their recovery codes first."""
        if not await self.factors.has(half.member):
            codes = await self.factors.confirm(half.member, code)
            if codes is None:
                return None
            shown = recovery_codes(self.door, codes, half.leads_to)
            return await self.login.let_in(request, half.member, "password and a code", shown)
        by = await self.factors.shown(half.member, code)
        if by is None or not await self.half.end_half(cookie):
            return None
        return await self.login.let_in(
            request, half.member, f"password and {by}", lambda _: to(half.leads_to)
        )

    async def _page(
        self, half: HalfSignIn, cookie: str, wrong: str = "", status: int = 200
    ) -> Response:
        has = await self.factors.has(half.member)
        key = None if has else await self.factors.offered(half.member)
        values = {
            "csrf": csrf_of(cookie), "has": has, "wrong": wrong, **key_shown(key, half.member),
        }  # fmt: skip
        return self.door.page("login_code.html", values, status)


def recovery_codes(
    door: InboxDoor, codes: Sequence[str], leads_to: str
) -> Callable[[str], Response]:
    """The page that shows them once, for whoever is let in by it; it is made with what their forms carry."""
    return lambda csrf: door.page(
        "recovery_codes.html", {"codes": codes, "to": leads_to, "csrf": csrf}
    )


def key_shown(key: bytes | None, member: str) -> dict[str, str]:
    """What a page shows of a key that is offered."""
    if key is None:
        return {"key": "", "address": ""}
    return {"key": written(key), "address": address(key, member, HOUSE)}


def tried_as(member: str) -> str:
    """As whom codes of a member are counted that are tried: no name has two lines."""
    return f"second factor\n{member}"
