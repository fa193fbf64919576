"""An order, from the till to the door, on the real product."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.integration.examples.conftest import EXAMPLES, Shortened
from tests.integration.examples.shop import Shop, decided, promises

PRAGUE = ZoneInfo("Europe/Prague")
THE_NEXT_MORNING_IS_NOW = {"until: next 11:00": "until: 1s"}
THE_NEXT_MORNING_NEVER_COMES = {"until: next 11:00": "until: 300d"}


def in_days(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def told_as(moment: datetime) -> str:
    """The time of day as a customer in Prague reads it."""
    return f"{moment.astimezone(PRAGUE):%H:%M}"


async def test_an_order_in_two_parcels_is_followed_to_the_door_and_asked_about_once(
    shop: Shop, shortened: Shortened
) -> None:
    """The morning after the delivery, on which they are asked, comes within a second."""
    await shop.stack.publish(shortened("order-status", THE_NEXT_MORNING_IS_NOW))
    jana, due = await shop.customer("jana-order", first_name="Jana"), in_days(3)

    await jana.does("Order Placed", order="A7", due=due.isoformat())
    confirmed = await jana.hears("Your order A7")
    assert "Hello Jana," in confirmed.text
    assert f"will be with you by {told_as(due)}" in confirmed.text
    await jana.does("Order Packed", order="A7", parcels=["P-71", "P-72"])
    await jana.hears("Your order is on its way")
    await shop.happens("Parcel Scanned", "P-71", place="Brno")
    await shop.happens("Out For Delivery", "P-71")
    await jana.hears("Your order is on the van")
    await shop.happens("Parcel Delivered", "P-71")
    assert "1 of 2 parcels" in (await jana.hears("One of your parcels is there")).text
    await shop.happens("Parcel Delivered", "P-72")
    await jana.hears("Your order is there")
    await jana.answers(await jana.hears("How did it come?"), score=5, words="As you said")

    story = await jana.ends("order-status")
    assert (story.run.outcome, story.run.goal) == ("delivered", True)
    assert promises(story) == {"delivery": "kept"}
    assert jana.told == [
        "Your order A7",
        "Your order is on its way",
        "Your order is on the van",
        "One of your parcels is there",
        "Your order is there",
        "How did it come?",
    ]
    await jana.has_trait("how_it_came", 5)
    assert await jana.cases() == []
    await shop.adds_up()


async def test_a_silent_carrier_is_asked_by_people_until_it_speaks_and_what_is_lost_is_sent_anew(
    shop: Shop, shortened: Shortened
) -> None:
    """The day of silence after which people ask is a second."""
    await shop.stack.publish(shortened("order-status", {"until: 24h": "until: 1s"}))
    petr = await shop.customer("petr-order")

    await petr.does("Order Placed", order="B8", due=in_days(3).isoformat())
    await petr.does("Order Packed", order="B8", parcels=["P-81"])
    first = await petr.case("carrier-desk", saying="No word of order B8 for a day")
    assert "last seen: nowhere" in first["brief"]
    await shop.happens("Parcel Scanned", "P-81", place="Ostrava")
    await petr.case("carrier-desk", state="closed")
    late = await shop.asked_to_decide(first, "lost")
    assert late.status_code == 409
    second = await petr.case("carrier-desk", saying="last seen: Ostrava")
    await shop.decide(second, "lost")

    story = await petr.ends("order-status")
    assert (story.run.outcome, story.run.goal) == ("lost", False)
    assert promises(story) == {"delivery": "dropped"}
    assert petr.told == [
        "Your order B8",
        "Your order is on its way",
        "Your parcel was lost, a new one is on its way",
    ]
    assert await petr.desks() == [("carrier-desk", "closed"), ("carrier-desk", "resolved")]
    await shop.adds_up()


async def test_a_broken_promise_has_a_person_until_the_parcel_rings_and_who_has_no_parcel_is_believed(
    shop: Shop, shortened: Shortened
) -> None:
    """Promised for two seconds from now; the morning on which they would be asked does not come."""
    await shop.stack.publish(shortened("order-status", THE_NEXT_MORNING_NEVER_COMES))
    lida = await shop.customer("lida-order")

    await lida.does("Order Placed", order="C9", due=in_days(2 / 86_400).isoformat())
    broken = await lida.case("care", saying="is not there (placed, last seen: nowhere)")
    assert "Told before: no. Call them." in broken["brief"]
    await lida.does("Order Packed", order="C9", parcels=["P-91"])
    await lida.hears("Your order is on its way")
    await shop.happens("Parcel Delivered", "P-91")
    await lida.case("care", state="closed")
    await lida.hears("Your order is there")
    await lida.does("Not There", order="C9", looked="at the door, and asked the neighbours")
    missing = await lida.case("carrier-desk", saying="asked the neighbours")
    await shop.decide(missing, "with-a-neighbour")

    story = await lida.ends("order-status")
    assert (story.run.outcome, story.run.goal) == ("delivered", True)
    assert promises(story) == {"delivery": "kept_late"}
    # Nobody is told that it may be late when it is late already.
    assert lida.told == [
        "Your order C9",
        "Your order is on its way",
        "Your order is there",
        "Your parcel is with a neighbour",
    ]
    assert await lida.desks() == [("care", "closed"), ("carrier-desk", "resolved")]
    await shop.adds_up()


async def test_a_promise_that_will_be_missed_is_told_before_and_cancelling_ends_everything(
    shop: Shop, shortened: Shortened
) -> None:
    """The ten minutes in which a carrier may correct itself are a second."""
    await shop.stack.publish(shortened("order-status", {"settle: 10m": "settle: 1s"}))
    marek, due, estimate = await shop.customer("marek-order"), in_days(2), in_days(3.1)

    await marek.does("Order Placed", order="D1", due=due.isoformat())
    await marek.does("Order Packed", order="D1", parcels=["P-11"])
    await marek.hears("Your order is on its way")
    await shop.happens("Delivery Estimated", "P-11", at=estimate.isoformat())
    later = await marek.hears("Your order comes later than we said")
    assert f"we said {told_as(due)}, and the carrier now says {told_as(estimate)}" in later.text

    async def moved() -> bool:
        [promise] = (await marek.story("order-status")).promises
        return promise.by == estimate

    await shop.stack.until(moved)
    await marek.does("Address Changed", order="D1", address="Dlouhá 1")
    address = await marek.case("carrier-desk", saying="another address: Dlouhá 1. Status: moving")
    await shop.decide(address, "redirected")
    await marek.hears("Your order goes to the new address")
    await marek.does("Order Cancelled", order="D1")

    story = await marek.ends("order-status")
    assert (story.run.outcome, story.run.goal) == ("cancelled", False)
    assert promises(story) == {"delivery": "dropped"}
    assert marek.told == [
        "Your order D1",
        "Your order is on its way",
        "Your order comes later than we said",
        "Your order goes to the new address",
    ]
    assert await marek.desks() == [("carrier-desk", "resolved")]
    await shop.adds_up()


async def test_what_happens_to_another_order_of_theirs_is_not_this_ones(shop: Shop) -> None:
    """As it is: nothing in it has to wait."""
    await shop.stack.publish(EXAMPLES / "order-status")
    nina = await shop.customer("nina-order")
    for order, parcel in (("E1", "P-E1"), ("E2", "P-E2")):
        await nina.does("Order Placed", order=order, due=in_days(3).isoformat())
        await nina.does("Order Packed", order=order, parcels=[parcel])
    await nina.entered("order-status", 2)
    await nina.hears("Your order is on its way", times=2)

    await shop.happens("Parcel Returned", "P-E1", reason="nobody at home")
    back = await nina.case("carrier-desk", saying="Order E1 came back: nobody at home.")
    await shop.decide(back, "money-back")
    money = await nina.hears("Your money is on its way back")
    await nina.does("Order Cancelled", order="E2")

    async def outcomes() -> bool:
        runs = await shop.stack.runs("order-status", customer=nina.id)
        return {run.key: run.outcome for run in runs} == {"E1": "returned", "E2": "cancelled"}

    await shop.stack.until(outcomes)
    assert "order E1 came back" in money.text
    assert len(nina.told) == 5
    assert len(decided(await nina.story("order-status"), "sent")) == 2
    await shop.adds_up()
