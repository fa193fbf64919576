"""`/t/{page}`: a customer wants a person. What they write becomes a case for staff, once."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.customer_form import Form, read_form
from api.customer_page import alert, card, customer_page
from api.reception import Reception, Visitor
from stores.asked_cases import AskedCase, TooManyCasesError

MOST_ABOUT = 4_000
MOST_REACH = 200
_NONCE = 64


def no_time(asked: datetime) -> None:
    """Where the house promises no time by which somebody answers."""
    del asked


@dataclass(slots=True, frozen=True, kw_only=True)
class StaffDesk:
    """Who answers customers that ask for a person: the queue, and by when from an instant on."""

    queue: str = "customers"
    answer_by: Callable[[datetime], datetime | None] = no_time


class AskedCases(Protocol):
    """Where cases are opened."""

    async def want_person(
        self,
        customer: str,
        *,
        about: str,
        reach: str,
        run: int | None,
        form: str,
        queue: str,
        answer_by: datetime | None,
        at: datetime,
    ) -> AskedCase:
        """Raises: `TooManyCasesError`."""
        ...


def person_router(reception: Reception, cases: AskedCases, desk: StaffDesk) -> APIRouter:
    """The page on which customers ask for a person."""
    router = APIRouter(tags=["customers' own pages"])

    async def show(visitor: Visitor, request: Request) -> Response:
        del request
        return _page(visitor, secrets.token_urlsafe(16))

    async def ask(visitor: Visitor, request: Request) -> Response:
        form, words = await read_form(request), visitor.words
        about, nonce = form.text("about", MOST_ABOUT), form.line("form", _NONCE)
        if not about:
            nonce = nonce or secrets.token_urlsafe(16)
            return _page(visitor, nonce, form, wrong=words.say("person.empty"))
        now = reception.now()
        try:
            opened = await cases.want_person(
                visitor.id,
                about=about,
                reach=form.line("reach", MOST_REACH),
                run=visitor.entry,
                # Without a nonce the words are one: sent twice, they are still one case.
                form=nonce or about,
                queue=desk.queue,
                answer_by=desk.answer_by(now),
                at=now,
            )
        except TooManyCasesError:
            body = f"<p>{words.html('person.too_many.words')}</p>"
            title = words.say("person.too_many.title")
            return customer_page(title, body, visitor.frame, status=429)
        return _thanks(visitor, opened)

    ways = ("preferences",)
    reception.opens(router, "person")
    router.add_route("/t/{page}", reception.page("person", show, ways), methods=["GET"])
    router.add_route("/t/{page}", reception.page("person", ask, ways), methods=["POST"])
    return router


def _page(visitor: Visitor, nonce: str, form: Form | None = None, *, wrong: str = "") -> Response:
    words = visitor.words
    about = form.text("about", MOST_ABOUT) if form else ""
    reach = form.line("reach", MOST_REACH) if form else ""
    # A parser drops the first line break behind the tag, and with it one that the customer wrote.
    body = (
        f'<p class="lead">{words.html("person.lead")}</p>{alert(wrong)}'
        f'<form method="post"><input type="hidden" name="form" value="{escape(nonce)}">'
        f'<div class="field"><label for="about">{words.html("person.about")}</label>'
        f'<textarea id="about" name="about" required maxlength="{MOST_ABOUT}">\n{escape(about)}</textarea></div>'
        f'<div class="field"><label for="reach">{words.html("person.reach")}</label>'
        f'<input id="reach" name="reach" maxlength="{MOST_REACH}" value="{escape(reach)}"'
        f' aria-describedby="reach-hint">'
        f'<p class="quiet" id="reach-hint">{words.html("person.reach.hint")}</p></div>'
        f'<button type="submit">{words.html("person.send")}</button></form>'
    )
    title = words.say("person.title")
    return customer_page(title, body, visitor.frame, status=400 if wrong else 200)


def _thanks(visitor: Visitor, opened: AskedCase) -> Response:
    words = visitor.words
    if opened.answer_by is not None:
        by = words.soon(opened.answer_by)
        when = f'<p class="big">{words.html("person.by", moment=by)}</p>'
        when += f'<p class="quiet">{words.html("times_in", zone=words.zone)}</p>'
    else:
        when = f"<p>{words.html('person.soon')}</p>"
    body = f"<p>{words.html('person.thanks.words')}</p>{card(when, 'next')}"
    return customer_page(words.say("person.thanks.title"), body, visitor.frame)
