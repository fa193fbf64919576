"""A complaint, until the one who complained says that it is well, on the real product."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.integration.examples.conftest import EXAMPLES, Shortened
from tests.integration.examples.shop import Customer, Shop, promises

PRAGUE = ZoneInfo("Europe/Prague")
SOFA: dict[str, Any] = {"about": "the sofa", "said": "A leg is broken.", "where": "phone"}
IT_HOLDS_AT_ONCE = {"wait: 2d": "wait: 1s", "wait: next weekday 10:00": "wait: 1s"}
ASKED = "Is it well now?"


async def complains(shop: Shop, name: str, complaint: str) -> Customer:
    customer = await shop.customer(name, first_name=name.partition("-")[0].title())
    await customer.does("Complaint Filed", complaint=complaint, **SOFA)
    return customer


async def test_nobody_sells_them_anything_until_they_say_that_it_is_well(
    shop: Shop, shortened: Shortened
) -> None:
    """The two days after which they are asked, and the hour after which a cart is noticed, are seconds."""
    await shop.stack.publish(shortened("complaint", IT_HOLDS_AT_ONCE))
    await shop.stack.publish(shortened("abandoned-cart", {"until: 1h": "until: 1s"}))
    cart = await shop.program("abandoned-cart")
    anna = await shop.customer(
        "anna-complains", first_name="Anna", chosen=lambda ours: not cart.held_out(ours)
    )

    await anna.does("Complaint Filed", complaint="C1", **SOFA)
    await anna.hears("Your complaint is with us: C1")
    case = await anna.case("complaints")
    assert "Anna complains about the sofa (phone): A leg is broken." in case["brief"]
    await anna.does("Product Added", cart_value=80)
    await anna.delivery_is("can-we-help", "deferred", "held_by")
    await shop.decide(case, "solved", answer="A new leg is on its way.")
    answer = await anna.hears("About the sofa")
    assert "A new leg is on its way." in answer.text
    assert "lea, who has your complaint C1" in answer.text
    asked = await anna.hears(ASKED)
    assert (await anna.deliveries())["can-we-help"] == ("deferred", "held_by")
    await anna.answers(asked, score=5)

    story = await anna.ends("complaint")
    assert (story.run.outcome, story.run.goal) == ("well-again", True)
    assert promises(story) == {"answer": "kept"}
    await anna.has_trait("how_it_went", 5)
    await anna.hears("Is something unclear?")
    assert anna.told == [
        "Your complaint is with us: C1",
        "About the sofa",
        ASKED,
        "Is something unclear?",
    ]
    assert await anna.desks() == [("complaints", "resolved")]
    await shop.adds_up()
    await anna.does("Cart Emptied")
    await anna.ends("abandoned-cart")


async def test_a_bad_answer_opens_it_again_at_another_desk_that_knows_what_was_said(
    shop: Shop, shortened: Shortened
) -> None:
    """The two days after which they are asked are seconds."""
    await shop.stack.publish(shortened("complaint", IT_HOLDS_AT_ONCE))
    bela = await complains(shop, "bela-complains", "C2")

    await shop.decide(await bela.case("complaints"), "solved", answer="A new leg is on its way.")
    first = await bela.hears(ASKED)
    await bela.answers(first, score=1, words="It is the wrong colour.")
    await bela.hears("It is not over")
    lead = await bela.case("complaint-leads")
    assert "Bela complains about the sofa: A leg is broken." in lead["brief"]
    assert "lea had it. They were answered: A new leg is on its way." in lead["brief"]
    assert "What they say of it: It is the wrong colour." in lead["brief"]
    await shop.decide(lead, "made-good", by="otto", answer="Keep it.", amount=300)
    good = await bela.hears("About the sofa", times=2)
    assert "300.00 are on their way to you." in good.text
    assert "otto, who has your complaint C2" in good.text
    second = await bela.hears(ASKED, times=2)
    assert second.text != first.text
    await bela.answers(second, score=4)

    story = await bela.ends("complaint")
    assert (story.run.outcome, story.run.goal) == ("well-again", True)
    assert promises(story) == {"answer": "kept", "answer_again": "kept"}
    assert bela.told == [
        "Your complaint is with us: C2",
        "About the sofa",
        ASKED,
        "It is not over",
        "About the sofa",
        ASKED,
    ]
    assert await bela.desks() == [("complaints", "resolved"), ("complaint-leads", "resolved")]
    await shop.adds_up()


async def test_what_will_be_put_right_is_told_when_it_moves_and_the_silent_are_asked_once_more(
    shop: Shop, shortened: Shortened
) -> None:
    """The days until they are asked, and asked again, are seconds."""
    words = IT_HOLDS_AT_ONCE | {"remind: 3d": "remind: 1s"}
    await shop.stack.publish(shortened("complaint", words))
    cyril = await complains(shop, "cyril-complains", "C3")
    moved = datetime.now(PRAGUE) + timedelta(days=9)

    await shop.decide(
        await cyril.case("complaints"), "will-be-put-right", answer="We send a joiner.", days=4
    )
    await cyril.hears("About the sofa: what we do, and by when")
    await cyril.does("Remedy Moved", complaint="C3", due=moved.isoformat())
    later = await cyril.hears("Later than we promised")
    assert f"it will be {moved:%A}, {moved.day} {moved:%B}." in " ".join(later.text.split())
    await cyril.does("Remedy Done", complaint="C3")
    await cyril.hears("The sofa: it is done")
    first, again = await cyril.hears(ASKED), await cyril.hears(ASKED, times=2)
    assert first.text == again.text, "a reminder leads to the same page"
    await cyril.answers(again, score=3)

    story = await cyril.ends("complaint")
    assert (story.run.outcome, story.run.goal) == ("settled", False)
    assert promises(story) == {"answer": "kept", "remedy": "kept"}
    assert cyril.told.count(ASKED) == 2
    assert await cyril.desks() == [("complaints", "resolved")]
    await shop.adds_up()


async def test_a_remedy_that_is_late_is_a_leads_business_before_they_ask(shop: Shop) -> None:
    """As it is: it was promised for this very moment, and was not done."""
    await shop.stack.publish(EXAMPLES / "complaint")
    dita = await complains(shop, "dita-complains", "C4")

    await shop.decide(await dita.case("complaints"), "will-be-put-right", answer="At once.", days=0)
    broken = await dita.case("complaint-leads", saying="Promised to put the sofa right by")
    assert "it is not done. Call them now: At once." in broken["brief"]
    await shop.decide(broken, "new-date", days=1)
    await dita.hears("Later than we promised")
    await dita.does("Remedy Done", complaint="C4")
    await dita.hears("The sofa: it is done")
    await dita.does("Complaint Added", complaint="C4", said="The other leg now.")
    await dita.hears("It is not over")
    lead = await dita.case("complaint-leads", saying="Since then: The other leg now.")
    await dita.does("Complaint Withdrawn", complaint="C4")

    story = await dita.ends("complaint")
    assert (story.run.outcome, story.run.goal) == ("withdrawn", False)
    assert promises(story) == {"answer": "kept", "remedy": "kept_late", "answer_again": "dropped"}
    await dita.case("complaint-leads", state="closed")
    assert (await shop.asked_to_decide(lead, "explained", answer="-")).status_code == 409
    await shop.adds_up()


async def test_who_is_not_answered_in_time_hears_so_and_somebody_who_may_decide_more_has_it(
    shop: Shop, shortened: Shortened
) -> None:
    """The working day within which a person answers is a second."""
    words = {f'duration("{hours}h")': 'duration("1s")' for hours in (72, 48, 24)}
    words["resolve: 1 business day"] = "resolve: 1s"
    await shop.stack.publish(shortened("complaint", words))
    emma = await complains(shop, "emma-complains", "C5")

    await emma.hears("You have not been answered yet")
    lead = await emma.case("complaint-leads")
    assert "Emma complains about the sofa: A leg is broken." in lead["brief"]
    await shop.decide(lead, "explained", by="otto", answer="The guarantee is over.")
    assert "The guarantee is over." in (await emma.hears("About the sofa")).text
    await emma.does("Complaint Withdrawn", complaint="C5")

    story = await emma.ends("complaint")
    assert story.run.outcome == "withdrawn"
    assert promises(story) == {"answer": "kept_late"}
    assert await emma.desks() == [("complaints", "expired"), ("complaint-leads", "resolved")]
    await shop.adds_up()
