"""Coupons, as somebody looks at them: how many were given, used, over or void, what the pools have left, and whose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, LiteralString, get_args

from journey.offer import OfferWords
from stores.database import Pool, rows_of
from stores.published import last_words

MOST_COUPONS = 100_000
"""So many coupons of an offer are counted at the most, the newest; so are codes that a pool has left."""

MOST_IN_ALL = 500_000
MOST_OFFERS = 200
MOST_PEOPLE = 50
WEEK = timedelta(days=7)

CouponStanding = Literal["granted", "redeemed", "expired", "voided", "refused", "open"]
COUPON_STANDINGS: tuple[CouponStanding, ...] = get_args(CouponStanding)

What = Literal["granted", "ended", "ended before", "open", "last week"]

# Names by one step down an index for each.
_NAMES: LiteralString = """
with recursive given as (
    (select offer from coupons order by offer limit 1)
    union all
    select (select c.offer from coupons c where c.offer > g.offer order by c.offer limit 1)
      from given g where g.offer is not null
), loaded as (
    (select offer from coupon_pool order by offer limit 1)
    union all
    select (select p.offer from coupon_pool p where p.offer > l.offer order by p.offer limit 1)
      from loaded l where l.offer is not null
)
(select offer from given where offer is not null limit %(most)s)
union (select offer from loaded where offer is not null limit %(most)s)
union (select name from published where kind = 'offer' and live order by name limit %(most)s)
order by 1 limit %(most)s
"""

# Each stretch apart, so that each has its own bound and its own index.
_COUNTED: LiteralString = """
select o.offer, c.what, c.journey, c.state, c.n, c.amount, c.with_amount
  from unnest(%(offers)s::text[]) o(offer) cross join lateral (
       select x.what, x.journey, x.state, count(*) as n, coalesce(sum(x.amount), 0) as amount,
              count(x.amount) as with_amount
         from ((select 'granted' as what, journey, state, amount from coupons
                 where offer = o.offer and granted_at >= %(since)s and granted_at < %(now)s
                 order by granted_at desc limit %(most)s)
               union all
               (select 'ended', journey, state, amount from coupons
                 where offer = o.offer and settled_at >= %(since)s and settled_at < %(now)s
                 order by settled_at desc limit %(most)s)
               union all
               (select 'ended before', journey, state, amount from coupons
                 where offer = o.offer and settled_at >= %(before)s and settled_at < %(since)s
                 order by settled_at desc limit %(most)s)
               union all
               (select 'open', journey, state, amount from coupons
                 where offer = o.offer and state = 'open' and expires_at >= %(now)s
                 order by expires_at limit %(most)s)
               union all
               (select 'last week', journey, state, amount from coupons
                 where offer = o.offer and granted_at >= %(week)s and granted_at < %(now)s
                 order by granted_at desc limit %(most)s)) x
        group by 1, 2, 3) c
"""

_LEFT: LiteralString = """
select o.offer, p.n, exists (select 1 from coupon_pool a where a.offer = o.offer) as loaded
  from unnest(%(offers)s::text[]) o(offer) cross join lateral (
       select count(*) as n from (select 1 from coupon_pool
                                   where offer = o.offer and coupon is null limit %(most)s) x) p
"""

_WHO: LiteralString = """
select granted_at, expires_at, settled_at, customer, journey, entry, amount, state, reason from (select *"""
_GRANTED: LiteralString = """, granted_at as at from coupons
 where offer = %(offer)s and granted_at >= %(since)s and granted_at < %(now)s
   and (%(at)s::timestamptz is null or (granted_at, entry) < (%(at)s, %(entry)s))
 order by granted_at desc, entry desc limit %(looked)s) c
"""
_ENDED: LiteralString = """, settled_at as at from coupons
 where offer = %(offer)s and settled_at >= %(since)s and settled_at < %(now)s
   and (%(at)s::timestamptz is null or (settled_at, entry) < (%(at)s, %(entry)s))
 order by settled_at desc, entry desc limit %(looked)s) c
"""
_OPEN: LiteralString = """, expires_at as at from coupons
 where offer = %(offer)s and state = 'open' and expires_at >= %(now)s
   and (%(at)s::timestamptz is null or (expires_at, entry) > (%(at)s, %(entry)s))
 order by expires_at, entry limit %(looked)s) c
