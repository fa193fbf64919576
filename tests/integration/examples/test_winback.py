"""Who drifts away from their own rhythm, on the real product.

Purchases of the past come late, as from a shop that hands in what it sold: so nobody waits for a quarter.
"""

from datetime import UTC, datetime, timedelta

import pytest

from journey.steps.split import Split
from tests.integration.examples.conftest import EXAMPLES, Shortened
from tests.integration.examples.shop import Customer, Shop

NOTE = "New since you were here"
OFFERS = {
    "voucher": "10 off your next order, because you are a good customer",
    "free-delivery": "Your next delivery is on us",
}
MONDAY_IS_NOW = {"until: next weekday 10:00": "until: 1s"}
KEPT_AT_ONCE = {"until: 3d}": "until: 1s}"}
NO_ANSWER_AT_ONCE = {"until: 14d}": "until: 1s}"}
A_QUARTER_AGO = 95
"""Days. Who bought once is expected every 45, and drifts after 90."""


async def bought(customer: Customer, revenue: float, days_ago: float = 0) -> None:
    happened = datetime.now(UTC) - timedelta(days=days_ago)
    await customer.does("Order Completed", happened=happened, revenue=revenue)


async def buyer(shop: Shop, name: str, *, held_out: bool = False) -> Customer:
    program = await shop.program("winback")
    return await shop.customer(name, chosen=lambda ours: program.held_out(ours) == held_out)


@pytest.mark.parametrize("arm", OFFERS)
async def test_a_good_customer_who_drifts_gets_a_note_and_an_offer_and_is_won_back(
    shop: Shop, shortened: Shortened, arm: str
) -> None:
    """Bought 60, 50 and 48 days ago, so every 19 days: missed after 38. Later days are seconds."""
    words = MONDAY_IS_NOW | NO_ANSWER_AT_ONCE | KEPT_AT_ONCE
    await shop.stack.publish(shortened("winback", words))
    program = await shop.program("winback")
    [split] = [node.step for node in program.nodes.values() if isinstance(node.step, Split)]
    hugo = await shop.customer(
        f"hugo-{arm}",
        chosen=lambda ours: (
            not program.held_out(ours) and split.drawn(program.journey, ours).arm == arm
        ),
    )

    for days_ago in (60, 50, 48):
        await bought(hugo, 60.0, days_ago)
    offered = await hugo.hears(OFFERS[arm])
    assert "you have ordered from us 3 times" in offered.text
    await bought(hugo, 60.0)

    story = await hugo.ends("winback")
    assert (story.run.outcome, story.run.goal) == ("won-back", True)
    assert hugo.told == [NOTE, OFFERS[arm]]
    await hugo.has_trait("winback_orders", 4)
    await hugo.has_trait("winback_spent", 240.0)
    assert (await hugo.cases(), await hugo.coupons()) == ([], [])
    await shop.adds_up()


async def test_who_is_held_out_gets_nothing_and_their_coming_back_still_counts(
    shop: Shop, shortened: Shortened
) -> None:
    """Monday, and the three days in which things are sent back, are seconds."""
    await shop.stack.publish(shortened("winback", MONDAY_IS_NOW | KEPT_AT_ONCE))
    igor = await buyer(shop, "igor-buys", held_out=True)

    await bought(igor, 20.0, A_QUARTER_AGO)
    await igor.delivery_is("new-for-you", "refused", "held_out")
    await bought(igor, 25.0)

    story = await igor.ends("winback")
    assert story.run.held_out
    assert (story.run.outcome, story.run.goal) == ("won-back", True)
    assert (igor.told, await igor.cases()) == ([], [])
    assert await igor.deliveries() == {"new-for-you": ("refused", "held_out")}
    await shop.adds_up()


async def test_who_sends_it_back_was_not_won_back(shop: Shop, shortened: Shortened) -> None:
    """Monday is a second away."""
    await shop.stack.publish(shortened("winback", MONDAY_IS_NOW))
    jitka = await buyer(shop, "jitka-buys")

    await bought(jitka, 20.0, A_QUARTER_AGO)
    await jitka.hears(NOTE)
    await bought(jitka, 25.0)
    await jitka.does("Order Returned")

    story = await jitka.ends("winback")
    assert (story.run.outcome, story.run.goal) == ("sent-back", False)
    assert jitka.told == [NOTE]
    assert "winback_orders" not in await jitka.traits()
    await shop.adds_up()


async def test_who_bought_little_is_let_be_and_begins_anew_with_what_we_know_of_their_rhythm(
    shop: Shop, shortened: Shortened
) -> None:
    """Monday and the weeks behind it are seconds; after the second purchase nothing is shortened."""
    words = MONDAY_IS_NOW | NO_ANSWER_AT_ONCE | {"until: 31d}": "until: 1s}"}
    await shop.stack.publish(shortened("winback", words))
    klara = await buyer(shop, "klara-buys")

    await bought(klara, 20.0, A_QUARTER_AGO)
    story = await klara.ends("winback")
    assert (story.run.outcome, story.run.goal) == ("lost", False)
    assert klara.told == [NOTE]
    await klara.has_trait("winback_orders", 1)

    await shop.stack.publish(EXAMPLES / "winback")
    now = datetime.now(UTC)
    await klara.does("Order Completed", happened=now, revenue=25.0)
    await klara.entered("winback", 2)

    async def in_rhythm() -> bool:
        wakes_at = (await klara.story("winback")).run.wakes_at
        # Two orders, 95 days apart: every (45 + 95) / 2 = 70 days, so missed after 140.
        return wakes_at is not None and abs(wakes_at - now - timedelta(days=140)) < timedelta(1)

    await shop.stack.until(in_rhythm)
    await klara.does("Account Closed")

    story = await klara.ends("winback")
    assert (story.run.outcome, story.run.goal) == ("closed", False)
    assert klara.told == [NOTE]
    await shop.adds_up()
