"""The customer comes first: one call answers who they are and what to say."""

from datetime import timedelta

from tests.integration.moment.conftest import KEY, House


async def test_whoever_answers_the_call_knows_who_it_is_and_how_sure(house: House) -> None:
    anna = await house.known(first_name="Anna", phone="+420 601 234 567", salary=1)

    told = await house.get("/v1/customers/-/now?place=ivr", customer="+420601234567")

    assert told["who"]["customer"] == anna
    assert told["who"]["led_by"]["kind"] == "phone"
    assert told["who"]["sure"] == "likely"
    assert told["who"]["traits"] == {"first_name": "Anna", "phone": "+420 601 234 567"}
    assert (await house.get(f"/v1/customers/{anna}/now"))["who"]["sure"] == "sure"
    assert (await house.get("/v1/customers/anna/now"))["who"]["led_by"]["kind"] == "user_id"


async def test_a_number_that_leads_to_two_customers_is_said_to(house: House) -> None:
    anna = await house.known("601234567")
    ben = await house.known("ben", phone="601234567")

    told = await house.get("/v1/customers/601234567/now?place=ivr")

    assert told["who"]["customer"] == anna
    assert told["who"]["also"] == [ben]
    assert told["who"]["sure"] == "unsure"


async def test_what_was_promised_and_what_is_open_is_there(house: House) -> None:
    anna, version = await house.known(), await house.publish_journey()
    entry = await house.runs_at("care", anna, "told", version=version, waits_for=["Problem Mended"])
    late = house.now - timedelta(hours=1)
    await house.rows(
        "insert into promises values (%s, 1, 'back', %s, 'open', %s, '', 1)", entry, late, late
    )
    await house.rows(
        'insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief,'
        " decisions, state, opened_at) values ('case/x:1:2', 1, 2, 'x', 'care', %s, 'support',"
        " 'Calls again', '{}', 'open', now())",
        anna,
    )
    await house.rows(
        "insert into deliveries (key, entry, n, journey, customer, message, purpose, channel, state,"
        " run_time) values ('k', 1, 1, 'care', %s, 'we-know', 'service', 'sms', 'accepted', now())",
        anna,
    )
    await house.rows(
        "insert into inbound_messages (reply, customer, channel, address, text)"
        " values ('r', %s, 'sms', '+420', 'When?')",
        anna,
    )

    told = await house.get("/v1/customers/anna/now?place=agent")

    assert [(each["name"], each["overdue"]) for each in told["promised"]] == [("back", True)]
    run = told["open"]["runs"][0]
    assert (run["title"], run["stage_title"]) == ("A fault that is ours", "They know of it")
    assert run["waits_for"] == ["Problem Mended"]
    assert told["open"]["cases"][0]["name"] == "1:2"
    assert told["last"]["we_told"][0]["message"] == "we-know"
    assert told["last"]["they_told"][0]["text"] == "When?"
    assert told["feels"] == {
        "feeling": "patient",
        "source": "stage",
        "because": "how customers mostly feel in the stage they are in",
        "besides": [],
    }


async def test_what_is_said_is_said_in_the_customers_own_words_and_at_its_place_only(
    house: House,
) -> None:
    anna = await house.known(first_name="Anna", zone="Europe/Prague")
    entry = await house.runs_at("care", anna, "told")
    words = "{{ customer.first_name }}, your {{ run.what }} is back by {{ run.by | time }}."
    values = {"run": {"what": "line", "by": "2026-03-02T16:00:00Z"}}
    await house.shows(entry, 1, anna, words, values=values, until=house.now + timedelta(hours=1))
    await house.shows(entry, 2, anna, "On the web.", places=["web"])

    told = await house.get("/v1/customers/anna/now?place=ivr")

    [only] = told["suggestions"]
    assert only["say"] == "Anna, your line is back by 17:00."
    assert only["reasons"][0] == "journey care says it here, in stage told"
    assert "priority 50 of 100" in only["reasons"]
    house.later(hours=2)
    told = await house.get("/v1/customers/anna/now?place=ivr")
    assert told["suggestions"] == []


async def test_what_was_refused_is_not_suggested_again_for_a_while(house: House) -> None:
    anna = await house.known()
    entry = await house.runs_at("care", anna, "told")
    shown = await house.shows(entry, 1, anna, "Would you like a coffee?", name="coffee")
    path = "/v1/customers/anna/now"

    for _ in range(2):  # the line says it twice under one id
        await house.post(
            f"{path}/refused", suggestion=shown, place="ivr", message_id="m1", again_after="2d"
        )

    told = await house.get(f"{path}?place=ivr")
    assert told["suggestions"] == []
    assert "refused it: not again before" in told["not_now"][0]["reason"]
    assert await house.told("Suggestion Refused") == [anna]
    [properties] = [
        row["properties"]
        for row in await house.rows("select properties from touchpoints where event like 'Sugg%%'")
    ]
    assert properties["name"] == "coffee"
    assert properties["run"] == f"journey/care/{anna}"
    assert (await house.get(f"{path}?place=ivr"))["suggestions"] == []
    house.later(days=3)
    [again] = (await house.get(f"{path}?place=ivr"))["suggestions"]
    assert again["score"] < 50


