"""The doors of the inbox: who is signed in, that a form is ours, and what every page forbids."""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, quote, urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from journey.staff_roles import RUNNING_ROLES
from stores.audit import Origin, acting
from stores.members import Member

AT = "/staff"
CONTROL = "/control"
LARGEST_FORM = 200_000
LARGEST_FIELD = 520_000
"""Bytes of a field in a form of several parts: a whole journey of 256,000, whose lines a browser ends with two."""

LARGEST_FORM_WITH_FILES = 21_000_000
MOST_FILES = 10
SESSION_SECONDS = 8 * 3600
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
_FOLDER = Path(__file__).parent


class SignIns(Protocol):
    """Where sessions are kept; `stores.staff_sign_ins` says what each guarantees."""

    async def known(self, cookie: str) -> Member | None: ...


class RefusedPageError(Exception):
    """The page says why not."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(slots=True, frozen=True, kw_only=True)
class SentFile:
    """A file that came with a form."""

    name: str
    media_type: str
    content: bytes


class Form:
    """What a browser sent. What is missing is empty."""

    def __init__(self, fields: dict[str, list[str]], files: Sequence[SentFile] = ()) -> None:
        self._fields = fields
        self.files = files

    def raw(self, name: str) -> str:
        """As it was sent, such as a password."""
        return next(iter(self._fields.get(name, [])), "")

    def sent(self, name: str) -> bool:
        """Whether there was such a field, be it empty."""
        return name in self._fields

    def text(self, name: str, most: int = 10_000) -> str:
        """Text of several lines, without what cannot be seen."""
        shown = (
            each if each in "\n\t" or unicodedata.category(each) not in ("Cc", "Cf", "Cs") else " "
            for each in self.raw(name).replace("\r\n", "\n")
        )
        return "".join(shown).strip()[:most]

    def line(self, name: str, most: int = 200) -> str:
        """Text of one line."""
        return " ".join(self.text(name, 4 * most).split())[:most]

    def lines(self, name: str, most: int = 200) -> list[str]:
        """Each text of one line that was sent under a name, once."""
        sent = (Form({name: [each]}).line(name, most) for each in self._fields.get(name, []))
        return list(dict.fromkeys(each for each in sent if each))

    def beginning(self, prefix: str) -> dict[str, str]:
        """Fields whose names begin so, without it."""
        return {
            name.removeprefix(prefix): self.text(name)
            for name in self._fields
            if name.startswith(prefix)
        }


@dataclass(slots=True, frozen=True, kw_only=True)
class Visit:
    """One request of a member who is signed in. `form`: of a POST."""

    request: Request
    member: Member
    cookie: str
    csrf: str
    form: Form

    @property
    def works(self) -> bool:
        """Whether they work on cases; analysts and editors only read."""
        return self.member.works

    @property
    def leads(self) -> bool:
        """Whether they approve, and see what others have."""
        return self.member.leads

    @property
    def runs_journeys(self) -> bool:
        """Whether mission control is for them."""
        return self.member.role in RUNNING_ROLES


Page = Callable[[Visit], Awaitable[Response]]


@dataclass(slots=True)
class InboxDoor:
    """What stands before each page.

    `https`: cookies travel by it only, and to this very host. `histories`: whether there is a page of them.
    """

    sign_ins: SignIns
    https: bool
    histories: bool = False
    pages: Environment = field(init=False)

    def __post_init__(self) -> None:
        self.pages = Environment(
            loader=FileSystemLoader(
                [_FOLDER / "templates" / each for each in ("inbox", "control")]
            ),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.pages.filters["quoted"] = lambda text: quote(str(text), safe="")

    @property
    def cookie(self) -> str:
        """The name of the cookie of a session."""
        return "__Host-clew-staff" if self.https else "clew-staff"

    def page(self, template: str, values: dict[str, Any], status: int = 200) -> HTMLResponse:
        """A page; everything in it is text."""
        said = self.pages.get_template(template).render(at=AT, histories=self.histories, **values)
        return HTMLResponse(said, status_code=status, headers=HEADERS)

    def for_staff(
        self, page: Page, *, works: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        """The page for whoever is signed in; others are led to where they sign in. `works`: not who only reads."""

        async def answer(request: Request) -> Response:
            cookie = request.cookies.get(self.cookie, "")
            member = await self.sign_ins.known(cookie)
            if member is None:
                return _to_sign_in(request)
            visit = Visit(
                request=request, member=member, cookie=cookie, csrf=csrf_of(cookie), form=Form({})
            )
            try:
                visit = replace(visit, form=await self._form(request, cookie))
                if works and not visit.works:
                    raise RefusedPageError(403, "You may read here, and change nothing.")
                with acting(origin_of(request, member.member)):
                    return await page(visit)
            except RefusedPageError as refused:
                return self.refusal(refused, visit)

        return answer

    def refusal(self, refused: RefusedPageError, visit: Visit | None = None) -> Response:
        """A page that says why not. `visit`: of whom, where they are signed in."""
        told: dict[str, Any] = {"visit": visit} if visit else {}
        return self.page("refused.html", {"words": str(refused), **told}, refused.status)

    async def _form(self, request: Request, cookie: str) -> Form:
        if request.method in ("GET", "HEAD"):
            return Form({})
        form = await read_form(request)
        refuse_forged(request, form, csrf_of(cookie))
        return form

    def set_cookie(self, answer: Response, name: str, value: str, *, seconds: int) -> None:
        """A cookie that no script reads and no other site's form sends."""
        answer.set_cookie(
            name, value, max_age=seconds, httponly=True, samesite="lax", secure=self.https, path="/"
        )

    def forget_cookie(self, answer: Response, name: str) -> None:
        """The browser keeps it no more."""
        answer.delete_cookie(name, httponly=True, samesite="lax", secure=self.https, path="/")


