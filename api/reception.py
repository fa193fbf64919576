"""Receives customers who come by a signed link: who they are, in which language, where they may go."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from api.customer_form import agent_of, refuse_other_sites
from api.customer_page import Frame, customer_page, invalid_link
from api.customer_words import Words, choose_language
from api.refusals import RefusedRequestError
from channels.customer_links import (
    CustomerLinks,
    ExpiredLinkError,
    InvalidLinkError,
    PageKind,
)
from stores.customer_wishes import Visit
from stores.customers import Customer

Endpoint = Callable[[Request], Awaitable[Response]]

_LOCALE_TRAITS = ("locale", "language")


class Visits(Protocol):
    """Who customers are."""

    async def visit(self, customer: str) -> Visit | None:
        """Whom a link leads to: also where two customers have become one since it was made."""
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Visitor:
    """A customer at one of their pages. `entry`: the run that the link was about."""

    customer: Customer
    entry: int | None
    proof: str
    frame: Frame

    @property
    def id(self) -> str:
        """Our id of the customer."""
        return self.customer.customer

    @property
    def words(self) -> Words:
        """Their language, in their zone."""
        return self.frame.words


Serve = Callable[[Visitor, Request], Awaitable[Response]]


class Reception:
    """One for all pages.

    `house`: the name of the business, on top of each page; `zone`: of customers of whom none is
    known. `wall_clock` gives wall time.
    """

    def __init__(
        self,
        links: CustomerLinks,
        visits: Visits,
        *,
        house: str = "",
        zone: str = "UTC",
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.links = links
        self.now = wall_clock
        self._visits, self._house, self._zone = visits, house, zone

    def page(self, kind: PageKind, serve: Serve, ways: Sequence[PageKind]) -> Endpoint:
        """The endpoint of a page: opens it for whose link it is, and says in words why not else."""

        async def answered(request: Request) -> Response:
            words = words_of(request)
            token = request.path_params["token"]
            try:
                link = self.links.read(kind, token)
                if request.method == "POST":
                    refuse_other_sites(request)
                visit = await self._visits.visit(link.customer)
                if visit is None:
                    return invalid_link(words)
                frame = self._frame(request, visit, ways, link.entry)
                proof = f"page {token} {agent_of(request)}".strip()
                visitor = Visitor(
                    customer=visit.customer, entry=link.entry, proof=proof, frame=frame
                )
                return await serve(visitor, request)
            except ExpiredLinkError:
                return invalid_link(words, expired=True)
            except InvalidLinkError:
                return invalid_link(words)
            except RefusedRequestError as error:
                return refused_page(words, error)

        return answered

    async def whoever(self, customer: str) -> str | None:
        """Our id of whoever the customer of a link is now."""
        visit = await self._visits.visit(customer)
        return visit.customer.customer if visit else None

    async def frame(
        self, request: Request, customer: str, ways: Sequence[PageKind], entry: int | None = None
    ) -> Frame:
        """What stands around a page that has a link of another kind."""
        return self._frame(request, await self._visits.visit(customer), ways, entry)

    def _frame(
        self, request: Request, visit: Visit | None, ways: Sequence[PageKind], entry: int | None
    ) -> Frame:
        customer = visit.customer if visit else None
        traits = [customer.traits.get(name) for name in _LOCALE_TRAITS] if customer else []
        wished = (visit.locale if visit else None, *traits)
        spoken = words_of(request, *wished, zone=(customer and customer.zone) or self._zone)
        words = replace(spoken, now=self.now())
        chosen = f"?lang={words.language}" if "lang" in request.query_params else ""
        return Frame(
            words=words,
            house=self._house,
            # From what a form was sent to, back to the page itself: a POST is not to be read again.
            here="/".join(request.url.path.split("/")[:3]),
            ways=[
                (self._way(kind, customer, entry) + chosen, words.say(f"way.{kind}"))
                for kind in ways
                if customer
            ],
        )

    def _way(self, kind: PageKind, customer: Customer, entry: int | None) -> str:
        about = entry if kind in ("person", "status") else None
        return self.links.path(kind, customer.customer, about)


def words_of(request: Request, *wished: object, zone: str = "UTC") -> Words:
    """The words for whoever asks: as the address says, as they wished, as their browser reads."""
    accepted = request.headers.get("accept-language", "")
    language = choose_language(request.query_params.get("lang"), *wished, accepted=accepted)
    return Words(language=language, zone=zone)


def refused_page(words: Words, error: RefusedRequestError) -> Response:
    """The page for what cannot be read."""
    body = f"<p>{escape(words.known(f'refused.{error.code}', error.message))}</p>"
    title = words.say("refused.title")
    return customer_page(title, body, Frame(words=words), status=error.status)
