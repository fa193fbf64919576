"""Where a member is signed in, and by what they prove themselves.

To end a session, or to change a factor, they prove themselves again.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import structlog
from starlette.responses import Response

from console.inbox_door import (
    AT,
    SESSION_SECONDS,
    InboxDoor,
    RefusedPageError,
    Visit,
    address_of,
    to,
)
from console.inbox_login import Login
from console.inbox_second_factor import WRONG, key_shown, recovery_codes, tried_as
from console.inbox_words import browser_words, clock_words
from stores.member_passwords import WeakPasswordError
from stores.second_factors import ShownBy
from stores.staff_sign_ins import OpenSession, TooManyTriesError

HERE = f"{AT}/sessions"
_STATE = re.compile(r"[\w-]{43}", re.ASCII)
_log = structlog.get_logger(__name__)


class Sessions(Protocol):
    """Where sessions are kept; `stores.staff_sign_ins` says what each guarantees."""

    async def sessions(self, member: str, cookie: str) -> list[OpenSession]: ...
    async def end_one(self, member: str, session: UUID) -> bool: ...
    async def end_others(self, member: str, cookie: str) -> int: ...
    async def end_all(self, member: str, *, by: str) -> int: ...
    async def begin_passage(self, member: str, how: str) -> str: ...
    async def prove(self, cookie: str, session: UUID, member: str) -> str | None: ...
    async def tried(self, name: str, address: str) -> None: ...
    async def may_try_again(self, name: str, address: str) -> None: ...


class Passwords(Protocol):
    """Tells who has one, and knows it."""

    async def has(self, member: str) -> bool: ...
    async def knows(self, name: str, password: str) -> str | None: ...
    async def set(self, member: str, password: str, *, by: str) -> None: ...


class SecondFactors(Protocol):
    """Where they are kept; `stores.second_factors` says what each guarantees."""

    async def has(self, member: str) -> bool: ...
    async def recovery_codes_left(self, member: str) -> int: ...
    async def offer(self, member: str) -> None: ...
    async def offered(self, member: str) -> bytes | None: ...
    async def confirm(self, member: str, code: str) -> list[str] | None: ...
    async def shown(self, member: str, code: str) -> ShownBy | None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class _Shown:
    """What the page says besides. `key`: one that is offered."""

    wrong: str = ""
    status: int = 200
    offered: bool = False
    key: dict[str, str] = field(default_factory=lambda: key_shown(None, ""))


@dataclass(slots=True, frozen=True, kw_only=True)
class SessionsPage:
    """The page of one's own sessions."""

    door: InboxDoor
    login: Login
    sessions: Sessions
    passwords: Passwords
    factors: SecondFactors
    histories: str | None
    """Where the page of sealed histories is."""

    async def show(self, visit: Visit) -> Response:
        """Where they are signed in."""
        return await self._page(visit, _Shown())

    async def do(self, visit: Visit) -> Response:
        """What they want, where they proved themselves again; or that."""
        match visit.request.path_params["act"]:
            case "prove":
                return await self._prove(visit)
            case "end":
                await self._refuse_unproved(visit)
                return await self._end(visit)
            case "offer":
                await self._refuse_unproved(visit)
                return await self._offer(visit)
            case "password":
                return await self._new_password(visit)
            case "confirm":
                await self._refuse_unproved(visit)
                return await self._confirm(visit)
            case _:
                raise RefusedPageError(404, "There is nothing like that to do.")

    async def to_histories(self, visit: Visit) -> Response:
        """On to the page of sealed histories, which asked for it: who is signed in here is signed in there."""
        if self.histories is None:
            raise RefusedPageError(404, "There is no page of histories here (CLEW_CODEC_URL).")
        state = visit.request.query_params.get("state", "")
        if not _STATE.fullmatch(state):
            return to(f"{self.histories.rstrip('/')}/sign-in")
        here = await self._this(visit)
        passage = await self.sessions.begin_passage(visit.member.member, here.how)
        leads_to = f"{self.histories.rstrip('/')}/enter?state={state}&passage={passage}"
        # A page and no redirect: whoever just signed in by a form would be kept here by its `form-action`.
        return self.door.page("to_histories.html", {"visit": visit, "leads_to": leads_to})

    async def _prove(self, visit: Visit) -> Response:
        who = visit.member.member
        try:
            await self.sessions.tried(who, address_of(visit.request))
        except TooManyTriesError as error:
            return await self._late(visit, error)
        if await self.passwords.knows(who, visit.form.raw("password")) != who:
            _log.warning("staff refused", why="wrong_password", ip=address_of(visit.request))
            return await self._page(visit, _Shown(wrong="The password is wrong.", status=401))
        await self.sessions.may_try_again(who, address_of(visit.request))
        cookie = await self.sessions.prove(visit.cookie, (await self._this(visit)).session, who)
        answer = to(HERE)
        if cookie is not None:
            self.door.set_cookie(answer, self.door.cookie, cookie, seconds=SESSION_SECONDS)
        return answer

    async def _new_password(self, visit: Visit) -> Response:
        """Another password, by who knows the one that counts; they are signed out everywhere then."""
        who, form = visit.member.member, visit.form
        try:
            await self.sessions.tried(who, address_of(visit.request))
        except TooManyTriesError as error:
            return await self._late(visit, error)
        if await self.passwords.knows(who, form.raw("password")) != who:
            _log.warning("staff refused", why="wrong_password", ip=address_of(visit.request))
            return await self._page(visit, _Shown(wrong="The password is wrong.", status=401))
        await self.sessions.may_try_again(who, address_of(visit.request))
        if form.raw("new") != form.raw("again"):
            said = "The two new passwords are not the same."
            return await self._page(visit, _Shown(wrong=said, status=400))
        try:
            await self.passwords.set(who, form.raw("new"), by=who)
        except WeakPasswordError as error:
            said = f"{str(error)[:1].upper()}{str(error)[1:]}."
            return await self._page(visit, _Shown(wrong=said, status=400))
        return self.login.out(visit.request)

    async def _end(self, visit: Visit) -> Response:
        who, which = visit.member.member, visit.form.line("session")
        if which == "others":
            await self.sessions.end_others(who, visit.cookie)
            return to(HERE)
        if which == "all":
            await self.sessions.end_all(who, by=who)
            return self.login.out(visit.request)
        try:
            await self.sessions.end_one(who, UUID(which))
        except ValueError:
            raise RefusedPageError(400, "There is no such session.") from None
        return to(HERE)

    async def _offer(self, visit: Visit) -> Response:
        """A new key; who has a second factor shows it first."""
        who = visit.member.member
        if not await self.passwords.has(who):
            raise RefusedPageError(409, "You sign in at the provider, which has your factors.")
        if await self.factors.has(who):
            try:
                await self.sessions.tried(tried_as(who), address_of(visit.request))
            except TooManyTriesError as error:
                return await self._late(visit, error)
            if await self.factors.shown(who, visit.form.line("code", 60)) is None:
                return await self._page(visit, _Shown(wrong=WRONG, status=401))
            await self.sessions.may_try_again(tried_as(who), address_of(visit.request))
        await self.factors.offer(who)
        key = key_shown(await self.factors.offered(who), who)
        return await self._page(visit, _Shown(offered=True, key=key))

    async def _confirm(self, visit: Visit) -> Response:
        """The first code of the new key; every other session of theirs is over then."""
        who = visit.member.member
        try:
            await self.sessions.tried(tried_as(who), address_of(visit.request))
        except TooManyTriesError as error:
            return await self._late(visit, error)
        codes = await self.factors.confirm(who, visit.form.line("code", 60))
        if codes is None:  # the key is in their phone: it is not shown a second time
            return await self._page(visit, _Shown(wrong=WRONG, status=401, offered=True))
        await self.sessions.may_try_again(tried_as(who), address_of(visit.request))
        return await self.login.let_in(
            visit.request, who, "password and a code", recovery_codes(self.door, codes, HERE)
        )

    async def _this(self, visit: Visit) -> OpenSession:
        theirs = await self.sessions.sessions(visit.member.member, visit.cookie)
        found = next((each for each in theirs if each.here), None)
        if found is None:
            raise RefusedPageError(401, "This session is over. Sign in again.")
        return found

    async def _refuse_unproved(self, visit: Visit) -> None:
        if not (await self._this(visit)).proved:
            raise RefusedPageError(403, "Say first that it is you: that counts for five minutes.")

    async def _late(self, visit: Visit, error: TooManyTriesError) -> Response:
        _log.warning("staff refused", why="too_many_tries", ip=address_of(visit.request))
        return await self._page(visit, _Shown(wrong=f"{error}".capitalize() + ".", status=429))

    async def _page(self, visit: Visit, shown: _Shown) -> Response:
        who, zone = visit.member.member, visit.member.zone
        theirs = await self.sessions.sessions(who, visit.cookie)
        values: dict[str, Any] = {
            "visit": visit,
            "sessions": [
                {
                    "session": each.session,
                    "here": each.here,
                    "place": "The inbox" if each.place == "inbox" else "Histories (Temporal)",
                    "browser": browser_words(each.browser),
                    "address": each.address or "unknown",
                    "how": each.how,
                    "began": clock_words(each.created_at, zone),
                    "used": clock_words(each.used_at, zone),
                }
                for each in theirs
            ],
            "proved": any(each.here and each.proved for each in theirs),
            "password": await self.passwords.has(who),
            "provider": self.login.provider_name if self.login.provider else "",
            "factor": await self.factors.has(who),
            "codes_left": await self.factors.recovery_codes_left(who),
            "wrong": shown.wrong,
            "offered": shown.offered,
            **shown.key,
        }
        return self.door.page("sessions.html", values, shown.status)
