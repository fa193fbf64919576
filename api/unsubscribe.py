"""`/u/{token}`: one click and the customer gets no more of it; or less of it, if they like that better.

A GET never changes anything: mail scanners follow links. The POST is RFC 8058's one-click, and
the button of the page. No login, no questions.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from api.customer_form import agent_of, read_form, refuse_other_sites
from api.customer_page import Frame, customer_page, invalid_link
from api.customer_words import Words
from api.preferences_page import PAUSES, channel_name
from api.reception import Reception, refused_page, words_of
from api.refusals import RefusedRequestError
from channels.unsubscribe_link import InvalidLinkError, UnsubscribeLinks, Unsubscription
from journey.effects import Purpose
from journey.preferences import Preferences
from stores.customer_wishes import Wishes

_LARGEST_BODY = 4_096


class Consents(Protocol):
    """Where consents are kept, given and withdrawn."""

    async def give(
        self, customer: str, purpose: Purpose, channel: str, *, source: str, proof: str
    ) -> None: ...

    async def withdraw(
        self, customer: str, purpose: Purpose, channel: str, *, source: str, proof: str
    ) -> None: ...


class WishKeeper(Protocol):
    """Where wishes are kept."""

    async def wishes(self, customer: str) -> Wishes: ...

    async def keep(
        self,
        customer: str,
        preferences: Preferences,
        marketing: Mapping[str, bool],
        *,
        source: str,
        proof: str,
    ) -> Wishes: ...


def unsubscribe_router(
    links: UnsubscribeLinks,
    consents: Consents,
    reception: Reception | None = None,
    wishes: WishKeeper | None = None,
    wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """The customer's own page for not being written to any more; with `wishes` also for less."""
    router = APIRouter(tags=["customers' own pages"])
    page = _UnsubscribePage(links, reception, pauses=wishes is not None)

    @router.get("/u/{token}", response_class=HTMLResponse)
    async def ask(token: str, request: Request) -> Response:
        """Show a button; change nothing."""
        try:
            return await page.question(request, links.read(token))
        except InvalidLinkError:
            return invalid_link(words_of(request))

    @router.post("/u/{token}", response_class=HTMLResponse)
    async def unsubscribe(token: str, request: Request) -> Response:
        """Unsubscribe. Twice is the same as once."""
        try:
            wanted = links.read(token)
            one_click = b"List-Unsubscribe=One-Click" in await _beginning(request)
            if not one_click:
                refuse_other_sites(request)
        except InvalidLinkError:
            return invalid_link(words_of(request))
        except RefusedRequestError as error:
            return refused_page(words_of(request), error)
        wanted, way = await page.current(wanted), "one-click" if one_click else "page"
        proof = f"{way} {token} {agent_of(request)}".strip()
        await consents.withdraw(
            wanted.customer, wanted.purpose, wanted.channel, source=way, proof=proof
        )
        return await page.done(request, token, wanted)

    @router.post("/u/{token}/undo", response_class=HTMLResponse)
    async def undo(token: str, request: Request) -> Response:
        """It was a mistake: as before."""
        try:
            wanted = await page.current(links.read(token))
            refuse_other_sites(request)
        except InvalidLinkError:
            return invalid_link(words_of(request))
        except RefusedRequestError as error:
            return refused_page(words_of(request), error)
        proof = f"undo {token} {agent_of(request)}".strip()
        await consents.give(
            wanted.customer, wanted.purpose, wanted.channel, source="page", proof=proof
        )
        return await page.said(request, wanted, "unsubscribe.undone")

    @router.post("/u/{token}/less", response_class=HTMLResponse)
    async def less(token: str, request: Request) -> Response:
        """Nothing for a while, instead of nothing any more."""
        try:
            wanted = await page.current(links.read(token))
            refuse_other_sites(request)
            days = (await read_form(request)).line("days", 4)
        except InvalidLinkError:
            return invalid_link(words_of(request))
        except RefusedRequestError as error:
            return refused_page(words_of(request), error)
        if wishes is None or days not in {f"{known}" for known in PAUSES}:
            return await page.question(request, wanted)
        until = wall_clock() + timedelta(days=int(days))
        before = (await wishes.wishes(wanted.customer)).preferences
        await wishes.keep(
            wanted.customer, replace(before, paused_until=until), {}, source="page", proof=""
        )
        return await page.said(request, wanted, "unsubscribe.paused", until)

    return router


class _UnsubscribePage:
    """How the page looks at each of its moments."""

    def __init__(
        self, links: UnsubscribeLinks, reception: Reception | None, *, pauses: bool
    ) -> None:
        self._links, self._reception, self._pauses = links, reception, pauses

    async def current(self, wanted: Unsubscription) -> Unsubscription:
        """The same of the customer that this one is now."""
        found = await self._reception.whoever(wanted.customer) if self._reception else None
        return replace(wanted, customer=found) if found else wanted

    async def question(self, request: Request, wanted: Unsubscription) -> Response:
        frame = await self._frame(request, wanted)
        words, channel = frame.words, _channel(frame.words, wanted)
        button = words.html("unsubscribe.button")
        body = (
            f"<p>{words.html('unsubscribe.lead', channel=channel)}</p>"
            f'<form method="post"><button type="submit">{button}</button></form>'
        )
        return customer_page(words.say("unsubscribe.title"), body + self._less(frame), frame)

    async def done(self, request: Request, token: str, wanted: Unsubscription) -> Response:
        frame = await self._frame(request, wanted)
        words = frame.words
        undo = words.html("unsubscribe.undo")
        body = (
            f"<p>{words.html('unsubscribe.done', channel=_channel(words, wanted))}</p>"
            f'<form method="post" action="/u/{token}/undo?lang={words.language}">'
            f'<button class="second" type="submit">{undo}</button></form>'
        )
        return customer_page(words.say("unsubscribe.done.title"), body, frame)

    async def said(
        self, request: Request, wanted: Unsubscription, key: str, until: datetime | None = None
    ) -> Response:
        frame = await self._frame(request, wanted)
        words = frame.words
        day = words.day(until) if until else ""
        text = words.html(key, channel=_channel(words, wanted), day=day)
        return customer_page(words.say(f"{key}.title"), f"<p>{text}</p>", frame)

    def _less(self, frame: Frame) -> str:
        """Something between everything and nothing."""
        if not self._pauses:
            return ""
        words = frame.words
        each = "".join(
            f'<button class="second" type="submit" name="days" value="{days}">'
            f"{words.count('unsubscribe.pause', days)}</button> "
            for days in PAUSES[1:]
        )
        more = ""
        if frame.ways:
            path, _ = frame.ways[0]
            more = f'<p><a href="{path}">{words.html("unsubscribe.choose")}</a></p>'
        return (
            f'<section class="card less"><h2>{words.html("unsubscribe.less")}</h2>'
            f"<p>{words.html('unsubscribe.less.lead')}</p>"
            f'<form class="choices" method="post" action="{frame.here}/less?lang={words.language}">'
            f"{each}</form>{more}</section>"
        )

    async def _frame(self, request: Request, wanted: Unsubscription) -> Frame:
        if self._reception is None:
            return Frame(words=words_of(request))
        return await self._reception.frame(request, wanted.customer, ("preferences", "person"))


async def _beginning(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) >= _LARGEST_BODY:
            break
    return body


def _channel(words: Words, wanted: Unsubscription) -> str:
    return words.known(f"by.{wanted.channel}", channel_name(words, wanted.channel))
