"""Coupons: one for each key, never one for two, and what has ended stays ended."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError

from activities.customer_offers import CustomerOffers
from contracts.clock import RunClock
from contracts.customer_offer import GrantCustomerOffer, OfferGranted, SettleCustomerOffer
from contracts.ids import effect_key
from contracts.journey_run import RunReference
from journey.effects import GrantOffer, OfferEnd, RunRecord, SettleOffer
from stores.coupons import CouponStore
from stores.database import Pool
from stores.published import PublishedStore
from tests.integration.stores.conftest import NOW

TAKERS = 8
NOT_SO_SOON = "the customer had one not long ago"


@dataclass
class Records:
    written: list[RunRecord] = field(default_factory=list[RunRecord])

    async def write(self, run: RunReference, record: RunRecord) -> None:
        self.written.append(record)


@dataclass
class Till:
    """Gives coupons as runs ask for them: each customer's run is another one."""

    pool: Pool
    clock: RunClock | None = None
    records: Records = field(default_factory=Records)

    @property
    def store(self) -> CouponStore:
        return CouponStore(self.pool)

    @property
    def offers(self) -> CustomerOffers:
        return CustomerOffers(coupons=self.store, records=self.records)

    async def describe(self, offer: str, **of: JsonValue) -> None:
        words: dict[str, JsonValue] = {"offer": offer, "title": offer, "owner": "us", **of}
        await PublishedStore(self.pool).publish("offer", offer, words)

    def run(self, customer: str, entry: int, now: datetime = NOW) -> RunReference:
        return RunReference(
            workflow_id=f"journey/thanks/{customer}",
            entry=entry,
            journey="thanks",
            version="v",
            customer=customer,
            now=now,
            clock=self.clock,
        )

    async def grant(
        self, customer: str = "c_anna", entry: int = 1, *, now: datetime = NOW, **of: Any
    ) -> OfferGranted:
        asked: dict[str, Any] = {"n": 2, "offer": "ten", **of}
        order = GrantCustomerOffer(run=self.run(customer, entry, now), grant=GrantOffer(**asked))
        return await self.offers.grant_offer(order)

    async def code(self, customer: str = "c_anna", entry: int = 1, **of: Any) -> str:
        given = await self.grant(customer, entry, **of)
        assert given.code is not None, given
        return given.code

    async def settle(self, state: OfferEnd, customer: str = "c_anna", entry: int = 1) -> str:
        settle = SettleOffer(n=3, grant=2, state=state, reason="so it came")
        order = SettleCustomerOffer(run=self.run(customer, entry), settle=settle)
        return (await self.offers.settle_offer(order)).state

    async def state(self, code: str) -> str:
        found = await self.store.look_up(code)
        assert found is not None
        return found.state


@pytest.fixture
async def till(pool: Pool) -> Till:
    till = Till(pool)
    await till.describe("ten", prefix="TEN-")
    await till.describe("sweets", kind="pool")
    return till


# -- one for each key


async def test_a_grant_that_is_asked_for_many_times_at_once_is_one_coupon(till: Till) -> None:
    given = await asyncio.gather(*(till.grant() for _ in range(TAKERS)))

    [code] = {each.code for each in given}
    assert code is not None
    assert code.startswith("TEN-")
    found = await till.store.look_up(code)
    assert found is not None
    assert (found.customer, found.state) == ("c_anna", "open")


async def test_each_time_a_step_is_reached_gives_another_coupon(till: Till) -> None:
    first = await till.code()

    assert len({first, await till.code(n=7), await till.code(entry=2)}) == 3


async def test_a_grant_that_was_refused_stays_refused_though_codes_came_since(till: Till) -> None:
    assert await till.grant(offer="sweets") == OfferGranted(code=None, reason="none is left")

    await till.store.load("sweets", ["A"])

    assert await till.grant(offer="sweets") == OfferGranted(code=None, reason="none is left")
    assert await till.code(entry=2, offer="sweets") == "A"


async def test_an_offer_that_nobody_described_stops_the_run_until_it_is(till: Till) -> None:
    with pytest.raises(ApplicationError, match=r"publish its offers\.yaml") as caught:
        await till.grant(offer="eleven")
    assert (caught.value.non_retryable, caught.value.type) == (True, "UnknownOfferError")

    await till.describe("eleven")

    assert await till.code(offer="eleven")


# -- from a pool


