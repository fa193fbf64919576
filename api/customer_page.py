"""How customers' own pages look and what they forbid: no login, no trace elsewhere, nothing of others."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path

from fastapi.responses import HTMLResponse

from api.customer_words import ENGLISH, LANGUAGES, Words
from api.refusals import RefusedRequestError

_FOLDER = Path(__file__).parent / "pages"
_STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8").partition("*/")[2].strip()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

SCRIPT_PATH = "/pages/status.js"
SCRIPT = (_FOLDER / "status.js").read_text(encoding="utf-8")
OPENING_PATH = "/pages/open.js"
OPENING_SCRIPT = (_FOLDER / "open.js").read_text(encoding="utf-8")

HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(slots=True, frozen=True, kw_only=True)
class Way:
    """Another page of the same customer. `link` opens it, and goes there in the body of a form."""

    path: str
    link: str
    said: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Frame:
    """What stands around a page: whose it is, where else to go, in which languages it can be read.

    `here`: the path under which it can be read in each language. `refresh_seconds`: without a
    script the page is loaded again so often; it runs ours where given. `opens`: it hands over what
    stands behind the `#` of a link.
    """

    words: Words = ENGLISH
    house: str = ""
    ways: Sequence[Way] = ()
    here: str = ""
    refresh_seconds: int | None = None
    opens: bool = False


ALONE = Frame()
"""A page with nothing around it."""


def customer_page(
    title: str, body: str, frame: Frame = ALONE, *, status: int = 200
) -> HTMLResponse:
    """A page. `title` is text; `body` is HTML, in which everything foreign was escaped."""
    live = frame.refresh_seconds is not None
    refresh = f'<meta http-equiv="refresh" content="{frame.refresh_seconds}">'
    head = (
        f'<noscript>{refresh}</noscript><script defer src="{SCRIPT_PATH}"></script>' if live else ""
    )
    if frame.opens:
        head += f'<script defer src="{OPENING_PATH}"></script>'
    house = f"<header>{escape(frame.house)}</header>" if frame.house else ""
    title = escape(title)
    page = (
        f'<!doctype html><html lang="{frame.words.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style>{head}</head>"
        f"<body>{house}<main><h1>{title}</h1>{body}</main>{_footer(frame)}</body></html>"
    )
    return HTMLResponse(
        page, status_code=status, headers=HEADERS | _policy(live=live, opens=frame.opens)
    )


@lru_cache(maxsize=4)
def _policy(*, live: bool, opens: bool) -> dict[str, str]:
    script = " script-src 'self';" if live or opens else ""
    script += " connect-src 'self';" if live else ""
    rules = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}';{script} form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    )
    return {"Content-Security-Policy": rules}


def _footer(frame: Frame) -> str:
    words, parts = frame.words, list[str]()
    if frame.ways:
        ways = "".join(way_form(way) for way in frame.ways)
        parts.append(f'<nav aria-label="{words.html("nav.ways")}">{ways}</nav>')
    if frame.here:
        here = {words.language: ' aria-current="true"'}
        each = "".join(
            f'<a href="{frame.here}?lang={code}" lang="{code}" hreflang="{code}"{here.get(code, "")}>{name}</a>'
            for code, name in LANGUAGES.items()
        )
        label = words.html("nav.languages")
        parts.append(f'<nav class="languages" aria-label="{label}">{each}</nav>')
    return f"<footer>{''.join(parts)}</footer>" if parts else ""


def way_form(way: Way) -> str:
    """A way to another page, which looks like a link: no address that is sent has what opens it."""
    return (
        f'<form method="post" action="{escape(way.path)}">'
        f'<button class="way" name="link" value="{escape(way.link)}">{escape(way.said)}</button></form>'
    )


def refused_page(words: Words, error: RefusedRequestError) -> HTMLResponse:
    """The page for what cannot be read."""
    body = f"<p>{escape(words.known(f'refused.{error.code}', error.message))}</p>"
    title = words.say("refused.title")
    return customer_page(title, body, Frame(words=words), status=error.status)


def invalid_link(words: Words, *, expired: bool = False) -> HTMLResponse:
    """The page for a link that does not work, or does no more."""
    which = "expired" if expired else "broken"
    body = f"<p>{words.html(f'link.{which}.words')}</p>"
    return customer_page(
        words.say(f"link.{which}.title"), body, Frame(words=words), status=410 if expired else 404
    )


def card(body: str, kind: str = "") -> str:
    """A part of a page that belongs together."""
    return f'<section class="card{" " + kind if kind else ""}">{body}</section>'


def alert(said: str) -> str:
    """What is wrong with what was filled in."""
    return f'<p role="alert">{escape(said)}</p>' if said else ""


def told(said: str) -> str:
    """That something was done."""
    return f'<div class="told" role="status"><p>{escape(said)}</p></div>'
