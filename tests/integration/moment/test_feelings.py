"""What customers feel: read from what they do and say, seen by staff, faded with time."""

from datetime import UTC, datetime

from tests.integration.moment.conftest import House

FEELINGS = """
feelings:
  - {feeling: upset, title: Something went wrong for them}
  - {feeling: angry}
  - {feeling: calm}
rules:
  - {feeling: upset, on: Payment Failed, count: 2, within: 1h, for: 3d}
  - {feeling: angry, words: {en: [ridiculous, third time], cs: [je to směšné]}, for: 1d}
  - {feeling: calm, on: Survey Answered, when: 'event.properties.score >= 9.0', for: 7d}
"""

UPSET = """
language: 1
journey: soothe
title: Somebody is upset
owner: service
enter: {on: Payment Failed, when: 'has(customer.feeling) && customer.feeling == "upset"'}
stages:
  - stage: heard
    steps: [{wait: {any: [{on: Payment Made}], until: 5d}}, {finish: over}]
"""


async def test_two_failures_within_the_hour_upset_and_one_does_not(house: House) -> None:
    await house.publish("feelings", FEELINGS)
    anna, ben = await house.known(), await house.known("ben")
    await house.happens("Payment Failed", anna)
    await house.happens("Payment Failed", ben)
    await house.route()
    house.later(minutes=50)
    await house.happens("Payment Failed", anna)
    house.later(minutes=50)
    await house.happens("Payment Failed", ben)
    await house.route()

    assert (await house.traits(anna))["feeling"] == "upset"
    assert "feeling" not in await house.traits(ben)
    told = await house.get("/v1/customers/anna/feeling")
    [reading] = told["readings"]
    assert reading["because"] == "2 × Payment Failed within 1h"
    assert (reading["source"], reading["counts"]) == ("rule", True)


async def test_runs_and_entries_see_it_and_hear_when_it_has_faded(house: House) -> None:
    await house.publish("feelings", FEELINGS)
    await house.publish_journey(UPSET)
    anna = await house.known()
    await house.happens("Payment Failed", anna)
    await house.happens("Payment Failed", anna)
    await house.route()

    run = house.run_of(anna)
    assert run.told[0]["event"] == "Payment Failed"
    house.later(days=2)
    assert await house.readings.fade() is False
    house.later(days=2)
    assert await house.readings.fade() is True
    assert await house.readings.fade() is False
    await house.route()

    assert "feeling" not in await house.traits(anna)
    changes = [
        each
        for each in await house.rows("select * from touchpoints order by touchpoint")
        if each["event"] == "$identify"
    ]
    assert [each["properties"] for each in changes] == [{"feeling": "upset"}, {"feeling": None}]


async def test_the_same_touchpoint_read_twice_is_one_reading(house: House) -> None:
    await house.publish("feelings", FEELINGS)
    anna = await house.known()
    for _ in range(2):
        await house.happens("Message Replied", anna, "m-1", text="This is RIDICULOUS.")
        # As where the router was ended before it took the batch out.
        await house.rows(
            "insert into outbox (unit, touchpoint, received_at)"
            " select %s, touchpoint, received_at from touchpoints where message_id = 'm-1'"
            " and not exists (select from outbox) returning 1",
            f"c/{anna}",
        )
        await house.route()

    [reading] = await house.feelings.readings(anna)
    assert reading.evidence == 'Message Replied, where they say "ridiculous"'


async def test_staff_know_better_than_an_answer_and_an_answer_than_a_rule(house: House) -> None:
    await house.publish("feelings", FEELINGS)
    anna = await house.known()
    await house.happens("Survey Answered", anna, score=10.0)
    await house.happens("Message Replied", anna, text="for the third  time")
    await house.route()
    assert (await house.get("/v1/customers/anna/feeling"))["feeling"] == "calm"

    await house.post(
        "/v1/customers/anna/feeling", feeling="upset", why="cries on the phone", by="eva"
    )

    assert (await house.traits(anna))["feeling"] == "upset"
    assert (await house.get("/v1/customers/anna/now"))["feels"]["by"] == "eva"
    assert await house.feelings.felt_by(anna, house.now, "hopeful") == "upset"
    await house.post("/v1/customers/anna/feeling/over", why="it was the radio", by="eva")
    assert await house.feelings.felt_by(anna, house.now, "hopeful") == "hopeful"
    assert "feeling" not in await house.traits(anna)
    deeds = await house.rows(
        "select who, did from audit where object not like 'write key%%' order by audit"
    )
    assert [deed["who"] for deed in deeds] == ["eva", "eva"]


async def test_words_count_in_the_customers_language(house: House) -> None:
    await house.publish("feelings", FEELINGS)
    jana = await house.known("jana", language="cs")
    await house.happens("Message Replied", jana, text="Je to smesne, uz potreti")
    ben = await house.known("ben", locale="cs-CZ")
    await house.happens("Message Replied", ben, text="ridiculous")
    await house.route()

    assert (await house.traits(jana))["feeling"] == "angry"
    assert "feeling" not in await house.traits(ben)


async def test_a_feeling_that_the_house_does_not_know_is_refused(house: House) -> None:
    await house.publish("feelings", FEELINGS)
    await house.known()
    told = await house.post(
        "/v1/customers/anna/feeling", 400, feeling="furious", why="shouts", by="eva"
    )
    assert "angry, calm, upset" in told["message"]


async def test_a_client_whose_clock_is_ahead_upsets_nobody_for_ever(house: House) -> None:
    await house.publish("feelings", FEELINGS)
    anna = await house.known()
    today, house.now = house.now, datetime(2099, 1, 1, tzinfo=UTC)
    await house.happens("Message Replied", anna, text="ridiculous")
    house.now = today
    await house.route()
    house.later(days=2)
    assert await house.feelings.readings(anna) == []