"""
_OF_JOURNEY: LiteralString = " and (%(journey)s::text is null or journey = %(journey)s)"
_NEWEST: LiteralString = " order by at desc, entry desc limit %(most)s"
_CHOSEN: Mapping[CouponStanding, LiteralString] = {
    "granted": _GRANTED + " where state <> 'refused'" + _OF_JOURNEY + _NEWEST,
    "refused": _GRANTED + " where state = 'refused'" + _OF_JOURNEY + _NEWEST,
    "redeemed": _ENDED + " where state = 'redeemed'" + _OF_JOURNEY + _NEWEST,
    "expired": _ENDED + " where state = 'expired'" + _OF_JOURNEY + _NEWEST,
    "voided": _ENDED + " where state = 'voided'" + _OF_JOURNEY + _NEWEST,
    "open": _OPEN + " where true" + _OF_JOURNEY + " order by at, entry limit %(most)s",
}


@dataclass(slots=True, frozen=True, kw_only=True)
class Offered:
    """An offer by name. `words`: as it is published, or was last; None where it never was."""

    offer: str
    words: OfferWords | None
    live: bool


@dataclass(slots=True, frozen=True, kw_only=True)
class CountedCoupons:
    """So many coupons of an offer in a journey stand so; of `with_amount` of them it is known what they are worth.

    `what`: granted or ended in the time that is looked at, ended in the one before, open now, or granted in the last
    seven days. `amount`: the sum, in whatever the journeys count.
    """

    offer: str
    what: What
    journey: str
    state: str
    n: int
    amount: float
    with_amount: int


@dataclass(slots=True, frozen=True, kw_only=True)
class LeftInPool:
    """So many codes a pool has left, `MOST_COUPONS` at the most; `loaded`: whether it ever had any."""

    offer: str
    n: int
    loaded: bool


@dataclass(slots=True, frozen=True, kw_only=True)
class CouponOf:
    """A coupon and whose it is, without its code, which is the customer's. Run time."""

    granted_at: datetime
    expires_at: datetime | None
    settled_at: datetime | None
    customer: str
    journey: str
    entry: int
    amount: float | None
    state: str
    reason: str


class OfferLooks:
    """Reads coupons, each time so many at the most. All times are run time. Changes nothing."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def offers(self, most: int = MOST_OFFERS) -> list[Offered]:
        """Those that are published, have codes or were given, by name."""
        names = [row["offer"] for row in await rows_of(self._pool, _NAMES, {"most": most})]
        words = await last_words(self._pool, "offer", names)
        return [
            Offered(
                offer=name,
                words=OfferWords.model_validate(words[name].source) if name in words else None,
                live=name in words and words[name].live,
            )
            for name in names
        ]

    async def counted(
        self, offers: Sequence[str], before: datetime, since: datetime, now: datetime
    ) -> tuple[list[CountedCoupons], int]:
        """How coupons of these stand, and how many of each stretch were counted at the most, the newest."""
        most = min(MOST_COUPONS, MOST_IN_ALL // max(1, len(offers)))
        asked = {
            "offers": list(offers), "before": before, "since": since, "now": now, "week": now - WEEK, "most": most,
        }  # fmt: skip
        return [CountedCoupons(**row) for row in await rows_of(self._pool, _COUNTED, asked)], most

    async def left(self, offers: Sequence[str]) -> list[LeftInPool]:
        """What the pools of these have left."""
        most = min(MOST_COUPONS, MOST_IN_ALL // max(1, len(offers)))
        return [
            LeftInPool(**row)
            for row in await rows_of(self._pool, _LEFT, {"offers": list(offers), "most": most})
        ]

    async def who(
        self,
        offer: str,
        standing: CouponStanding,
        since: datetime,
        now: datetime,
        *,
        journey: str | None = None,
        after: tuple[datetime, int] | None = None,
        most: int = MOST_PEOPLE,
    ) -> list[CouponOf]:
        """Whose coupons stand so, among `MOST_COUPONS` of that time, the newest first; of open ones, what is over next.

        `after`: the time and the entry of the last that was shown, to leaf on.
        """
        asked = {
            "offer": offer, "since": since, "now": now, "journey": journey, "most": most, "looked": MOST_COUPONS,
            "at": after[0] if after else None, "entry": after[1] if after else None,
        }  # fmt: skip
        return [
            CouponOf(**row) for row in await rows_of(self._pool, _WHO + _CHOSEN[standing], asked)
        ]
