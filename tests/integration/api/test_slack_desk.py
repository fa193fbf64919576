"""Staff claim and decide under a message in Slack: only who may, only once, and only if Slack says so."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2 as httpx
import pytest
import pytest_asyncio

from activities.message_channel import ProviderBusyError, UnknownOutcomeError
from api.app import create_app
from api.slack_desk import SlackCaseDoor, slack_cases_router
from channels.recording import StallAfterAccept
from channels.slack_calls import SlackCalls
from channels.slack_desk import SlackDesk
from stores.case_desk import CaseDesk
from stores.database import Pool
from stores.members import MemberStore
from stores.slack_requests import SlackRequestStore
from tests.integration.api.slack_office import (
    ANA,
    BOB,
    CHANNEL,
    EVA,
    FILLED,
    GONE,
    OTHER,
    SIGNING,
    Office,
    opened_case,
    pressed,
    signed,
    submitted,
)
from tests.integration.channels.vendors.scripted_http import vendor
from tests.integration.channels.vendors.slack import TOKEN, SlackWorkspace

HOSTILE = (
    "<!channel> <@U0BOB> <https://evil.example|safe> *bold* `code` @here https://evil.example &amp;"
    " www.evil.example"
)


@pytest_asyncio.fixture
async def office(pool: Pool) -> AsyncIterator[Office]:
    name = await opened_case(pool)
    async with vendor(SlackWorkspace()) as slack:
        calls = SlackCalls(TOKEN, api=slack.url)
        door = SlackCaseDoor(
            desk=CaseDesk(pool), members=MemberStore(pool), requests=SlackRequestStore(pool),
            slack=calls, signing_secret=SIGNING, public_url="https://clew.test",
        )  # fmt: skip
        transport = httpx.ASGITransport(app=create_app(slack_cases_router(door)))
        async with httpx.AsyncClient(transport=transport, base_url="http://clew") as client:
            desk = SlackDesk(calls, {"desk": CHANNEL})
            yield Office(pool, client, slack, desk, CaseDesk(pool), name)
        await calls.close()


async def test_a_case_is_claimed_and_decided_from_its_message(office: Office) -> None:
    where = await office.put()
    assert [each["text"]["text"] for each in office.buttons(where)] == [
        "Claim", "Explain", "Refund…", "Open in the inbox",
    ]  # fmt: skip

    claimed = await office.press(office.button(where, "Claim"))
    assert (claimed.status_code, (await office.case()).claimed_by) == (200, "eva")
    assert office.slack.whispered[-1]["user"] == EVA
    assert await office.put(where) == where
    assert "with Eva" in json.dumps(office.message(where))
    assert "Claim" not in [each["text"]["text"] for each in office.buttons(where)]

    await office.press(office.button(where, "Refund…"))
    [view] = office.slack.views
    kinds = [each["element"]["type"] for each in view["blocks"]]
    assert kinds == ["number_input", "number_input", "static_select", "plain_text_input"]
    done = await office.submit(view, FILLED)

    assert done.json() == {"response_action": "clear"}
    case = await office.case()
    assert (case.state, case.decision, case.decided_by) == ("resolved", "refund", "eva")
    assert case.fields == {"amount": 20, "nights": 2, "sure": True, "words": "It came broken"}
    await office.put(where)
    assert [each["text"]["text"] for each in office.buttons(where)] == ["Open in the inbox"]
    assert "Decided by eva: *refund*" in json.dumps(office.message(where))
    assert await office.deeds() == [("eva", "claimed", "eva"), ("eva", "decided refund", "eva")]
    assert len(office.slack.messages) == 1


async def test_a_decision_without_fields_is_taken_at_once_and_only_once(office: Office) -> None:
    where = await office.put()
    explain = office.button(where, "Explain")

    assert "confirm" in explain
    await office.press(explain)
    await office.press(explain, BOB)

    case = await office.case()
    assert (case.decision, case.decided_by) == ("explained", "eva")
    assert "eva has decided: explained" in office.slack.whispered[-1]["text"]


async def test_what_is_beyond_somebody_is_asked_for_with_a_reason(office: Office) -> None:
    where = await office.put()
    await office.press(office.button(where, "Refund…"))
    much = FILLED | {"amount": "80"}

    beyond = (await office.submit(office.slack.views[-1], much)).json()

    assert beyond["response_action"] == "update"
    view = beyond["view"]
    assert view["blocks"][-1]["block_id"] == "why"
    assert view["blocks"][1]["element"]["initial_value"] == "80"
    assert (await office.case()).state == "open"

    empty = (await office.submit(view, much)).json()
    assert list(empty["errors"]) == ["why"]
    asked = await office.submit(view, much | {"why": "They stay each year"})
    case = await office.case()
    assert asked.json() == {"response_action": "clear"}
    assert case.approval is not None
    assert (case.approval["by"], case.approval["words"]) == ("eva", "They stay each year")
    assert (case.state, case.claimed_by) == ("claimed", "eva")


@pytest.mark.parametrize(
    ("field", "text"),
    [("amount", "much"), ("nights", "1.5"), ("amount", ""), ("words", ""), ("amount", "nan")],
)
async def test_a_wrong_field_is_told_at_that_field(office: Office, field: str, text: str) -> None:
    where = await office.put()
    await office.press(office.button(where, "Refund…"))

    answer = (await office.submit(office.slack.views[-1], FILLED | {field: text})).json()

    assert (answer["response_action"], list(answer["errors"])) == ("errors", [f"field/{field}"])
    assert (await office.case()).state == "open"


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("U0NOBODY", "members set NAME --slack U0NOBODY"),
        ("", "knows no member"),
        (GONE, "works here no more"),
        (ANA, "analyst"),
        (OTHER, "not of your queues"),
    ],
)
async def test_whoever_may_not_is_told_what_would_help_and_changes_nothing(
    office: Office, user: str, words: str
) -> None:
    where = await office.put()
    buttons = [office.button(where, each) for each in ("Claim", "Explain", "Refund…")]
    for button in buttons:
        assert (await office.press(button, user)).status_code == 200
    await office.press(office.button(where, "Refund…"))
    refused = await office.submit(office.slack.views[-1], FILLED, user)

    told = [each["text"] for each in office.slack.whispered]
    assert len(told) == (3 if user else 0)  # nobody can be told without a name
    assert all(words in each for each in told)
    assert words in json.dumps(refused.json())
    assert len(office.slack.views) == 1
    assert ((await office.case()).state, await office.deeds()) == ("open", [])


async def test_who_is_too_late_hears_who_has_it(office: Office) -> None:
    where = await office.put()
    claim, refund = office.button(where, "Claim"), office.button(where, "Refund…")
    await office.cases.claim("case/asked:0:7", "bob")

    await office.press(claim)
    await office.press(refund)

    assert ["bob has claimed" in each["text"] for each in office.slack.whispered] == [True, True]
    assert office.slack.views == []
    await office.press(refund, BOB)
    view = office.slack.views[-1]
    await office.cases.decide("case/asked:0:7", "explained", {}, by="bob")
    late = await office.submit(view, FILLED, BOB)
    assert "bob has decided: explained" in json.dumps(late.json())
    await office.press(claim)
    assert "bob has decided" in office.slack.whispered[-1]["text"]


async def test_eight_press_claim_at_once_and_one_has_it(office: Office) -> None:
    claim = office.button(await office.put(), "Claim")

    await asyncio.gather(*(office.press(claim, [EVA, BOB][n % 2]) for n in range(8)))

    assert sum(did == "claimed" for _, did, _ in await office.deeds()) == 1


def wrong_requests(button: dict[str, Any]) -> Iterator[tuple[str, bytes, dict[str, str]]]:
    now = datetime.now(UTC)
    body = urlencode({"payload": json.dumps(pressed(button))}).encode()
    right = signed(body, now)
    yield "forged", body, signed(body, now, "another secret")
    yield "another body", body.replace(b"U0EVA", b"U0BOB"), right
    yield "old", body, signed(body, now - timedelta(minutes=5, seconds=5))
    yield "to come", body, signed(body, now + timedelta(minutes=5, seconds=5))
    yield "another time", body, right | {"x-slack-request-timestamp": str(int(now.timestamp()) + 1)}
    yield "unsigned", body, {}
    yield "cut", body, right | {"x-slack-signature": right["x-slack-signature"][:20]}
    yield "junk, unread", b"\xff" * 1000, right


async def test_what_slack_did_not_sign_just_now_is_refused_unread(office: Office) -> None:
    claim = office.button(await office.put(), "Claim")
    for how, body, headers in wrong_requests(claim):
        answer = await office.post(body, headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_signed"), how
    assert (await office.case()).state == "open"
    assert office.slack.whispered == []


async def test_a_request_that_is_played_again_does_nothing_twice(office: Office) -> None:
    claim = office.button(await office.put(), "Claim")
    body = urlencode({"payload": json.dumps(pressed(claim))}).encode()
    headers = signed(body, datetime.now(UTC))
    await office.post(body, headers)
    await office.cases.let_go("case/asked:0:7", "eva")
    whispers = len(office.slack.whispered)

    again = await office.post(body, headers)

    assert again.status_code == 200
    assert (await office.case()).state == "open"
    assert len(office.slack.whispered) == whispers


@pytest.mark.parametrize(
    "told",
    [
        7, [], {}, {"type": "block_actions"}, {"type": "block_actions", "actions": [7]},
        {"type": "block_actions", "actions": [{"action_id": "clew-claim", "value": "[" * 900}]},
        {"type": "block_actions", "actions": [{"action_id": "clew-claim", "value": '{"case": 7}'}]},
        {"type": "block_actions", "user": {"id": EVA}, "channel": {"id": CHANNEL},
         "actions": [{"action_id": "clew-claim", "value": '{"case": "\\u0000"}'}]},
        {"type": "view_submission", "view": 7},
        {"type": "view_submission", "view": {"callback_id": "clew-decision", "private_metadata": "x"}},
        {"type": "view_submission", "user": {"id": EVA}, "view": {
            "callback_id": "clew-decision",
            "private_metadata": '{"case": "0:7", "decision": "refund", "channel": "C1"}',
            "state": {"values": {"field/amount": 7, "why": {"value": []}}}}},
        {"type": "view_closed"},
    ],
)  # fmt: skip
async def test_whatever_is_signed_never_breaks_the_door(office: Office, told: object) -> None:
    answer = await office.send(told)

    assert answer.status_code in (200, 400), answer.text
    assert ((await office.case()).state, await office.deeds()) == ("open", [])


async def test_a_payload_that_is_no_form_is_refused(office: Office) -> None:
    for body in (b"", b"payload=", b"payload=%7B", b"payload=" + b"[" * 5_000):
        answer = await office.post(body, signed(body, datetime.now(UTC)))
        assert answer.status_code == 400, body[:20]


async def test_nothing_a_customer_wrote_has_a_meaning_in_slack(office: Office) -> None:
    long = HOSTILE + " x" * 400
    where = await office.put(title=HOSTILE, brief=long, holder_name=HOSTILE, decided_by=HOSTILE)

    message = office.message(where)
    for text in texts_of(message):
        ours = re.sub(r"<!date\^[^>]*>", "", text)
        for meaning in ("<", ">", "://", "@here", "www.evil", "`code`"):
            assert meaning not in ours or meaning == "`code`", text
    assert (message["parse"], message["link_names"], message["mrkdwn"]) == ("none", False, False)
    brief = message["blocks"][2]["text"]
    assert brief["type"] == "plain_text"
    shown = brief["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert len(shown.replace("\u2060", "")) == 300
    assert (await office.case()).customer not in json.dumps(message)


def texts_of(inside: Any) -> Iterator[str]:
    if isinstance(inside, dict):
        for name, each in inside.items():
            if name == "text" and isinstance(each, str):
                yield each
            else:
                yield from texts_of(each)
    elif isinstance(inside, list):
        for each in inside:
            yield from texts_of(each)


async def test_a_case_is_one_message_however_often_it_is_put(office: Office) -> None:
    office.slack.script(CHANNEL, [StallAfterAccept()])
    with pytest.raises(UnknownOutcomeError):
        await office.put()  # Slack took it, and its answer was lost

    first, second = await office.put(), await office.put()

    assert first == second
    assert list(office.slack.messages) == [tuple(first.split("/"))]


async def test_an_app_that_may_not_look_posts_all_the_same(office: Office) -> None:
    office.slack.may_look = False

    where = await office.put()

    assert where.startswith(f"{CHANNEL}/")


async def test_a_message_that_somebody_deleted_is_posted_again_while_the_case_goes_on(
    office: Office,
) -> None:
    where = await office.put()
    office.slack.messages.clear()

    again = await office.put(where)
    assert again in {"/".join(each) for each in office.slack.messages}
    office.slack.messages.clear()
    assert await office.put(again, over=True, decision="explained") == again
    assert office.slack.messages == {}


async def test_a_queue_without_a_channel_is_not_shown_and_a_default_takes_the_others(
    office: Office,
) -> None:
    assert await office.put(queue="sales") == ""
    assert office.slack.messages == {}
    calls = SlackCalls(TOKEN, api=office.slack.url)
    everybody = SlackDesk(calls, {}, "C0ALL")

    assert (await everybody.put(await office.shown(queue="sales"), None)).startswith("C0ALL/")
    await everybody.close()


async def test_why_something_was_not_done_stands_once_under_the_message(office: Office) -> None:
    where = await office.put()

    await office.desk.refuse(where, HOSTILE)
    await office.desk.refuse(where, HOSTILE)
    await office.desk.refuse("", "nowhere")

    said = [each for each in office.slack.messages.values() if "thread_ts" in each]
    assert [each["thread_ts"] for each in said] == [where.partition("/")[2]]
    assert "<!channel>" not in said[0]["text"]
    heard = await office.desk.heard("x")
    assert (heard.decisions, heard.asked_to) == ((), "x")


async def test_what_is_done_is_done_though_slack_is_away_afterwards(office: Office) -> None:
    where = await office.put()
    claim, refund = office.button(where, "Claim"), office.button(where, "Refund…")
    office.slack.away = True

    assert (await office.press(refund)).status_code == 200
    assert (await office.press(claim)).status_code == 200

    assert (await office.case()).claimed_by == "eva"
    with pytest.raises((ProviderBusyError, UnknownOutcomeError)):
        await office.put(where)


async def test_a_form_of_a_case_that_lost_its_decision_says_so(office: Office) -> None:
    await office.press(office.button(await office.put(), "Refund…"))
    view = office.slack.views[-1]
    async with office.pool.connection() as connection:
        await connection.execute("update cases set decisions = '{}'")

    answer = await office.send(submitted(view, FILLED))

    assert "on offer no more" in json.dumps(answer.json())
