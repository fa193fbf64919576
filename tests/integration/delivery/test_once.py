"""One message, once: whatever is killed, and wherever."""

from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from channels.recording import (
    Busy,
    RecordingChannel,
    RefuseForGood,
    StallAfterAccept,
    StallBeforeAccept,
)
from stores.ledger import LEASE
from tests.integration.delivery.conftest import ADDRESS, Desk, at_once
from tests.integration.delivery.killing import POINTS, SENT_BEFORE, kill


async def test_a_retried_delivery_reaches_the_customer_once(desk: Desk) -> None:
    for _ in range(3):
        told = await desk.deliver()
        assert (told.state, told.channel) == ("accepted", "email")

    assert desk.got == ["Gate B4"]
    row = await desk.row()
    assert row["provider_id"].startswith("recorded-")
    assert (row["attempts"], row["uncertain"], row["address"]) == (1, False, ADDRESS)
    assert (row["sent_subject"], row["sent_text"]) == (
        "Gate B4",
        "Dear Anna,\nyour gate is B4.",
    )


async def test_two_attempts_at_once_one_sends(desk: Desk) -> None:
    told = await at_once(*(desk.deliver() for _ in range(8)))

    assert desk.got == ["Gate B4"]
    states = [getattr(answer, "state", None) or answer.type for answer in told]
    assert "accepted" in states
    assert set(states) <= {"accepted", "DeliveryUnderWay"}


async def test_an_attempt_that_is_under_way_is_waited_for_and_not_doubled(desk: Desk) -> None:
    await kill(desk, "before send")
    desk.later(seconds=10)

    with pytest.raises(ApplicationError) as caught:
        await desk.deliver()

    assert caught.value.type == "DeliveryUnderWay"
    assert caught.value.next_retry_delay == LEASE - timedelta(seconds=10)
    assert desk.got == []


@pytest.mark.parametrize("point", POINTS)
async def test_a_marketing_message_whose_fate_is_unknown_is_never_sent_twice(
    desk: Desk, point: str
) -> None:
    await kill(desk, point, purpose="marketing")

    told = await desk.deliver_until_told(purpose="marketing")

    assert told.state == "unknown"
    assert desk.got == (["Gate B4"] if point in SENT_BEFORE else [])
    row = await desk.row()
    assert (row["state"], row["provider_id"]) == ("unknown", None)


async def test_what_may_have_been_read_is_kept_where_the_fate_is_unknown(desk: Desk) -> None:
    desk.channel.script(ADDRESS, [StallAfterAccept()])

    told = await desk.deliver_until_told(purpose="marketing")

    assert told.state == "unknown"
    assert (await desk.row())["sent_subject"] == "Gate B4"


async def test_of_what_never_left_nothing_was_read(desk: Desk) -> None:
    desk.channel.script(ADDRESS, [RefuseForGood("550 gone")])

    await desk.deliver_until_told()

    assert (await desk.row())["sent_text"] is None


@pytest.mark.parametrize("point", POINTS)
async def test_a_service_message_whose_fate_is_unknown_is_sent_again_and_says_so(
    desk: Desk, point: str
) -> None:
    await kill(desk, point)

    told = await desk.deliver_until_told()

    assert told.state == "accepted"
    assert desk.got == ["Gate B4"] * (2 if point in SENT_BEFORE else 1)
    assert (await desk.row())["uncertain"] is True


@pytest.mark.parametrize(("purpose", "again"), [("service", False), ("marketing", True)])
async def test_the_author_may_say_otherwise(desk: Desk, purpose: str, again: bool) -> None:
    await kill(desk, "after send", purpose=purpose, resend_unknown=again)

    told = await desk.deliver_until_told(purpose=purpose, resend_unknown=again)

    assert told.state == ("accepted" if again else "unknown")
    assert len(desk.got) == (2 if again else 1)


@pytest.mark.parametrize("purpose", ["service", "marketing"])
@pytest.mark.parametrize("point", POINTS)
async def test_a_provider_that_can_be_asked_is_asked_and_never_gets_it_twice(
    desk: Desk, point: str, purpose: str
) -> None:
    desk.channel = RecordingChannel(looks_up=True)
    await kill(desk, point, purpose=purpose)

    told = await desk.deliver_until_told(purpose=purpose)

    assert told.state == "accepted"
    assert desk.got == ["Gate B4"]
    assert (await desk.row())["uncertain"] is False


