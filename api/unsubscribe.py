"""`/u/{token}`: one click and the customer gets no more of it; or less of it, if they like that better.

A GET never changes anything: mail scanners follow links. The POST is RFC 8058's one-click, and
the button of the page. No login, no questions. Whoever reads the address in a log can do what harms nobody:
have less sent, or nothing. What shows more, or brings messages back, opens with what no address has.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.customer_form import agent_of, read_form, refuse_other_sites, words_of
from api.customer_page import Frame, card, customer_page, invalid_link, refused_page
from api.customer_words import Words
from api.preferences_page import PAUSES, WishKeeper, channel_name
from api.reception import Endpoint, Reception
from api.refusals import RefusedRequestError
from channels.unsubscribe_link import InvalidLinkError, UnsubscribeLinks, Unsubscription
from journey.effects import Purpose

UNDONE_WITHIN = timedelta(hours=1)
"""For so long the page that unsubscribed can take it back."""

_LARGEST_BODY = 4_096
_LONGEST_UNDO = 2_000

_Serve = Callable[[Unsubscription, Request], Awaitable[Response]]


class Consents(Protocol):
    """Where consents are kept, given and withdrawn."""

    async def give(
        self, customer: str, purpose: Purpose, channel: str, *, source: str, proof: str
    ) -> None: ...

    async def withdraw(
        self, customer: str, purpose: Purpose, channel: str, *, source: str, proof: str
    ) -> None: ...


def unsubscribe_router(
    links: UnsubscribeLinks,
    consents: Consents,
    reception: Reception | None = None,
    wishes: WishKeeper | None = None,
    wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """The customer's own page for not being written to any more; with `wishes` also for less."""
    router = APIRouter(tags=["customers' own pages"])
    page = _UnsubscribePage(links, consents, reception, wishes, wall_clock)

    def opened(serve: _Serve) -> Endpoint:
        async def answered(request: Request) -> Response:
            try:
                wanted = links.read(request.path_params["token"])
                return await serve(await page.current(wanted), request)
            except InvalidLinkError:
                return invalid_link(words_of(request))
            except RefusedRequestError as error:
                return refused_page(words_of(request), error)

        return answered

    router.add_route("/u/{token}", opened(page.question), methods=["GET"])
    router.add_route("/u/{token}", opened(page.unsubscribe), methods=["POST"])
    router.add_route("/u/{token}/undo", opened(page.undo), methods=["POST"])
    router.add_route("/u/{token}/less", opened(page.less), methods=["POST"])
    return router