async def test_no_code_of_a_pool_is_given_to_two(till: Till) -> None:
    codes = [f"SWEET-{number:02}" for number in range(20)]
    await till.store.load("sweets", codes)

    async def taker(number: int) -> list[OfferGranted]:
        return [
            await till.grant(f"c_{number}", entry, offer="sweets") for entry in range(TAKERS // 2)
        ]

    given = [one for each in await asyncio.gather(*map(taker, range(TAKERS))) for one in each]

    assert sorted(each.code for each in given if each.code) == codes
    refused = Counter(each.reason for each in given if each.code is None)
    assert refused == {"none is left": TAKERS * TAKERS // 2 - len(codes)}
    assert await till.store.left("sweets") == 0


async def test_a_code_that_was_given_is_not_loaded_again(till: Till) -> None:
    assert await till.store.load("sweets", ["A", "B"]) == 2
    assert await till.code(offer="sweets") == "A"

    assert await till.store.load("sweets", ["A", "B", "C"]) == 1

    assert await till.store.left("sweets") == 2
    assert [await till.code(entry=n, offer="sweets") for n in (2, 3)] == ["B", "C"]


async def test_one_code_is_never_of_two_offers(till: Till) -> None:
    """The till of a shop knows a coupon by its code alone."""
    await till.describe("cakes", kind="pool")
    assert await till.store.load("sweets", ["HELLO", "BYE"]) == 2
    generated = await till.code()

    assert await till.store.load("cakes", ["BYE", "CAKE", generated, "HELLO"]) == 1

    assert await till.code(entry=2, offer="sweets") == "BYE"
    assert await till.code(entry=3, offer="cakes") == "CAKE"
    assert (await till.grant(entry=4, offer="cakes")).reason == "none is left"


async def test_a_code_that_two_pools_have_all_the_same_holds_up_neither(till: Till) -> None:
    await till.describe("cakes", kind="pool")
    async with till.pool.connection() as connection:
        await connection.execute(
            "insert into coupon_pool (offer, code) values ('sweets', 'A'), ('cakes', 'A'), ('cakes', 'B')"
        )

    assert await till.code(offer="sweets") == "A"
    assert await till.code(entry=2, offer="cakes") == "B"


# -- not so soon again


async def test_a_customer_gets_one_within_the_time_however_many_runs_ask(till: Till) -> None:
    since = NOW - timedelta(days=90)

    given = await asyncio.gather(
        *(till.grant("c_anna", entry, not_since=since) for entry in range(TAKERS)),
        till.grant("c_bert", not_since=since),
    )

    *annas, berts = given
    assert berts.code is not None
    reasons = Counter(each.reason for each in annas)
    assert reasons == {"": 1, NOT_SO_SOON: TAKERS - 1}
    assert len([each for each in annas if each.code is not None]) == 1


@pytest.mark.parametrize("end", ["redeemed", "expired", "voided"])
async def test_a_coupon_counts_towards_the_next_one_whatever_became_of_it(
    till: Till, end: OfferEnd
) -> None:
    await till.code()
    await till.settle(end)

    second = await till.grant(entry=2, now=NOW + timedelta(days=1), not_since=NOW - timedelta(1))

    assert second == OfferGranted(code=None, reason=NOT_SO_SOON)


async def test_the_time_is_counted_from_when_the_last_one_was_given(till: Till) -> None:
    await till.code()

    later = NOW + timedelta(days=90)
    too_soon = await till.grant(entry=2, now=later, not_since=NOW - timedelta(seconds=1))
    assert too_soon.reason == NOT_SO_SOON
    assert await till.code(entry=3, now=later, not_since=NOW)


async def test_who_got_none_is_not_said_to_have_had_one(till: Till) -> None:
    since = NOW - timedelta(days=90)
    assert (await till.grant(offer="sweets", not_since=since)).reason == "none is left"
    await till.store.load("sweets", ["A"])

    assert await till.code(entry=2, offer="sweets", not_since=since) == "A"


async def test_another_offer_is_not_counted(till: Till) -> None:
    await till.code()
    await till.store.load("sweets", ["A"])

    assert await till.code(entry=2, offer="sweets", not_since=NOW - timedelta(days=9)) == "A"


# -- how it ends


@pytest.mark.parametrize("end", ["redeemed", "expired", "voided"])
@pytest.mark.parametrize("after", ["redeemed", "expired", "voided"])
async def test_what_has_ended_stays_as_it_is(till: Till, end: OfferEnd, after: OfferEnd) -> None:
    code = await till.code()

    assert await till.settle(end) == end
    assert await till.settle(after) == end
    assert await till.state(code) == end


async def test_of_two_ends_at_the_same_instant_one_is_true_for_both(till: Till) -> None:
    codes = {entry: await till.code(entry=entry) for entry in range(TAKERS // 2)}

    told = await asyncio.gather(
        *(
            till.settle(end, entry=entry)
            for entry in codes
            for end in ("redeemed", "voided", "expired")
        )
    )

    for entry, code in codes.items():
        assert set(told[3 * entry : 3 * entry + 3]) == {await till.state(code)}


async def test_what_was_refused_is_not_voided(till: Till) -> None:
    await till.grant(offer="sweets")

    assert await till.settle("voided") == "refused"


@pytest.mark.parametrize(
    ("factor", "state"), [(1.0, "open"), (86_400.0, "expired")], ids=["as-is", "a-day-a-second"]
)
async def test_a_coupon_is_worth_nothing_from_its_end_on_by_the_clock_of_its_run(
    till: Till, factor: float, state: str
) -> None:
    minute_ago = datetime.now(UTC) - timedelta(minutes=1)
    till.clock = RunClock(wall_epoch=minute_ago, run_epoch=NOW, factor=factor)
    over = NOW + timedelta(days=14)
    code, used = await till.code(expires=over), await till.code(entry=2, expires=over)
    await till.settle("redeemed", entry=2)

    assert (await till.state(code), await till.state(used)) == (state, "redeemed")


async def test_without_a_clock_of_its_own_it_ends_by_the_real_one(till: Till) -> None:
    now = datetime.now(UTC)
    over = await till.code(expires=now - timedelta(seconds=1))
    good = await till.code(entry=2, expires=now + timedelta(days=1))
    endless = await till.code(entry=3)

    states = [await till.state(code) for code in (over, good, endless)]
    assert states == ["expired", "open", "open"]


async def test_nobody_knows_a_code_that_was_never_given(till: Till) -> None:
    await till.store.load("sweets", ["A"])

    assert await till.store.look_up("A") is None
    assert await till.store.look_up("TEN-\x00") is None


async def test_what_is_to_be_written_down_first_is(till: Till) -> None:
    record = RunRecord(sequence=4, at=NOW, stage="only")
    order = GrantCustomerOffer(
        run=till.run("c_anna", 1), grant=GrantOffer(n=2, offer="ten"), record=record
    )

    given = await till.offers.grant_offer(order)

    assert till.records.written == [record]
    key = effect_key("journey/thanks/c_anna", 1, 2)
    assert await till.store.grant(key, order.run, order.grant) == given
