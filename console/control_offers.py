"""Offers: coupons given, used, over and void, by journey; what pools have left, and whether they will hold."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from starlette.responses import Response

from console.control_door import control_page, instant_of, number_of
from console.control_live import Shared
from console.control_window import Window, choices, in_address, named, window_of
from console.inbox_door import CONTROL, InboxDoor, Visit
from console.share_in_words import share_in_words, stacked_bar
from insight.pool_of_codes import PoolOfCodes
from stores.offer_looks import (
    COUPON_STANDINGS,
    MOST_OFFERS,
    MOST_PEOPLE,
    CountedCoupons,
    CouponOf,
    CouponStanding,
    LeftInPool,
    Offered,
)

HERE = f"{CONTROL}/offers"
WORDS: Mapping[CouponStanding, str] = {
    "granted": "Whom {} was given",
    "redeemed": "Who used {}",
    "expired": "Whose {} is over, unused",
    "voided": "Whose {} became void",
    "refused": "Who got no {}",
    "open": "Who may still use {}: what is over next first",
}
_STANDINGS: Mapping[str, CouponStanding] = {each: each for each in COUPON_STANDINGS}
ENDS = ("redeemed", "expired", "voided")


class Looks(Protocol):
    """Where coupons are read; `stores.offer_looks` says what each guarantees."""

    async def offers(self, most: int = MOST_OFFERS) -> list[Offered]: ...
    async def counted(
        self, offers: Sequence[str], before: datetime, since: datetime, now: datetime
    ) -> tuple[list[CountedCoupons], int]: ...
    async def left(self, offers: Sequence[str]) -> list[LeftInPool]: ...
    async def who(
        self, offer: str, standing: CouponStanding, since: datetime, now: datetime, *, journey: str | None = None,
        after: tuple[datetime, int] | None = None, most: int = MOST_PEOPLE,
    ) -> list[CouponOf]: ...  # fmt: skip


@dataclass(slots=True, frozen=True, kw_only=True)
class Wanted:
    """Whose coupons are listed: of one offer, that stand so, of one journey; nobody's where no offer is chosen."""

    offer: str | None
    standing: CouponStanding
    journey: str | None
    after: tuple[datetime, int] | None

    def query(self, span: str, **other: str | None) -> str:
        """The same with something else."""
        parts = {
            "since": span, "offer": self.offer, "standing": self.standing, "journey": self.journey, **other,
        }  # fmt: skip
        return in_address(parts)


@dataclass(slots=True, frozen=True, kw_only=True)
class OffersPage:
    """The page. `run_now`: the time of runs, by which coupons are given and end."""

    door: InboxDoor
    looks: Looks
    shared: Shared
    run_now: Callable[[], datetime]

    async def show(self, visit: Visit) -> Response:
        """`?since=28d&offer=cake&standing=redeemed&journey=cart`; `&after=` a place in the list, to leaf on."""
        window = window_of(visit, self.run_now())
        wanted = _wanted(visit.request.query_params)
        figures = await self.shared.once(
            ("offers", window.span), None, lambda: self._figures(window)
        )
        people: Sequence[CouponOf] = ()
        if wanted.offer is not None:
            people = await self.looks.who(
                wanted.offer, wanted.standing, window.since, window.until, journey=wanted.journey, after=wanted.after,
            )  # fmt: skip
        titles: Mapping[str, str] = figures["titles"]
        title = titles.get(wanted.offer or "", wanted.offer or "")
        heading = WORDS[wanted.standing].format(title)
        values = {
            **figures,
            "here": HERE,
            "wanted": wanted,
            "heading": f"{heading} in {wanted.journey}" if wanted.journey else heading,
            "people": people,
            "more": _more(wanted, window.span, people),
        }
        return control_page(self.door, visit, "control-offers.html", values)

    async def _figures(self, window: Window) -> dict[str, Any]:
        offers = await self.looks.offers()
        names = [each.offer for each in offers]
        counted, most = await self.looks.counted(
            names, window.before or window.since, window.since, window.until
        )
        left = {each.offer: each for each in await self.looks.left(names)}
        by_offer: dict[str, list[CountedCoupons]] = defaultdict(list)
        for each in counted:
            by_offer[each.offer].append(each)
        rows = [_row(each, by_offer[each.offer], left[each.offer], most) for each in offers]
        return {
            "window": window,
            "spans": choices(),
            "titles": {each.offer: each.words.title for each in offers if each.words},
            "rows": sorted(rows, key=lambda row: (not row["low"], row["offer"].offer)),
            "low": sum(row["low"] for row in rows),
            "granted": sum(row["figures"]["granted"] for row in rows),
            "ended": {end: sum(row["figures"][end] for row in rows) for end in ENDS},
            "open": sum(row["figures"]["open"] for row in rows),
            "most": most,
            "most_offers": MOST_OFFERS if len(offers) == MOST_OFFERS else 0,
        }