@pytest.mark.parametrize("purpose", ["service", "marketing"])
@pytest.mark.parametrize("point", POINTS)
async def test_within_the_key_window_the_provider_takes_a_repeated_key_once(
    desk: Desk, point: str, purpose: str
) -> None:
    desk.channel = RecordingChannel(key_window=timedelta(hours=24))
    await kill(desk, point, purpose=purpose)
    desk.later(hours=23)

    told = await desk.deliver_until_told(purpose=purpose)

    assert told.state == "accepted"
    assert desk.got == ["Gate B4"]


async def test_after_the_key_window_policy_decides_again(desk: Desk) -> None:
    desk.channel = RecordingChannel(key_window=timedelta(hours=24))
    await kill(desk, "after send", purpose="marketing")
    desk.later(hours=25)

    assert (await desk.deliver_until_told(purpose="marketing")).state == "unknown"
    assert desk.got == ["Gate B4"]


@pytest.mark.parametrize(("purpose", "copies"), [("service", 2), ("marketing", 1)])
async def test_a_relay_that_takes_it_and_never_says_so(
    desk: Desk, purpose: str, copies: int
) -> None:
    desk.channel.script(ADDRESS, [StallAfterAccept()])

    told = await desk.deliver_until_told(purpose=purpose)

    assert told.state == ("accepted" if purpose == "service" else "unknown")
    assert len(desk.got) == copies


async def test_a_relay_that_never_answers_does_not_get_it_for_ever(desk: Desk) -> None:
    desk.channel.script(ADDRESS, [StallAfterAccept()] * 50)

    told = await desk.deliver_until_told()

    assert told.state == "unknown"
    assert len(desk.got) == 4
    assert (await desk.row())["doubts"] == 4


async def test_what_certainly_did_not_leave_is_no_doubt(desk: Desk) -> None:
    """A 4xx is not an unknown outcome: even marketing is tried again, and sent once."""
    desk.channel.script(ADDRESS, [Busy()] * 5)

    told = await desk.deliver_until_told(purpose="marketing")

    assert told.state == "accepted"
    assert desk.got == ["Gate B4"]
    row = await desk.row()
    assert (row["attempts"], row["doubts"], row["uncertain"]) == (6, 0, False)


async def test_a_doubt_outlives_a_busy_provider(desk: Desk) -> None:
    """The first attempt may have left; that the second certainly did not changes nothing of it."""
    desk.channel = RecordingChannel(key_window=timedelta(hours=1))
    desk.channel.script(ADDRESS, [StallAfterAccept(), Busy()])
    for _ in range(2):
        with pytest.raises(ApplicationError):
            await desk.deliver(purpose="marketing")
    desk.later(hours=2)

    assert (await desk.deliver(purpose="marketing")).state == "unknown"
    assert desk.got == ["Gate B4"]
    assert (await desk.row())["doubts"] == 1


async def test_the_wait_that_the_provider_asks_for_is_kept(desk: Desk) -> None:
    desk.channel.script(ADDRESS, [Busy(retry_after=timedelta(minutes=7))])

    with pytest.raises(ApplicationError) as caught:
        await desk.deliver()

    assert caught.value.next_retry_delay == timedelta(minutes=7)
    assert caught.value.type == "ProviderBusy"
    assert not caught.value.non_retryable


async def test_a_bounce_is_the_end_of_it(desk: Desk) -> None:
    desk.channel.script(ADDRESS, [RefuseForGood("550 5.1.1 no such mailbox")])

    for _ in range(2):
        told = await desk.deliver()
        assert (told.state, told.reason) == ("refused", "bounced")

    row = await desk.row()
    assert (row["words"], row["attempts"]) == ("550 5.1.1 no such mailbox", 1)


async def test_many_customers_many_kills_the_account_balances(desk: Desk) -> None:
    """Every third attempt dies at another point; what the provider took is what the ledger says."""
    stalls = [StallAfterAccept(), StallBeforeAccept(), Busy(), RefuseForGood()]
    for n in range(1, 61):
        purpose = "marketing" if n % 2 else "service"
        if n % 3 == 0:
            await kill(desk, POINTS[n % 4], n=n, purpose=purpose)
        elif n % 3 == 1:
            desk.channel.script(ADDRESS, [stalls[n % 4]])
        await desk.deliver_until_told(n, purpose=purpose)

    for row in await desk.rows("select * from deliveries"):
        copies = sum(taken.key == row["key"] for taken in desk.channel.taken)
        assert row["state"] in {"accepted", "refused", "unknown"}
        if row["state"] == "accepted":
            assert copies == 1 or (copies == 2 and row["uncertain"])
        if row["state"] == "refused":
            assert copies == 0
        if row["purpose"] == "marketing":
            assert copies <= 1