async def test_what_worked_for_others_comes_first(house: House) -> None:
    anna = await house.known()
    entry = await house.runs_at("care", anna, "told")
    await house.shows(entry, 1, anna, "Tea?", name="tea")
    await house.shows(entry, 2, anna, "Coffee?", name="coffee")
    for number in range(4):
        ben = await house.known(f"ben-{number}")
        other = await house.runs_at("care", ben, "told")
        one = await house.shows(other, 1, ben, "Coffee?", name="coffee")
        await house.post(f"/v1/customers/{ben}/now/taken", suggestion=one, place="ivr")

    told = await house.get("/v1/customers/anna/now?place=ivr")

    assert [each["name"] for each in told["suggestions"]] == ["coffee", "tea"]
    assert "taken by 4 of the 4 who answered it here" in told["suggestions"][0]["reasons"]
    at_the_till = await house.get("/v1/customers/anna/now?place=till")
    assert {each["score"] for each in at_the_till["suggestions"]} == {50.0}
    assert (await house.get("/v1/customers/ben-1/now?place=ivr"))["suggestions"] == []


async def test_offers_wait_where_marketing_is_not_wanted_or_held(house: House) -> None:
    anna = await house.known()
    await house.rows(
        "insert into coupons (key, offer, code, customer, entry, journey, state, granted_at)"
        " values ('journey/cart/a:9:4', 'ten-off', 'X1', %s, 9, 'cart', 'open', now())",
        anna,
    )
    path = "/v1/customers/anna/now"
    [offer] = (await house.get(path))["suggestions"]
    assert offer["id"] == "coupon:9:4"
    await house.runs_at("complaint", anna, "heard", holds="marketing")
    [held] = (await house.get(path))["not_now"]
    assert held["reason"] == "journey complaint holds marketing back as long as it goes on"
    await house.rows(
        "insert into consents (customer, purpose, channel, given, source, proof)"
        " values (%s, 'marketing', '', false, 'page', '')",
        anna,
    )
    [held] = (await house.get(path))["not_now"]
    assert held["reason"] == "the customer wants no marketing"
    await house.post(f"{path}/taken", suggestion="coupon:9:4")
    [held] = (await house.get(path))["not_now"]
    assert held["reason"] == "the customer has taken it already"


async def test_whom_nobody_knows_hears_what_is_said_to_anyone(house: House) -> None:
    await house.post(
        "/v1/problems",
        201,
        problem="outage",
        title="No internet in the north",
        words="We know, and are at it.",
        why="a cut cable",
        by="ops",
        where="customer.region == 'north'",
        say_at=["ivr"],
    )

    told = await house.get("/v1/customers/-/now?place=ivr", 404, customer="+49123")

    assert told["known"] is False
    assert [each["say"] for each in told["suggestions"]] == ["We know, and are at it."]
    assert (await house.get("/v1/customers/-/now?place=till", 404, customer="+49123"))[
        "suggestions"
    ] == []
    anna = await house.known("anna", region="north")
    [said] = (await house.get("/v1/customers/anna/now?place=ivr"))["suggestions"]
    assert said["score"] == 70
    await house.reach()
    [said] = (await house.get(f"/v1/customers/{anna}/now?place=ivr"))["suggestions"]
    assert said["score"] == 90


async def test_what_cannot_be_answered_says_why(house: House) -> None:
    await house.known()
    refused = await house.client.get("/v1/customers/anna/now")
    assert refused.status_code == 401
    told = await house.get("/v1/customers/anna/now?place=At%20the%20till", 400)
    assert "place" in told["message"]
    told = await house.post("/v1/customers/anna/now/taken", 404, suggestion="99:1")
    assert told["code"] == "unknown_suggestion"
    told = await house.post("/v1/customers/anna/now/eaten", 404, suggestion="99:1")
    assert "shown, taken, refused" in told["message"]


async def test_nobody_outside_can_forge_what_we_say_ourselves(house: House) -> None:
    for event in ("Problem Opened", "Problem Mended", "Suggestion Taken"):
        answer = await house.client.post(
            "/v1/track", json={"userId": "anna", "event": event}, auth=(KEY, "")
        )
        assert answer.status_code == 400
        assert "a name of our own" in answer.json()["message"]
