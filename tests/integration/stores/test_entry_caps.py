"""No more than the cap enter within an hour and a day, to the customer, however many ask at once."""

import asyncio
from collections import Counter
from datetime import timedelta

from contracts.journey_run import NotAdmitted
from tests.integration.stores.conftest import CART, NOW, Shop, added

RUSHING = 16
CAPPED = CART.replace("again: after 7d", "again: after 7d\n  cap: {per_hour: 5, per_day: 8}")


async def rush(shop: Shop, hours: float) -> dict[str, int]:
    """So many customers ask to enter at the same instant, each twice; how many were answered what."""
    orders = [
        shop.order(
            "cart",
            f"rushing-{hours}-{number}",
            added(f"m-{hours}-{number}"),
            now=NOW + timedelta(hours=hours),
        )
        for number in range(RUSHING)
    ]
    answers = await asyncio.gather(*(shop.ask(order) for order in [*orders, *orders]))
    assert answers[:RUSHING] == answers[RUSHING:], "asked again, the answer is the same"
    return Counter(
        answer.reason if isinstance(answer, NotAdmitted) else "admitted"
        for answer in answers[:RUSHING]
    )


async def test_as_many_as_may_enter_do_and_not_one_more(shop: Shop) -> None:
    await shop.publish(CAPPED)

    assert await rush(shop, 0) == {"admitted": 5, "capped": 11}
    assert await rush(shop, 1) == {"admitted": 3, "capped": 13}
    assert await rush(shop, 23.9) == {"capped": 16}
    assert await rush(shop, 24) == {"admitted": 5, "capped": 11}
    assert await rush(shop, 25) == {"admitted": 3, "capped": 13}


async def test_who_was_refused_takes_nobodys_place(shop: Shop) -> None:
    await shop.publish(CAPPED)
    unwanted = [shop.order("cart", f"poor-{n}", added(f"p-{n}", value=1.0)) for n in range(RUSHING)]
    refused = await asyncio.gather(*(shop.refused(order) for order in unwanted))

    assert set(refused) == {"not_wanted"}
    assert await rush(shop, 0) == {"admitted": 5, "capped": 11}


async def test_the_cap_of_one_journey_is_no_cap_of_another(shop: Shop) -> None:
    await shop.publish(CAPPED)
    await shop.publish(CAPPED.replace("journey: cart", "journey: basket"))
    asked = [
        shop.order(journey, f"{journey}-{n}", added(f"{journey}-{n}"))
        for n in range(RUSHING)
        for journey in ("cart", "basket")
    ]

    await asyncio.gather(*(shop.ask(order) for order in asked))

    open_runs = Counter(run.journey for run in await shop.runs.runs(state="open"))
    assert open_runs == {"cart": 5, "basket": 5}
