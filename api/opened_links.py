"""How the link of a message becomes a page, without its secret ever standing in an address that is sent.

`GET /p` is the same for everybody. The token stands behind the `#` of the link, which no browser sends: our script
puts it into the form of that page, or the customer puts the whole link there. `POST /p` takes it, leads on
to `/p/{page}`, whose name opens nothing, and leaves a cookie that does, for that page and for a while.

A program that looks ahead at links sees the form and uses nothing up: the link opens the page from whatever
telephone, as often as its customer comes.
"""

import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qs, unquote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.customer_form import read_form, refuse_other_sites, words_of
from api.customer_page import (
    HEADERS,
    OPENING_PATH,
    OPENING_SCRIPT,
    Frame,
    customer_page,
    invalid_link,
    refused_page,
)
from api.customer_words import LANGUAGES
from api.refusals import RefusedRequestError
from channels.customer_links import ExpiredLinkError, InvalidLinkError
from channels.opened_link import UNUSED, ClosedLinkError, OpenedLink, OpenedLinks

Parts = Callable[[str], list[str]]
"""Reads a token. Raises: `ExpiredLinkError`, `InvalidLinkError`."""

LONGEST_LINK = 4_200
_TOKEN = re.compile(r"(?<![\w.-])1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22}(?![\w.-])")
MOST_OPEN = 8
"""Pages that one browser has open at once: what goes along with each request is bounded by it."""


class OpeningLinks:
    """One for all pages."""

    def __init__(self, links: OpenedLinks) -> None:
        self._links = links
        self._begins = "__Host-clew-page-" if links.https else "clew-page-"

    def add(self, router: APIRouter, path: str, parts: Parts) -> None:
        """The two doors through which one kind of link comes in."""

        async def ask(request: Request) -> Response:
            return opening_page(request, path)

        async def open_it(request: Request) -> Response:
            words = words_of(request)
            try:
                refuse_other_sites(request)
                told = (await read_form(request)).text("link", LONGEST_LINK)
                token, asked = _taken_apart(told, request)
                opened = self._links.open(path, token, parts(token))
            except RefusedRequestError as error:
                return refused_page(words, error)
            except InvalidLinkError as error:
                return invalid_link(words, expired=isinstance(error, ExpiredLinkError))
            where = f"/{path}/{opened.name}{asked}"
            answer = RedirectResponse(where, status_code=303, headers=HEADERS)
            self._make_room(request, answer)
            self.keep(answer, opened)
            return answer

        router.add_route(f"/{path}", ask, methods=["GET"])
        router.add_route(f"/{path}", open_it, methods=["POST"])

    def opened(self, request: Request, path: str) -> OpenedLink:
        """What this browser has open at this address. Raises: `ClosedLinkError`."""
        name = request.path_params["page"]
        return self._links.read(path, name, request.cookies.get(self._cookie(path, name), ""))

    def keep(self, answer: Response, opened: OpenedLink) -> None:
        """It is in use: from now on it stays open for as long again."""
        answer.set_cookie(
            self._cookie(opened.path, opened.name),
            self._links.kept(opened),
            max_age=int(UNUSED[opened.path].total_seconds()),
            secure=self._links.https,
            httponly=True,
            samesite="lax",
        )

    def _cookie(self, path: str, name: str) -> str:
        return f"{self._begins}{path}-{name}"

    def _make_room(self, request: Request, answer: Response) -> None:
        """What was closed is forgotten, and what was opened longest ago, where there are too many."""
        over, still = list[str](), list[tuple[datetime, str]]()
        for cookie, kept in request.cookies.items():
            if cookie.startswith(self._begins):
                path, _, name = cookie.removeprefix(self._begins).partition("-")
                try:
                    still.append((self._links.read(path, name, kept).opened_at, cookie))
                except ClosedLinkError:
                    over.append(cookie)
        still.sort(reverse=True)
        for cookie in (*over, *(cookie for _, cookie in still[MOST_OPEN - 1 :])):
            answer.delete_cookie(cookie, secure=self._links.https, httponly=True, samesite="lax")


def script_router() -> APIRouter:
    """The script that hands over what stands behind the `#` of a link."""
    router = APIRouter(tags=["customers' own pages"])

    async def script(request: Request) -> Response:
        del request
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=3600"}
        return Response(OPENING_SCRIPT, media_type="text/javascript", headers=headers)

    router.add_route(OPENING_PATH, script, methods=["GET"])
    return router


def opening_page(request: Request, path: str, *, closed: bool = False) -> Response:
    """The page on which a link is opened; it knows of nobody. `closed`: it was open, and is no more."""
    words, which = words_of(request), "closed" if closed else "open"
    # Unasked, the page itself speaks the language that its customer chose.
    chosen = f"?lang={words.language}" if "lang" in request.query_params else ""
    body = (
        f'<p class="lead">{words.html(f"link.{which}.words")}</p>'
        f'<form method="post" action="/{path}{chosen}" data-opens>'
        f'<div class="field"><label for="link">{words.html("link.open.label")}</label>'
        f'<input id="link" name="link" required maxlength="{LONGEST_LINK}" autocomplete="off"'
        f' spellcheck="false"></div>'
        f'<button type="submit">{words.html("link.open.button")}</button></form>'
    )
    title = words.say(f"link.{which}.title")
    frame = Frame(words=words, opens=True)
    return customer_page(title, body, frame, status=403 if closed else 200)


def _taken_apart(told: str, request: Request) -> tuple[str, str]:
    """The token of a link, and what is asked of the page, as a query.

    The link may be whole, or what stood behind its `#`, or what a program that guards a mailbox made of it.
    """
    plain = unquote(unquote("".join(told.split()))).rstrip(".,;:)>]")
    found = list(_TOKEN.finditer(plain))
    token, behind = (found[-1][0], plain[found[-1].end() :]) if found else (plain, "")
    short = behind.startswith("?") and len(behind) < 200
    said = parse_qs(behind.removeprefix("?")) if short else {}
    language = said.get("lang", [request.query_params.get("lang", "")])[0]
    score = said.get("score", [""])[0]
    asked = {
        **({"lang": language} if language in LANGUAGES else {}),
        **({"score": score} if score.isdecimal() and len(score) < 4 else {}),
    }
    return token, f"?{urlencode(asked)}" if asked else ""