def csrf_of(cookie: str) -> str:
    """What a form of this session carries: only who has the cookie can make it."""
    return hmac.new(
        cookie.encode(errors="replace"), b"a form of the inbox", hashlib.sha256
    ).hexdigest()


def refuse_forged(request: Request, form: Form, csrf: str) -> None:
    """Raises: `RefusedPageError` for a form that another site sent, or that is not of this session."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin", "null")
    foreign = origin != "null" and urlsplit(origin).netloc != request.headers.get("host")
    if site not in ("same-origin", "none") or foreign:
        raise RefusedPageError(403, "This was not sent from our page.")
    if not hmac.compare_digest(form.raw("csrf").encode(errors="replace"), csrf.encode()):
        raise RefusedPageError(403, "This form is of another session. Load the page again.")


async def read_form(request: Request) -> Form:
    """The form that was sent. Raises: `RefusedPageError` where it is too large."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _form_with_files(request)
    body = bytearray()
    async for part in _no_more_than(LARGEST_FORM, request):
        body += part
    try:
        return Form(
            parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=200)
        )
    except ValueError:
        raise RefusedPageError(400, "That form has too many fields.") from None


async def _form_with_files(request: Request) -> Form:
    stream = _no_more_than(LARGEST_FORM_WITH_FILES, request)
    parser = MultiPartParser(
        request.headers, stream, max_files=MOST_FILES, max_fields=200, max_part_size=LARGEST_FIELD
    )
    fields: dict[str, list[str]] = {}
    files: list[SentFile] = []
    try:
        form = await parser.parse()
        for name, value in form.multi_items():
            if isinstance(value, str):
                fields.setdefault(name, []).append(value)
            elif value.filename:  # a browser sends an empty one where none was chosen
                files.append(
                    SentFile(
                        name=value.filename[-200:],
                        media_type=value.content_type or "application/octet-stream",
                        content=await value.read(),
                    )
                )
        await form.close()
    except (MultiPartException, KeyError, UnicodeError):
        raise RefusedPageError(400, "That form cannot be read.") from None
    return Form(fields, files)


async def _no_more_than(most: int, request: Request) -> AsyncGenerator[bytes]:
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise RefusedPageError(413, "That is too much for one form.")
        yield part


def origin_of(request: Request, member: str) -> Origin:
    """Where an order comes from, for the audit."""
    state: dict[str, Any] = request.scope.get("state", {})
    return Origin(actor=member, ip=address_of(request), request=str(state.get("request_id", "")))


def address_of(request: Request) -> str:
    """The address at the other end of the line."""
    return request.client.host if request.client else ""


def own_path(path: str) -> str:
    """A path of the inbox as it was asked for; else its first page."""
    split = urlsplit(path)
    ours = any(path == at or path.startswith((f"{at}/", f"{at}?")) for at in (AT, CONTROL))
    plain = not split.scheme and not split.netloc and "\\" not in path and path.isprintable()
    return path if ours and plain else AT


def to(path: str) -> RedirectResponse:
    """On to a page of ours, by GET."""
    return RedirectResponse(path, status_code=303, headers=HEADERS)


def new_secret() -> str:
    """Random, and too long to be guessed."""
    return secrets.token_urlsafe(32)


def _to_sign_in(request: Request) -> Response:
    if request.method != "GET" or request.headers.get("sec-fetch-mode", "navigate") != "navigate":
        return HTMLResponse("Sign in first.", status_code=401, headers=HEADERS)
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return to(f"{AT}/login?to={quote(own_path(asked), safe='')}")
