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

_FOLDER = Path(__file__).parent / "pages"
_STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8").partition("*/")[2].strip()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

SCRIPT_PATH = "/pages/status.js"
SCRIPT = (_FOLDER / "status.js").read_text(encoding="utf-8")

HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(slots=True, frozen=True, kw_only=True)
class Frame:
    """What stands around a page: whose it is, where else to go, in which languages it can be read.

    `ways` are paths and their words. `here`: the path under which it can be read in each language.
    `refresh_seconds`: without a script the page is loaded again so often; it runs ours where given.
    """

    words: Words = ENGLISH
    house: str = ""
    ways: Sequence[tuple[str, str]] = ()
    here: str = ""
    refresh_seconds: int | None = None


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
    house = f"<header>{escape(frame.house)}</header>" if frame.house else ""
    title = escape(title)
    page = (
        f'<!doctype html><html lang="{frame.words.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style>{head}</head>"
        f"<body>{house}<main><h1>{title}</h1>{body}</main>{_footer(frame)}</body></html>"
    )
    return HTMLResponse(page, status_code=status, headers=HEADERS | _policy(live=live))


@lru_cache(maxsize=2)
def _policy(*, live: bool) -> dict[str, str]:
    script = " script-src 'self'; connect-src 'self';" if live else ""
    rules = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}';{script} form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    )
    return {"Content-Security-Policy": rules}


def _footer(frame: Frame) -> str:
    words, parts = frame.words, list[str]()
    if frame.ways:
        ways = "".join(f'<a href="{escape(path)}">{escape(said)}</a>' for path, said in frame.ways)
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
