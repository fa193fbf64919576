"""Receives customers at a page that their link opened: who they are, in which language, where they may go."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.customer_form import agent_of, refuse_other_sites, words_of
from api.customer_page import Frame, Way, invalid_link, refused_page
from api.customer_words import Words
from api.opened_links import OpeningLinks, opening_page
from api.refusals import RefusedRequestError
from channels.customer_links import PATHS, CustomerLinks, ExpiredLinkError, PageKind
from channels.opened_link import ClosedLinkError
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
        opening: OpeningLinks,
        *,
        house: str = "",
        zone: str = "UTC",
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.links, self.opening = links, opening
        self.now = wall_clock
        self._visits, self._house, self._zone = visits, house, zone

    def opens(self, router: APIRouter, kind: PageKind) -> None:
        """The doors through which the links of a page come in."""
        self.opening.add(router, PATHS[kind], lambda token: self.links.parts(kind, token))

    def page(self, kind: PageKind, serve: Serve, ways: Sequence[PageKind]) -> Endpoint:
        """The endpoint of a page: for whoever opened it here, and it says in words why not else."""
        path = PATHS[kind]

        async def answered(request: Request) -> Response:
            words = words_of(request)
            try:
                if request.method == "POST":
                    refuse_other_sites(request)
                opened = self.opening.opened(request, path)
                link = self.links.of(kind, opened.parts)
                visit = await self._visits.visit(link.customer)
                if visit is None:
                    return invalid_link(words)
                frame = self._frame(request, visit, ways, link.entry)
                proof = f"page {opened.name} {agent_of(request)}".strip()
                visitor = Visitor(
                    customer=visit.customer, entry=link.entry, proof=proof, frame=frame
                )
                answer = await serve(visitor, request)
                self.opening.keep(answer, opened)
            except ClosedLinkError:
                return opening_page(request, path, closed=True)
            except ExpiredLinkError:
                return invalid_link(words, expired=True)
            except RefusedRequestError as error:
                return refused_page(words, error)
            return answer

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
                self.way(kind, customer.customer, words.say(f"way.{kind}"), entry, chosen)
                for kind in ways
                if customer
            ],
        )

    def way(
        self, kind: PageKind, customer: str, said: str, entry: int | None = None, chosen: str = ""
    ) -> Way:
        """The way to another of their pages; `chosen`: in which language, as a query."""
        about = entry if kind in ("person", "status") else None
        link = self.links.token(kind, customer, about)
        return Way(path=f"/{PATHS[kind]}{chosen}", link=link, said=said)
