"""What providers report of a message is a touchpoint, and decides about the messages after it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from channels.recording import StallAfterAccept
from contracts.delivery_feedback import Feedback, Kind
from contracts.delivery_mark import delivery_mark, marked
from journey import message_events
from stores.consents import ConsentStore
from stores.feedback import FeedbackStore, TakenFeedback
from tests.integration.delivery.conftest import ADDRESS, ANNA, Desk

KEY = "journey/flight/c_anna:7:1"
AT = datetime(2013, 2, 8, 12, 5, tzinfo=UTC)


def told(kind: Kind, number: int = 1, *, n: int = 1, **of: Any) -> Feedback:
    given: dict[str, Any] = {
        "mark": delivery_mark(f"journey/flight/c_anna:7:{n}"),
        "at": AT + timedelta(seconds=number),
        **of,
    }
    return Feedback(event_id=f"test:{number}", kind=kind, **given)


async def report(desk: Desk, *reported: Feedback) -> TakenFeedback:
    return await FeedbackStore(desk.pool).take(reported)


async def touchpoints(desk: Desk) -> list[dict[str, Any]]:
    return await desk.rows("select * from touchpoints order by touchpoint")


@pytest.mark.parametrize(
    ("feedback", "event", "says"),
    [
        (told("delivered"), message_events.DELIVERED, {}),
        (told("opened", machine=True), message_events.OPENED, {"machine": True}),
        (
            told("clicked", url="https://air.example/gate"),
            message_events.CLICKED,
            {"url": "https://air.example/gate", "machine": False},
        ),
        (
            told("bounced", detail="452 mailbox full"),
            message_events.BOUNCED,
            {"reason": "452 mailbox full", "hard": False},
        ),
        (told("complained", detail="abuse"), message_events.COMPLAINED, {}),
        (told("unsubscribed"), message_events.UNSUBSCRIBED, {}),
    ],
    ids=lambda value: value.kind if isinstance(value, Feedback) else "",
)
async def test_what_became_of_a_message_is_a_touchpoint_of_its_customer(
    desk: Desk, feedback: Feedback, event: str, says: dict[str, Any]
) -> None:
    rung: list[int] = []
    await desk.deliver()

    store = FeedbackStore(desk.pool, lambda: rung.append(1))
    assert await store.take([feedback]) == TakenFeedback(new=1)

    (touchpoint,) = await touchpoints(desk)
    assert (touchpoint["event"], touchpoint["customer"]) == (event, ANNA)
    assert touchpoint["occurred_at"] == feedback.at
    assert touchpoint["properties"] == {
        "delivery": KEY,
        "message": "gate",
        "channel": "email",
        "journey": "flight",
        "run": "journey/flight/c_anna",
        **says,
    }
    (queued,) = await desk.rows("select * from outbox")
    assert queued["touchpoint"] == touchpoint["touchpoint"]
    assert rung == [1]


async def test_what_is_reported_twice_counts_once(desk: Desk) -> None:
    await desk.deliver()
    rung: list[int] = []
    store = FeedbackStore(desk.pool, lambda: rung.append(1))

    first = await store.take([told("opened"), told("opened"), told("clicked", 2)])
    again = await store.take([told("opened"), told("clicked", 2)])

    assert (first, again) == (TakenFeedback(new=2, repeated=1), TakenFeedback(repeated=2))
    assert len(await touchpoints(desk)) == 2
    assert rung == [1]


@pytest.mark.parametrize(
    "lost",
    [
        {"mark": ""},
        {"mark": "7-1-000000000000"},
        {"mark": delivery_mark("journey/other/c_ben:7:1")},
        {"mark": delivery_mark("journey/flight/c_anna:7:99")},
        {"mark": "7-1"},
        {"mark": "\0"},
        {"mark": "", "provider_ids": ("<unknown@air.example>", "\0", "")},
    ],
    ids=["no mark", "forged", "another installation", "never sent", "short", "nul", "foreign id"],
)
async def test_what_is_about_no_message_of_ours_is_counted_and_left(
    desk: Desk, lost: dict[str, Any]
) -> None:
    await desk.deliver()

    assert await report(desk, told("bounced", hard=True, **lost)) == TakenFeedback(unknown=1)

    assert await touchpoints(desk) == []
    assert await desk.rows("select * from delivery_feedback") == []
    assert await desk.rows("select * from suppressed_addresses") == []


async def test_a_message_is_known_by_its_key_or_by_the_providers_id_too(desk: Desk) -> None:
    await desk.deliver()
    provider_id = (await desk.row())["provider_id"]

    by_key = await report(desk, told("opened", 1, mark=KEY))
    by_id = await report(desk, told("opened", 2, mark="", provider_ids=("?", provider_id)))

    assert (by_key.new, by_id.new) == (1, 1)


async def test_after_a_hard_bounce_nothing_goes_to_that_address_any_more(desk: Desk) -> None:
    await desk.deliver()
    await report(desk, told("bounced", hard=True, detail="550 5.1.1 user unknown"))

    refused = await desk.deliver(2)

    assert (refused.state, refused.reason) == ("refused", "suppressed")
    assert refused.words == "email: bounced: 550 5.1.1 user unknown"
    await desk.with_traits(email="anna@new.example")
    assert (await desk.deliver(3)).state == "accepted"


async def test_after_a_soft_bounce_the_next_message_goes(desk: Desk) -> None:
    await desk.deliver()
    await report(desk, told("bounced", hard=False, detail="452 4.2.2 mailbox full"))

    assert (await desk.deliver(2)).state == "accepted"


async def test_who_complains_of_marketing_still_hears_what_they_must_know(desk: Desk) -> None:
    await desk.deliver(purpose="marketing")
    await report(desk, told("complained", detail="abuse"))

    marketing, service = await desk.deliver(2, purpose="marketing"), await desk.deliver(3)

    assert (marketing.state, marketing.reason) == ("refused", "suppressed")
    assert service.state == "accepted"
    (consent,) = await ConsentStore(desk.pool).of(ANNA)
    assert (consent.given, consent.channel, consent.purpose) == (False, "email", "marketing")
    assert (consent.source, consent.proof) == ("provider", "test:1")


async def test_a_complaint_of_marketing_holds_for_everyone_who_has_that_address(desk: Desk) -> None:
    """Two records of one person are common; the mailbox that complained is one."""
    await desk.deliver(purpose="marketing")
    await report(desk, told("complained"))
    await desk.rows("update deliveries set customer = 'c_other'")
    await desk.rows("delete from consents")

    assert (await desk.deliver(2, purpose="marketing")).reason == "suppressed"


async def test_who_complains_of_a_service_message_gets_nothing_more_there(desk: Desk) -> None:
    await desk.deliver()
    await report(desk, told("complained", detail="abuse"))

    for n, purpose in ((2, "service"), (3, "marketing")):
        refused = await desk.deliver(n, purpose=purpose)
        assert refused.state == "refused"
    assert (await desk.row(2))["words"] == "email: complained: abuse"


async def test_who_unsubscribes_at_the_provider_gets_no_marketing_and_still_service(
    desk: Desk,
) -> None:
    await desk.deliver(purpose="marketing")
    await report(desk, told("unsubscribed"))

    refused, service = await desk.deliver(2, purpose="marketing"), await desk.deliver(3)

    assert (refused.reason, service.state) == ("no_consent", "accepted")


async def test_who_agreed_again_since_is_not_withdrawn_by_what_is_reported_late(desk: Desk) -> None:
    await desk.deliver(purpose="marketing")
    consents = ConsentStore(desk.pool)
    await consents.withdraw(ANNA, "marketing", "email", source="page", proof="1")
    await consents.give(ANNA, "marketing", "email", source="page", proof="2")

    await report(desk, told("unsubscribed"))

    assert [each.given for each in await consents.of(ANNA)] == [True]


@pytest.mark.parametrize("kind", ["delivered", "opened", "bounced"])
async def test_a_message_that_nobody_knew_the_fate_of_is_accepted_once_it_is_reported(
    desk: Desk, kind: Kind
) -> None:
    desk.channel.script(ADDRESS, [StallAfterAccept()])
    with pytest.raises(ApplicationError):
        await desk.deliver()
    assert (await desk.row())["state"] == "intended"

    await report(desk, told(kind, provider_ids=("<id@ses>",)))

    row = await desk.row()
    assert (row["state"], row["provider_id"]) == ("accepted", "<id@ses>")
    desk.later(minutes=5)
    assert (await desk.deliver()).state == "accepted"
    assert desk.got == ["Gate B4"]


async def test_marketing_left_as_unknown_is_accepted_once_it_is_reported(desk: Desk) -> None:
    desk.channel.script(ADDRESS, [StallAfterAccept()])
    with pytest.raises(ApplicationError):
        await desk.deliver(purpose="marketing")
    desk.later(minutes=5)
    assert (await desk.deliver(purpose="marketing")).state == "unknown"

    await report(desk, told("delivered"))

    assert (await desk.row())["state"] == "accepted"


async def test_a_refusal_stands_where_only_a_bounce_is_reported(desk: Desk) -> None:
    await desk.deliver()
    await desk.rows("update deliveries set state = 'refused', reason = 'bounced'")

    await report(desk, told("bounced", 1))
    assert (await desk.row())["state"] == "refused"

    await report(desk, told("opened", 2))
    assert (await desk.row())["state"] == "accepted"


async def test_a_phone_that_the_app_is_gone_from_is_gone_and_its_address_not_closed(
    desk: Desk,
) -> None:
    await desk.deliver()
    await desk.rows("update deliveries set channel = 'push', address = 'token-1'")
    for token, seen in (("token-1", AT), ("token-2", AT)):
        await desk.rows(
            "insert into devices (channel, token, customer, seen_at) values ('push', %s, %s, %s)",
            token,
            ANNA,
            seen,
        )

    await report(desk, told("bounced", hard=True))

    gone = await desk.rows("select token from devices where gone_at is not null")
    assert gone == [{"token": "token-1"}]
    assert await desk.rows("select * from suppressed_addresses") == []


async def test_staff_read_what_became_of_a_message_and_of_a_customers(desk: Desk) -> None:
    await desk.deliver()
    store = FeedbackStore(desk.pool)
    await report(
        desk,
        told("bounced", 1, hard=True, detail="550 unknown"),
        told("opened", 2, machine=True),
        told("clicked", 3, url="https://air.example/gate"),
    )

    assert await store.named("7:1") == await store.named(KEY) == KEY
    assert await store.named("7:2") is None
    of_message, of_anna = await store.of_delivery(KEY), await store.of_customer(ANNA, most=2)
    assert [each.kind for each in of_message] == ["clicked", "opened", "bounced"]
    assert [each.detail for each in of_message] == [
        *("https://air.example/gate", "by a machine", "for good: 550 unknown"),
    ]
    assert of_anna == of_message[:2]
    assert {(each.message, each.journey) for each in of_anna} == {("gate", "flight")}


async def test_a_customer_who_became_another_meanwhile_hears_of_it(desk: Desk) -> None:
    """The delivery moved with a merge: what is reported later is the touchpoint of who stayed."""
    await desk.deliver()
    await desk.rows("insert into customers (customer) values ('c_stays')")
    await desk.rows("update deliveries set customer = 'c_stays'")

    await report(desk, told("opened"))

    assert [each["customer"] for each in await touchpoints(desk)] == ["c_stays"]


def test_a_mark_fits_where_keys_do_not_and_leads_back() -> None:
    key = "journey/flight/c_anna/" + "%C5%BE" * 100 + ":12345678901:42"
    mark = delivery_mark(key)

    assert marked(mark) == (12345678901, 42)
    assert len(mark) <= 50
    assert mark.replace("-", "").isalnum()
    assert delivery_mark("broadcast/1").startswith("0-0-")
    assert marked(mark + "0") is None