def _row(
    offer: Offered, counted: Sequence[CountedCoupons], left: LeftInPool, most: int
) -> dict[str, Any]:
    journeys = sorted({each.journey for each in counted if each.what != "ended before"})
    week = sum(each.n for each in counted if each.what == "last week" and each.state != "refused")
    pool = PoolOfCodes(left=left.n, week=week)
    from_pool = left.loaded or (offer.words is not None and offer.words.kind == "pool")
    stretches: Counter[str] = Counter()
    for each in counted:
        stretches[each.what] += each.n
    return {
        "offer": offer,
        "figures": _figures_of(counted),
        "journeys": [
            {
                "journey": journey,
                "figures": _figures_of([each for each in counted if each.journey == journey]),
            }
            for journey in journeys
        ],
        "pool": pool if from_pool else None,
        "more_left": left.n >= most,
        "low": from_pool and offer.live and pool.low and left.n < most,
        "cut": max(stretches.values(), default=0) >= most,
    }


def _figures_of(counted: Sequence[CountedCoupons]) -> dict[str, Any]:
    ended: Counter[str] = Counter()
    before: Counter[str] = Counter()
    granted = refused = still_open = with_amount = 0
    amount = 0.0
    for each in counted:
        if each.what == "granted" and each.state == "refused":
            refused += each.n
        elif each.what == "granted":
            granted += each.n
        elif each.what == "open":
            still_open += each.n
        elif each.what == "ended":
            ended[each.state] += each.n
            if each.state == "redeemed":
                amount, with_amount = amount + each.amount, with_amount + each.with_amount
        elif each.what == "ended before":
            before[each.state] += each.n
    of, of_before = sum(ended[end] for end in ENDS), sum(before[end] for end in ENDS)
    return {
        "granted": granted,
        "refused": refused,
        "open": still_open,
        **{end: ended[end] for end in ENDS},
        "rate": share_in_words((ended["redeemed"], of), (before["redeemed"], of_before)),
        "amount": f"{amount:,.2f}" if with_amount else "",
        "with_amount": with_amount,
        "parts": stacked_bar(
            zip((ended[end] for end in ENDS), ("high", "middle", "low"), strict=True), of
        ),
    }


def _wanted(query: Mapping[str, str]) -> Wanted:
    at_words, _, entry_words = query.get("after", "").partition("|")
    at, entry = instant_of(at_words), number_of(entry_words)
    return Wanted(
        offer=named(query, "offer"),
        standing=_STANDINGS.get(query.get("standing", ""), "granted"),
        journey=named(query, "journey"),
        after=(at, entry) if at is not None and entry is not None else None,
    )


def _more(wanted: Wanted, span: str, people: Sequence[CouponOf]) -> str | None:
    if len(people) < MOST_PEOPLE:
        return None
    last = people[-1]
    at = last.settled_at if wanted.standing in ENDS else last.granted_at
    if wanted.standing == "open":
        at = last.expires_at
    assert at is not None, "it stands in that list by this time"
    return f"{HERE}?{wanted.query(span, after=f'{at.isoformat()}|{last.entry}')}#who"
