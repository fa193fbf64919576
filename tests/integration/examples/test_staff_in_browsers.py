"""Scenarios that customers and staff live through together: the product as it runs, and staff in real browsers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from pytest_httpserver import HTTPServer

from tests.integration.examples.conftest import EXAMPLES, Shortened
from tests.integration.examples.shop import Shop
from tests.integration.examples.staff_browsers import Floor, floor_of

pytestmark = pytest.mark.timeout(240)


@pytest_asyncio.fixture
async def floor(shop: Shop, chromium: str) -> AsyncIterator[Floor]:
    async with floor_of(shop.stack, chromium) as floor:
        yield floor


def flown(hours: float) -> dict[str, Any]:
    """A flight that leaves so many hours from now."""
    departs = datetime.now(UTC) + timedelta(hours=hours)
    return {
        "flight": f"UA1-{departs:%m%d}", "number": "UA1", "from": "EWR", "to": "ORD",
        "departs": departs.isoformat(), "arrives": (departs + timedelta(hours=2)).isoformat(),
    }  # fmt: skip


async def test_a_cancelled_flight_is_escalated_and_the_duty_manager_books_another(
    shop: Shop, floor: Floor, shortened: Shortened
) -> None:
    """The half hour within which somebody must take it is a second."""
    await shop.stack.publish(shortened("flight", {"first_answer: 30m": "first_answer: 1s"}))
    olga, lena = await shop.customer("olga-flies", first_name="Olga"), await floor.desk("lena")
    leg, later = flown(5), flown(9)
    await olga.does("Flight Booked", pnr="P1", legs=[leg], onward=[], parking=False)
    await olga.does("Checked In", pnr="P1")
    await lena.page.goto("/staff")

    why: dict[str, Any] = {"reason": "storm", "alternatives": [later]}
    told = await shop.stack.tell("Flight Cancelled", subject=("flight", leg["flight"]), **why)
    shop.acknowledged.append(told)
    await lena.reads("was cancelled (storm)")  # it came to her list by itself
    await lena.claims("was cancelled (storm)")
    await lena.reads("escalated it to duty-managers", "Put them on another flight")
    await lena.decides("Put them on another flight", **{
        "flight": later["flight"], "number": "UA9", "from": "EWR",
        "departs": later["departs"], "arrives": later["arrives"],
    })  # fmt: skip
    await lena.reads("Decided.")

    assert [case["decision"] for case in await olga.cases()] == ["rebooked"]
    await shop.stack.until(lambda: bool(olga.mails))
    assert "UA9" in olga.mails[-1].text
    await olga.does("Booking Cancelled", pnr="P1")
    await olga.ends("flight")
    await shop.adds_up()


async def test_who_got_stuck_in_the_app_tells_it_once_on_the_phone_and_never_again_at_the_counter(
    shop: Shop, floor: Floor
) -> None:
    await shop.stack.publish(EXAMPLES / "stuck-in-app")
    petr = await shop.customer("petr-stuck", first_name="Petr")
    matter: dict[str, Any] = {"matter": "M1", "what": "a lost card", "place": "app"}
    await petr.does("Matter Begun", **matter)
    for step in ("photo", "signature"):
        await petr.does("Step Failed", matter="M1", step=step, reason="the camera is black")
    await shop.stack.until(lambda: bool(petr.mails))
    await petr.does("Helpline Called", matter="M1")

    eva = await floor.desk("eva")
    await eva.claims("is on the phone about a lost card")
    await eva.reads("signature: the camera is black", "Do not ask what happened")
    await eva.decides(
        "It needs a counter",
        agreed="A new card lies at the branch.", left_to_do="Bring a passport",
    )  # fmt: skip
    await eva.reads("Decided.")
    await petr.does("Branch Visited", matter="M1")
    ben = await floor.desk("ben", width=390)  # the branch has a tablet
    await ben.claims("stands before you because of a lost card")
    await ben.reads("promised: A new card lies at the branch.", "Still to do: Bring a passport")
    await ben.reads("resolved in helpline: Petr is on the phone")
    await ben.decides("settled", agreed="The card is in his hand.")
    await ben.reads("Decided.")

    await petr.comes_to("stuck-in-app", "settled")
    assert await petr.desks() == [("helpline", "resolved"), ("branches", "resolved")]
    await petr.does("Matter Dropped", matter="M1")
    await petr.ends("stuck-in-app")
    await shop.adds_up()


async def test_a_complaint_is_answered_in_writing_paid_for_by_a_lead_and_what_staff_lacked_is_answered(
    shop: Shop, floor: Floor, shortened: Shortened
) -> None:
    """The two days after which they are asked are a second."""
    soon = {"wait: 2d": "wait: 1s", "wait: next weekday 10:00": "wait: 1s"}
    await shop.stack.publish(shortened("complaint", soon))
    await shop.stack.publish(EXAMPLES / "staff-lacked")
    anna, eva, lena = (
        await shop.customer("anna-and-eva", first_name="Anna"),
        await floor.desk("eva"), await floor.desk("lena"),
    )  # fmt: skip
    sofa: dict[str, Any] = {"about": "the sofa", "said": "A leg is broken.", "where": "phone"}
    await anna.does("Complaint Filed", complaint="E1", **sofa)

    await eva.claims("Anna complains about the sofa")
    await eva.writes("Dear Anna,\n\na joiner looks at it today.", "Your sofa")
    await anna.hears("Your sofa")
    await eva.reads("a joiner looks at it today.")
    made_good = {"answer": "Keep it, and take this.", "amount": 120}
    await eva.decides("Make good for it with money", **made_good)
    await eva.reads("more than the 50.0 you may grant")
    await eva.decides(
        "Make good for it with money",
        ask="Her third broken sofa", note="She was calm", lacked="A list of joiners",
    )  # fmt: skip
    await eva.reads("you asked for approval")
    await lena.opens("Anna complains about the sofa", scope="approvals")
    await lena.reads("Her third broken sofa")
    await lena.page.click("button:text-is('Approve')")
    await lena.reads("Approved, and decided")

    assert "120.00 are on their way to you." in (await anna.hears("About the sofa")).text
    await lena.claims("lacked at a case of complaints: A list of joiners")
    await lena.decides("It is changed", what="the list hangs beside the telephone")
    await lena.reads("Decided.")

    def told_to_eva() -> list[str]:
        mails = shop.stack.mails
        return [each.subject for each in mails if each.address == "eva@house.example"]

    await shop.stack.until(lambda: "You said what you lacked. It is changed." in told_to_eva())
    await anna.answers(await anna.hears("Is it well now?"), score=5)
    assert (await anna.ends("complaint")).run.outcome == "well-again"
    await shop.adds_up()


async def test_a_bad_answer_right_after_a_purchase_is_with_the_manager_who_passes_it_on(
    shop: Shop, floor: Floor, shortened: Shortened
) -> None:
    """The five minutes after which they are asked are a second."""
    await shop.stack.publish(
        shortened("point-of-purchase", {"wait: {until: 5m}": "wait: {until: 1s}"})
    )
    asked = await shop.program("point-of-purchase")
    cora = await shop.customer(
        "cora-buys", first_name="Cora", chosen=lambda ours: not asked.held_out(ours)
    )
    await cora.does("Order Completed", shop="Old Town", receipt="R1", revenue=12.5)
    await shop.stack.until(lambda: bool(cora.mails))
    await cora.answers(cora.mails[0], score=1, words="Nobody looked at me.")

    ben, lena = await floor.desk("ben"), await floor.desk("lena")
    await ben.claims("gave 1 of 5 in Old Town")
    await ben.reads("Nobody looked at me.")
    await ben.hands_over("member lena", "She asked for you by name")
    await lena.opens("gave 1 of 5 in Old Town", scope="mine")
    await lena.reads("She asked for you by name", "You have it")
    await lena.decides("I talked to them", feeling="calm", note="She comes again")
    await lena.reads("Decided.")

    [case] = await cora.cases()
    assert (case["decision"], case["decided_by"]) == ("talked", "lena")
    await cora.does("Order Completed", shop="Old Town", receipt="R2", revenue=8)
    assert (await cora.ends("point-of-purchase")).run.outcome == "came-back"
    await shop.adds_up()


async def test_an_adviser_sees_suggestions_with_reasons_and_gives_what_she_may(
    shop: Shop, floor: Floor, shortened: Shortened, httpserver: HTTPServer
) -> None:
    pen = {
        "title": "A fountain pen",
        "price": 40,
        "because": "she writes letters",
        "goes_with": "ink",
    }
    httpserver.expect_request("/presents").respond_with_json({"ideas": [pen]})
    ours = {"https://suggest.example.com/presents": httpserver.url_for("/presents")}
    await shop.stack.publish(shortened("adviser", ours))
    dora = await shop.customer("dora-gives", first_name="Dora", last_present="A scarf")
    wish: dict[str, Any] = {"for": "her aunt", "occasion": "birthday", "budget": 50}
    await dora.does("Advice Asked", conversation="T1", shop="Old Town", **wish)

    eva = await floor.desk("eva")
    await eva.claims("looks for something for her aunt")
    await eva.reads("A fountain pen", "she writes letters", "Last time they gave A scarf")
    less = {"item": "A fountain pen", "why": "she writes letters"}
    await eva.decides("They chose something, and I give a little", **less, amount=80)
    await eva.reads("more than the 50.0 you may grant")
    await eva.decides("They chose something, and I give a little", amount=10)
    await eva.reads("Decided.")

    [case] = await dora.cases()
    assert case["fields"] == {**less, "amount": 10}
    await shop.stack.until(dora.coupons)
    await dora.does("Left The Shop", conversation="T1")
    await dora.ends("adviser")
    await shop.adds_up()


async def test_a_colleague_who_is_stuck_in_a_conversation_has_a_coach_at_once(
    shop: Shop, floor: Floor
) -> None:
    await shop.stack.publish(EXAMPLES / "staff-readiness")
    mia = await shop.customer("mia-learns", first_name="Mia")
    starts = (datetime.now(UTC) + timedelta(days=10)).isoformat()
    await mia.does("Protocol Assigned", protocol="P7", title="Refunds", starts=starts)
    await mia.does("Help Asked", protocol="P7", about="a gift without a receipt")

    eva = await floor.desk("eva")
    await eva.claims("is stuck: a gift without a receipt")
    await eva.decides("The protocol does not say it", missing="gifts without a receipt")
    await eva.reads("Decided.")

    assert [case["decision"] for case in await mia.cases()] == ["not-in-the-protocol"]
    await mia.does("Protocol Withdrawn", protocol="P7")
    assert (await mia.ends("staff-readiness")).run.outcome == "withdrawn"
    await shop.adds_up()


async def test_who_complained_in_public_is_answered_there_and_goes_on_in_private_as_one_complaint(
    shop: Shop, floor: Floor
) -> None:
    await shop.stack.publish(EXAMPLES / "complaint")
    await shop.stack.publish(EXAMPLES / "mention")
    hugo, eva = await shop.customer("hugo-in-public", first_name="Hugo"), await floor.desk("eva")
    said: dict[str, Any] = {
        "where": "the forum",
        "link": "https://forum.example/1",
        "text": "Never again.",
    }
    await hugo.does("Mention Found", mention="N1", **said)

    await eva.claims("On the forum: Never again.")
    await eva.decides("Answered there", reply="We are sorry. Write to us.")
    await eva.reads("Decided.")
    await hugo.does("Private Message Received", mention="N1", text="Order A7.")
    await eva.claims("They write in private: Order A7.")
    await eva.decides(
        "It is this customer", grounds="named-their-order", about="the sofa", complaint="N1"
    )
    await eva.reads("Decided.")
    await eva.claims("Hugo complains about the sofa")
    await eva.reads("Never again.")

    assert [queue for queue, _ in await hugo.desks()] == [
        "public-desk",
        "public-desk",
        "complaints",
    ]
    await hugo.has_trait("linked_because", "named-their-order")
    await hugo.does("Complaint Withdrawn", complaint="N1")
    await hugo.ends("complaint")
    await hugo.ends("mention")
    await shop.adds_up()
