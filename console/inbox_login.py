"""Signing in to the inbox, by password and a second factor or by the OpenID provider of the house, and out again."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import quote
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import Response

from channels.openid_provider import (
    ForgedAnswerError,
    OneFactorError,
    OpenIdIdentity,
    ProviderAwayError,
)
from console.inbox_door import (
    AT,
    SESSION_SECONDS,
    InboxDoor,
    RefusedPageError,
    Visit,
    address_of,
    csrf_of,
    new_secret,
    origin_of,
    own_path,
    read_form,
    refuse_forged,
    to,
)
from console.inbox_search import forget_all
from stores.audit import acting
from stores.members import Member
from stores.staff_sign_ins import OpenIdLogin, OpenSession, TooManyTriesError

LOGIN_SECONDS = 600
_log = structlog.get_logger(__name__)


class Sessions(Protocol):
    """Where sessions are kept; `stores.staff_sign_ins` says what each guarantees."""

    async def begin(
        self, member: str, how: str, *, address: str, browser: str, instead_of: str
    ) -> str: ...
    async def end(self, cookie: str, member: str) -> None: ...
    async def known(self, cookie: str) -> Member | None: ...
    async def sessions(self, member: str, cookie: str) -> list[OpenSession]: ...
    async def prove(self, cookie: str, session: UUID, member: str) -> str | None: ...
    async def begin_half(self, member: str, leads_to: str) -> str: ...
    async def tried(self, name: str, address: str) -> None: ...
    async def may_try_again(self, name: str, address: str) -> None: ...
    async def start_openid(self, state: str, login: OpenIdLogin) -> None: ...
    async def taken_openid(self, state: str) -> OpenIdLogin | None: ...
    async def member_of(self, subject: str, email: str | None) -> str | None: ...


class Passwords(Protocol):
    """Tells who knows theirs."""

    async def knows(self, name: str, password: str) -> str | None: ...


class SecondFactors(Protocol):
    """Where second factors are kept; `stores.second_factors` says what each guarantees."""

    async def has(self, member: str) -> bool: ...
    async def offer(self, member: str) -> None: ...


class Members(Protocol):
    """Where members are kept."""

    async def member(self, member: str) -> Member | None: ...


class Provider(Protocol):
    """The OpenID provider; `channels.openid_provider` says what each guarantees."""

    async def where(self, *, state: str, nonce: str, verifier: str, again: bool = False) -> str: ...
    async def who(
        self,
        code: str,
        *,
        nonce: str,
        verifier: str,
        issuer: str = "",
        since: datetime | None = None,
    ) -> OpenIdIdentity: ...


@dataclass(slots=True, frozen=True)
class Login:
    """The pages before the inbox. `demanded`: of which members who sign in by password a second factor is asked."""

    door: InboxDoor
    sessions: Sessions
    passwords: Passwords
    factors: SecondFactors
    members: Members
    demanded: Callable[[Member], bool]
    provider: Provider | None
    provider_name: str

    async def page(self, request: Request) -> Response:
        """Where staff sign in."""
        return self._page(request, own_path(request.query_params.get("to", AT)))

    async def sign_in(self, request: Request) -> Response:
        """By name and password. Whoever tries too often waits; no answer says whether a name is known."""
        try:
            form = await read_form(request)
            # Without the cookie of its page a form is nobody's: what it carries could be made by anyone.
            before = request.cookies.get(self._before, "") or new_secret()
            refuse_forged(request, form, csrf_of(before))
        except RefusedPageError as refused:
            return self.door.refusal(refused)
        name, leads_to = form.line("name"), own_path(form.line("to", 2_000))
        address = address_of(request)
        try:
            await self.sessions.tried(name, address)
        except TooManyTriesError as error:
            _log.warning("staff refused", why="too_many_tries", ip=address)
            return self._page(request, leads_to, f"{error}".capitalize() + ".", 429)
        member = await self.passwords.knows(name, form.raw("password"))
        if member is None:
            _log.warning("staff refused", why="wrong_password", ip=address)
            return self._page(request, leads_to, "Name or password is wrong.", 401)
        await self.sessions.may_try_again(name, address)
        return await self._knew_password(request, member, leads_to)

    async def to_provider(self, request: Request) -> Response:
        """Off to the OpenID provider."""
        if self.provider is None:
            return self.door.refusal(RefusedPageError(404, "There is no OpenID provider here."))
        state, nonce, verifier = new_secret(), new_secret(), new_secret() + new_secret()
        leads_to = own_path(request.query_params.get("to", AT))
        again = await self._session(request) if "again" in request.query_params else None
        try:
            where = await self.provider.where(
                state=state, nonce=nonce, verifier=verifier, again=again is not None
            )
        except ProviderAwayError as error:
            return self._away(request, leads_to, error)
        login = OpenIdLogin(nonce=nonce, verifier=verifier, leads_to=leads_to, again=again)
        await self.sessions.start_openid(state, login)
        answer = to(where)
        self.door.set_cookie(answer, self._under_way, state, seconds=LOGIN_SECONDS)
        return answer

    async def from_provider(self, request: Request) -> Response:
        """Back from there. What was not asked from this browser, or is forged, is refused."""
        asked = request.query_params
        state, kept = asked.get("state", ""), request.cookies.get(self._under_way, "")
        same = bool(kept) and hmac.compare_digest(state.encode(), kept.encode())
        login = await self.sessions.taken_openid(state) if same else None
        if self.provider is None or login is None:
            return self._forged(request, "it is not of this browser, or too old")
        if asked.get("error") or not asked.get("code"):
            return self._forged(request, f"the provider says {asked.get('error', 'nothing')[:80]}")
        try:
            who = await self.provider.who(
                asked["code"],
                nonce=login.nonce,
                verifier=login.verifier,
                issuer=asked.get("iss", ""),
                since=login.began_at,
            )
        except ForgedAnswerError as error:
            return self._forged(request, str(error))
        except OneFactorError as error:
            _log.warning("staff refused", why="one_factor", told=str(error), ip=address_of(request))
            words = (
                "You signed in there with one factor. Set up a second one there, then come again."
            )
            return self._page(request, login.leads_to, words, 403)
        except ProviderAwayError as error:
            return self._away(request, login.leads_to, error)
        with acting(origin_of(request, "")):
            member = await self.sessions.member_of(who.subject, who.email)
        if member is None:
            _log.warning("staff refused", why="no_member", ip=address_of(request))
            words = "You are signed in there, but nobody here is known by it. Ask who leads you."
            return self._page(request, login.leads_to, words, 403)
        if login.again is not None:
            return await self._proved(request, member, login.again, login.leads_to)
        return await self.let_in(request, member, "OpenID provider", lambda _: to(login.leads_to))

    async def sign_out(self, visit: Visit) -> Response:
        """Out of this session."""
        await self.sessions.end(visit.cookie, visit.member.member)
        return self.out(visit.request)

    def out(self, request: Request) -> Response:
        """To where one signs in, without the cookie."""
        answer = to(f"{AT}/login")
        self.door.forget_cookie(answer, self.door.cookie)
        forget_all(self.door, request, answer)
        return answer

    async def let_in(
        self, request: Request, member: str, how: str, page: Callable[[str], Response]
    ) -> Response:
        """A new session of theirs in this browser, which begins with that page.

        `how`: by what they proved themselves. `page` is made with what forms of the session carry.
        """
        with acting(origin_of(request, member)):
            cookie = await self.sessions.begin(
                member,
                how,
                address=address_of(request),
                browser=request.headers.get("user-agent", ""),
                instead_of=request.cookies.get(self.door.cookie, ""),
            )
        answer = page(csrf_of(cookie))
        self.door.set_cookie(answer, self.door.cookie, cookie, seconds=SESSION_SECONDS)
        for each in (self._before, self._under_way, self.half):
            self.door.forget_cookie(answer, each)
        return answer

    @property
    def half(self) -> str:
        """The name of the cookie of whoever knew the password, and has to show the second factor."""
        return f"{self.door.cookie}-half"

    async def _knew_password(self, request: Request, name: str, leads_to: str) -> Response:
        member, has = await self.members.member(name), await self.factors.has(name)
        if not has and (member is None or not self.demanded(member)):
            return await self.let_in(request, name, "password", lambda _: to(leads_to))
        if not has:
            await self.factors.offer(name)
        answer = to(f"{AT}/login/code")
        cookie = await self.sessions.begin_half(name, leads_to)
        self.door.set_cookie(answer, self.half, cookie, seconds=LOGIN_SECONDS)
        return answer

    async def _session(self, request: Request) -> UUID | None:
        """The session of whoever is signed in here."""
        cookie = request.cookies.get(self.door.cookie, "")
        member = await self.sessions.known(cookie)
        if member is None:
            return None
        theirs = await self.sessions.sessions(member.member, cookie)
        return next((each.session for each in theirs if each.here), None)

    async def _proved(
        self, request: Request, member: str, session: UUID, leads_to: str
    ) -> Response:
        old = request.cookies.get(self.door.cookie, "")
        cookie = await self.sessions.prove(old, session, member)
        if cookie is None:
            return self._forged(request, "somebody else signed in there than is signed in here")
        answer = to(leads_to)
        self.door.set_cookie(answer, self.door.cookie, cookie, seconds=SESSION_SECONDS)
        self.door.forget_cookie(answer, self._under_way)
        return answer

    @property
    def _before(self) -> str:
        return f"{self.door.cookie}-visit"

    @property
    def _under_way(self) -> str:
        return f"{self.door.cookie}-openid"

    def _page(
        self, request: Request, leads_to: str, wrong: str = "", status: int = 200
    ) -> Response:
        visit = request.cookies.get(self._before, "") or new_secret()
        values = {
            "csrf": csrf_of(visit), "to": leads_to, "wrong": wrong,
            "provider": self.provider_name if self.provider else "",
            "provider_path": f"{AT}/openid?to={quote(leads_to, safe='')}",
        }  # fmt: skip
        answer = self.door.page("login.html", values, status)
        self.door.set_cookie(answer, self._before, visit, seconds=SESSION_SECONDS)
        return answer

    def _forged(self, request: Request, why: str) -> Response:
        _log.warning("staff refused", why="openid_answer", told=why[:200], ip=address_of(request))
        words = "That answer of the provider cannot be believed. Sign in again."
        return self._page(request, AT, words, 403)

    def _away(self, request: Request, leads_to: str, error: ProviderAwayError) -> Response:
        _log.warning("openid_provider_away", error=str(error))
        return self._page(request, leads_to, "The provider does not answer. Try again later.", 503)