class _UnsubscribePage:
    def __init__(
        self,
        links: UnsubscribeLinks,
        consents: Consents,
        reception: Reception | None,
        wishes: WishKeeper | None,
        wall_clock: Callable[[], datetime],
    ) -> None:
        self._links, self._consents, self._reception = links, consents, reception
        self._wishes, self._now = wishes, wall_clock

    async def current(self, wanted: Unsubscription) -> Unsubscription:
        """The same of the customer that this one is now."""
        found = await self._reception.whoever(wanted.customer) if self._reception else None
        return replace(wanted, customer=found) if found else wanted

    async def question(self, wanted: Unsubscription, request: Request) -> Response:
        """Show a button; change nothing."""
        frame = await self._frame(request, wanted)
        words, channel = frame.words, _channel(frame.words, wanted)
        button = words.html("unsubscribe.button")
        body = (
            f"<p>{words.html('unsubscribe.lead', channel=channel)}</p>"
            f'<form method="post"><button type="submit">{button}</button></form>'
        )
        return customer_page(words.say("unsubscribe.title"), body + self._less(frame), frame)

    async def unsubscribe(self, wanted: Unsubscription, request: Request) -> Response:
        """Unsubscribe. Twice is the same as once."""
        one_click = b"List-Unsubscribe=One-Click" in await _beginning(request)
        if not one_click:
            refuse_other_sites(request)
        way = "one-click" if one_click else "page"
        before = await self._wanted(wanted)
        await self._consents.withdraw(
            wanted.customer,
            wanted.purpose,
            wanted.channel,
            source=way,
            proof=_proof(way, request),
        )
        frame = await self._frame(request, wanted)
        words = frame.words
        body = f"<p>{words.html('unsubscribe.done', channel=_channel(words, wanted))}</p>"
        if before:
            body += self._way_back(wanted, request, words)
        return customer_page(words.say("unsubscribe.done.title"), body, frame)

    async def _wanted(self, wanted: Unsubscription) -> bool:
        """Whether it came until now: only then there is something to go back to."""
        if self._wishes is None:
            return True
        return (await self._wishes.wishes(wanted.customer)).wants(wanted.channel)

    def _way_back(self, wanted: Unsubscription, request: Request, words: Words) -> str:
        path = f"/u/{request.path_params['token']}/undo?lang={words.language}"
        back = self._links.undo_token(wanted, self._now() + UNDONE_WITHIN)
        return (
            f'<form method="post" action="{escape(path)}">'
            f'<input type="hidden" name="undo" value="{escape(back)}">'
            f'<button class="second" type="submit">{words.html("unsubscribe.undo")}</button></form>'
        )

    async def undo(self, wanted: Unsubscription, request: Request) -> Response:
        """It was a mistake: as before. Raises: `InvalidLinkError` where another page says so."""
        refuse_other_sites(request)
        told = (await read_form(request)).line("undo", _LONGEST_UNDO)
        self._links.may_undo(wanted, told, self._now())
        await self._consents.give(
            wanted.customer,
            wanted.purpose,
            wanted.channel,
            source="page",
            proof=_proof("undo", request),
        )
        return await self._said(request, wanted, "unsubscribe.undone")

    async def less(self, wanted: Unsubscription, request: Request) -> Response:
        """Nothing for a while, instead of nothing any more."""
        refuse_other_sites(request)
        days = (await read_form(request)).line("days", 4)
        if self._wishes is None or days not in {f"{known}" for known in PAUSES}:
            return await self.question(wanted, request)
        until = self._now() + timedelta(days=int(days))
        before = (await self._wishes.wishes(wanted.customer)).preferences
        if before.paused_until is not None:
            until = max(until, before.paused_until)  # less than that is said in the preferences
        paused = replace(before, paused_until=until)
        proof = _proof("pause", request)
        await self._wishes.keep(wanted.customer, paused, {}, source="page", proof=proof)
        return await self._said(request, wanted, "unsubscribe.paused", until)

    async def _said(
        self, request: Request, wanted: Unsubscription, key: str, until: datetime | None = None
    ) -> Response:
        frame = await self._frame(request, wanted)
        words = frame.words
        day = words.day(until) if until else ""
        text = words.html(key, channel=_channel(words, wanted), day=day)
        return customer_page(words.say(f"{key}.title"), f"<p>{text}</p>", frame)

    def _less(self, frame: Frame) -> str:
        """Something between everything and nothing."""
        if self._wishes is None:
            return ""
        words = frame.words
        each = "".join(
            f'<button class="second" type="submit" name="days" value="{days}">'
            f"{escape(words.count('unsubscribe.pause', days))}</button>"
            for days in PAUSES[1:]
        )
        # Shown by our script, where the link of a message has more behind its `#`.
        more = (
            f'<form method="post" action="/p?lang={words.language}" data-opens hidden>'
            f'<input type="hidden" name="link"><button class="way" type="submit">'
            f"{words.html('unsubscribe.choose')}</button></form>"
        )
        action = f"{frame.here}/less?lang={words.language}"
        return card(
            f"<h2>{words.html('unsubscribe.less')}</h2>"
            f"<p>{words.html('unsubscribe.less.lead')}</p>"
            f'<form class="choices" method="post" action="{escape(action)}">{each}</form>{more}',
            "less",
        )

    async def _frame(self, request: Request, wanted: Unsubscription) -> Frame:
        if self._reception is None:
            return Frame(words=words_of(request), opens=self._wishes is not None)
        frame = await self._reception.frame(request, wanted.customer, ())
        return replace(frame, opens=self._wishes is not None)


def _proof(way: str, request: Request) -> str:
    return f"{way} {request.path_params['token']} {agent_of(request)}".strip()


async def _beginning(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) >= _LARGEST_BODY:
            break
    return body


def _channel(words: Words, wanted: Unsubscription) -> str:
    return words.known(f"by.{wanted.channel}", channel_name(words, wanted.channel))
