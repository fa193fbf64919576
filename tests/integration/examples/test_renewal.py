"""A contract that ends, and is renewed or let go in peace, on the real product."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from journey.decisions import AuthorityExceededError
from tests.integration.examples.conftest import EXAMPLES, Shortened
from tests.integration.examples.shop import Customer, Shop, staff

PRAGUE = ZoneInfo("Europe/Prague")
CODE = re.compile(r"\bSTAY-\w+")
WEEKS_AS_SECONDS = {
    "- wait: {until: customer.renews_on - 14d}": "- wait: 1s",
    "- wait: {until: customer.renews_on - 3d}": "- wait: 1s",
    "- wait: {until: customer.renews_on + 1d}": "- wait: 1s",
    "- wait: {until: customer.renews_on + 15d}": "- wait: 1s",
    "- wait: next 09:00": "- wait: 1s",
}


def last_day() -> date:
    """A last day of a contract whose journey begins the day after tomorrow."""
    return datetime.now(PRAGUE).date() + timedelta(days=32)


def begins(day: date) -> datetime:
    """When the journey of a contract begins that ends on this day."""
    return datetime.combine(day - timedelta(days=30), time(9), PRAGUE).astimezone(UTC)


def in_words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


async def looked_at(shop: Shop, customer: Customer, at: datetime) -> None:
    """Until the customer is to be looked at then, and not before."""

    async def it_is() -> bool:
        async with shop.stack.pool.connection() as connection:
            cursor = await connection.execute(
                "select look_at from entry_looks where customer = %s and journey = 'renewal'",
                [customer.id],
            )
            row = await cursor.fetchone()
        return row is not None and row["look_at"] == at

    await shop.stack.until(it_is)


async def with_a_contract(shop: Shop, name: str, day: date, **traits: Any) -> Customer:
    """A customer thirty days before the last day of their contract: the scanner has seen the day come."""
    customer = await shop.customer(name, **traits)
    await customer.becomes(renews_on=day.isoformat(), yearly=240)
    await looked_at(shop, customer, begins(day))
    shop.stack.now.append(begins(day) + timedelta(seconds=1))
    try:
        while await shop.stack.scanner.round():
            pass
    finally:
        shop.stack.now.clear()
    await customer.entered("renewal", 1)
    return customer


async def test_who_does_nothing_hears_of_it_three_times_and_is_let_be(
    shop: Shop, shortened: Shortened
) -> None:
    """The weeks before and after the last day, and the nights before each mail, are seconds."""
    await shop.stack.publish(shortened("renewal", WEEKS_AS_SECONDS))
    day = last_day()

    zdena = await with_a_contract(shop, "zdena-contract", day, first_name="Zdena")

    story = await zdena.ends("renewal")
    assert (story.run.outcome, story.run.goal) == ("lapsed", False)
    assert zdena.told == [
        f"Your contract runs until {in_words(day)}",
        "Two weeks left",
        f"Your contract ends on {in_words(day)}",
        "Your contract has ended. What is yours is still here",
    ]
    assert "Hello Zdena," in zdena.mails[0].text
    assert (await zdena.cases(), await zdena.coupons()) == ([], [])
    await shop.adds_up()


async def test_a_date_that_moves_moves_every_word_after_it_and_a_year_further_is_a_renewal(
    shop: Shop, shortened: Shortened
) -> None:
    """The ten minutes until a new date stands are a second."""
    await shop.stack.publish(shortened("renewal", {"settle: 10m": "settle: 1s"}))
    day = last_day()
    moved, next_year = day + timedelta(days=40), day + timedelta(days=405)
    ales = await with_a_contract(shop, "ales-contract", day)
    await ales.hears(f"Your contract runs until {in_words(day)}")

    await ales.becomes(renews_on=moved.isoformat())
    await ales.hears(f"Your contract now runs until {in_words(moved)}")
    two_weeks_before = datetime.combine(moved - timedelta(days=14), time(0), PRAGUE)

    async def wakes_then() -> bool:
        return (await ales.story("renewal")).run.wakes_at == two_weeks_before

    await shop.stack.until(wakes_then)
    await ales.becomes(renews_on=next_year.isoformat())

    story = await ales.ends("renewal")
    assert (story.run.outcome, story.run.goal) == ("renewed", True)
    assert len(ales.told) == 2
    await looked_at(shop, ales, begins(next_year))
    await ales.entered("renewal", 1)
    await shop.adds_up()


@pytest.mark.parametrize("state", ["redeemed", "voided"])
async def test_a_lead_grants_what_an_agent_may_not_and_it_is_void_where_they_renew_without_it(
    shop: Shop, state: str
) -> None:
    """As it is: nothing in it has to wait."""
    await shop.stack.publish(EXAMPLES / "renewal")
    day = last_day()
    blanka = await with_a_contract(shop, f"blanka-{state}", day, first_name="Blanka")

    await blanka.does("Renewal Questioned", question="Why is it dearer?")
    talk = await blanka.case("renewals")
    assert f"Blanka, contract until {in_words(day)}, 240.00 a year." in talk["brief"]
    assert "They ask: Why is it dearer?" in talk["brief"]
    with pytest.raises(AuthorityExceededError):
        await staff(shop).decide(talk["case"], "granted", {"percent": 25}, by="adam", authority=10)
    offer = {"percent": 30, "why": "Has an offer in writing"}
    await shop.decide(talk, "more-than-mine", by="adam", **offer)
    lead = await blanka.case("renewal-leads")
    assert "Blanka asks for 30 % off 240.00 a year" in lead["brief"]
    assert "more than adam may grant: Has an offer in writing." in lead["brief"]
    await shop.decide(lead, "granted", by="vera", percent=25)
    price = await blanka.hears("25 % off, as agreed")
    assert "as agreed with vera: STAY-" in price.text
    code = CODE.findall(price.text)[0]
    used = {"coupon": code} if state == "redeemed" else {}
    await blanka.does("Contract Renewed", yearly=180.0, **used)

    story = await blanka.ends("renewal")
    assert (story.run.outcome, story.run.goal) == ("renewed", True)
    assert (await blanka.coupon_becomes(code, state)).amount == 25
    assert blanka.told == [f"Your contract runs until {in_words(day)}", "25 % off, as agreed"]
    assert await blanka.desks() == [("renewals", "resolved"), ("renewal-leads", "resolved")]
    await shop.adds_up()


async def test_who_wants_to_go_is_let_go_and_asked_why_only_where_they_want_marketing(
    shop: Shop, shortened: Shortened
) -> None:
    """The days until they are asked, and until the contract ends, are seconds."""
    words = {
        "- wait: 1d": "- wait: 1s",
        "- wait: next weekday 10:00": "- wait: 1s",
        "- wait: {until: customer.renews_on + 1d}": "- wait: 1s",
    }
    await shop.stack.publish(shortened("renewal", words))
    day = last_day()
    ctibor = await with_a_contract(shop, "ctibor-contract", day)
    daria = await with_a_contract(shop, "daria-contract", day, marketing_consent=False)

    for customer in (ctibor, daria):
        await customer.hears(f"Your contract runs until {in_words(day)}")
        await customer.does("Renewal Declined")
    why = await ctibor.hears("One question before you go")
    await ctibor.answers(why, choice="too-dear", words="Twice what others ask")

    for customer in (ctibor, daria):
        story = await customer.ends("renewal")
        assert (story.run.outcome, story.run.goal) == ("let-go", False)
    await ctibor.has_trait("why_not", "too-dear")
    assert daria.told == [
        f"Your contract runs until {in_words(day)}",
        f"Your contract ends on {in_words(day)}",
    ]
    assert ctibor.told == [*daria.told, "One question before you go"]
    assert (await daria.deliveries())["why-not"] == ("refused", "no_consent")
    assert (await ctibor.cases(), await daria.cases()) == ([], [])
    await shop.adds_up()


async def test_who_prefers_people_hears_it_from_one_and_renewing_takes_them_off_the_desk(
    shop: Shop,
) -> None:
    """As it is: nothing in it has to wait."""
    await shop.stack.publish(EXAMPLES / "renewal")
    edita = await with_a_contract(shop, "edita-contract", last_day(), prefers="people")

    talk = await edita.case("renewals", saying="They have not asked yet: call them.")
    await edita.does("Contract Renewed", yearly=240.0)

    story = await edita.ends("renewal")
    assert (story.run.outcome, story.run.goal) == ("renewed", True)
    assert edita.told == []
    await edita.case("renewals", state="closed")
    assert (await shop.asked_to_decide(talk, "knows-now")).status_code == 409
    await shop.adds_up()
