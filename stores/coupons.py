"""Coupons: one for each key, from a pool of codes or made for the customer."""

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from activities.customer_offers import UnknownOfferError
from contracts.clock import RunClock
from contracts.customer_offer import OfferGranted, OfferSettled
from contracts.fault_points import reach
from contracts.journey_run import RunReference
from journey.effects import GrantOffer, SettleOffer
from journey.offer import OfferWords
from stores.audit import record_deed
from stores.customers import lock_canonical
from stores.database import Connection, Pool, clean_text, jsonb
from stores.published import live_source

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, 1, I and O, which people misread."""

_RANDOM_CHARACTERS = 10
"""Fifty bits: nobody guesses a code, and two are never the same."""

_CLOCK = TypeAdapter(RunClock)


@dataclass(slots=True, frozen=True, kw_only=True)
class Coupon:
    """One coupon as it stands. Times are the run's own."""

    code: str
    offer: str
    customer: str
    amount: float | None
    state: str
    expires_at: datetime | None


class CouponStore:
    """Gives coupons and settles them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def grant(self, key: str, run: RunReference, order: GrantOffer) -> OfferGranted:
        """Give a coupon, or say again what was given: under the customer's lock, so that two never race."""
        async with self._pool.connection() as connection:
            run = replace(run, customer=await lock_canonical(connection, run.customer))
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"coupon {order.offer} {run.customer}"],
            )
            cursor = await connection.execute(
                "select code, reason from coupons where key = %s", [key]
            )
            known = await cursor.fetchone()
            if known is not None:
                return OfferGranted(code=known["code"], reason=known["reason"])
            code, reason = await self._decide(connection, key, run, order)
            await _keep(connection, key, run, order, code, reason)
            reach("offer.before_commit")
        reach("offer.after_commit")
        return OfferGranted(code=code, reason=reason)

    async def _decide(
        self, connection: Connection, key: str, run: RunReference, order: GrantOffer
    ) -> tuple[str | None, str]:
        source = await live_source(connection, "offer", order.offer)
        if source is None:
            words = (
                f"there is no offer {order.offer!r}: publish its offers.yaml, then resume the run"
            )
            raise UnknownOfferError(words)
        offer = OfferWords.model_validate(source)
        if order.not_since is not None:
            cursor = await connection.execute(
                "select 1 from coupons where customer = %s and offer = %s and granted_at > %s"
                " and state <> 'refused' limit 1",
                [run.customer, order.offer, order.not_since],
            )
            if await cursor.fetchone() is not None:
                return None, "the customer had one not long ago"
        if offer.kind == "generated":
            return offer.prefix + _random(), ""
        taken = await _take(connection, order.offer, key)
        return (taken, "") if taken is not None else (None, "none is left")

    async def settle(self, key: str, run: RunReference, order: SettleOffer) -> OfferSettled:
        """Say how a coupon ended; what has ended stays as it is."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "update coupons set state = %s, reason = %s, settled_at = %s"
                " where key = %s and state = 'open'",
                [order.state, clean_text(order.reason), run.now, key],
            )
            cursor = await connection.execute("select state from coupons where key = %s", [key])
            row = await cursor.fetchone()
        reach("offer.after_settling")
        return OfferSettled(state=row["state"] if row else "refused")

    async def look_up(self, code: str) -> Coupon | None:
        """A coupon by its code; one whose time is over is `expired`, whoever has said so yet."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select code, offer, customer, amount, state, expires_at, run_clock from coupons"
                " where code = %s",
                [clean_text(code)],
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        now = _now(row.pop("run_clock"))
        over = row["expires_at"] is not None and row["expires_at"] <= now
        if row["state"] == "open" and over:
            row["state"] = "expired"
        return Coupon(**row)

    async def load(self, offer: str, codes: Iterable[str], *, by: str = "program") -> int:
        """Add codes to the pool of an offer. Returns how many are new.

        A code that was given to somebody, or that any offer has, stays as it is: it is one coupon's only.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                insert into coupon_pool (offer, code)
                select %s, g.code from unnest(%s::text[]) as g(code)
                 where not exists (select 1 from coupon_pool p where p.code = g.code)
                   and not exists (select 1 from coupons c where c.code = g.code)
                on conflict do nothing
                """,
                [offer, list(codes)],
            )
            await record_deed(
                connection, by, "loaded codes", f"offer {offer}", {"new": cursor.rowcount}
            )
            return cursor.rowcount

    async def left(self, offer: str) -> int:
        """How many codes the pool of an offer still has."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select count(*) as left from coupon_pool where offer = %s and coupon is null",
                [offer],
            )
            row = await cursor.fetchone()
            return row["left"] if row else 0


async def _take(connection: Connection, offer: str, key: str) -> str | None:
    """A code from the pool; who takes at the same time takes another."""
    cursor = await connection.execute(
        """
        update coupon_pool set coupon = %(key)s
         where offer = %(offer)s and code = (
               select code from coupon_pool p where offer = %(offer)s and coupon is null
                  and not exists (select 1 from coupons c where c.code = p.code)
                order by code limit 1 for update of p skip locked)
        returning code
        """,
        {"key": key, "offer": offer},
    )
    row = await cursor.fetchone()
    return row["code"] if row else None


async def _keep(
    connection: Connection,
    key: str,
    run: RunReference,
    order: GrantOffer,
    code: str | None,
    reason: str,
) -> None:
    await connection.execute(
        """
        insert into coupons (key, offer, code, customer, entry, journey, amount, state, reason,
                             granted_at, expires_at, run_clock)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            *(key, order.offer, code, run.customer, run.entry, run.journey, order.amount),
            *("open" if code is not None else "refused", reason, run.now, order.expires),
            jsonb(asdict(run.clock)) if run.clock else None,
        ],
    )


def _random() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))


def _now(clock: Any) -> datetime:
    now = datetime.now(UTC)
    return _CLOCK.validate_python(clock).now(now) if clock else now
