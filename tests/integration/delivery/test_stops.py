"""The emergency stop: nothing leaves, nothing is lost, and what is still of use goes on afterwards."""

from dataclasses import replace
from datetime import timedelta

import pytest

from channels.recording import RecordingChannel
from stores.audit import AuditStore
from stores.stops import Scope, StopStore
from tests.integration.delivery.conftest import ANNA, Desk

SCOPES: list[tuple[Scope, str]] = [("everything", ""), ("journey", "flight"), ("channel", "email")]


@pytest.mark.parametrize(("scope", "name"), SCOPES)
@pytest.mark.parametrize("purpose", ["service", "marketing"])
async def test_what_is_stopped_waits_and_goes_on_afterwards(
    desk: Desk, scope: Scope, name: str, purpose: str
) -> None:
    stops = StopStore(desk.pool)
    assert await stops.begin(scope, name, reason="wrong prices", by="ops")

    told = await desk.deliver(purpose=purpose)

    assert (told.state, told.reason.partition(":")[0]) == ("deferred", "stopped")
    assert told.until == desk.wall + timedelta(days=1)
    assert desk.got == []
    assert [(s.scope, s.name, s.waiting) for s in await stops.now()] == [(scope, name, 1)]

    assert await stops.lift(scope, name, by="ops")

    assert (await desk.deliver(purpose=purpose)).state == "accepted"
    assert len(desk.got) == 1


@pytest.mark.parametrize(("scope", "name"), [("journey", "winback"), ("channel", "sms")])
async def test_a_stop_of_one_thing_holds_nothing_else(desk: Desk, scope: Scope, name: str) -> None:
    await StopStore(desk.pool).begin(scope, name, reason="wrong prices", by="ops")

    assert (await desk.deliver(1, purpose="marketing")).state == "accepted"
    assert (await desk.deliver(2)).state == "accepted"


async def test_a_message_takes_the_other_channel_where_one_is_stopped(desk: Desk) -> None:
    await desk.with_traits(phone="+420601123456")
    await StopStore(desk.pool).begin("channel", "email", reason="provider is down", by="ops")
    sms = RecordingChannel("sms")
    worker = replace(desk.worker(), channels={"email": desk.channel, "sms": sms})

    told = await worker.deliver_message(desk.order(via=("email", "sms")))

    assert (told.state, told.channel) == ("accepted", "sms")


async def test_what_is_of_no_use_after_the_stop_is_not_sent(desk: Desk) -> None:
    stops, until = StopStore(desk.pool), desk.wall + timedelta(hours=1)
    await stops.begin("everything", "", reason="wrong prices", by="ops")
    held = await desk.deliver(expires=until)
    assert (held.state, held.until) == ("deferred", until)

    await stops.lift("everything", "", by="ops")
    desk.later(hours=1)

    assert (await desk.deliver(expires=until)).reason == "expired"
    assert desk.got == []


async def test_who_waited_is_told_once_for_each_stop_service_first(desk: Desk) -> None:
    stops = StopStore(desk.pool)
    for times in (1, 2):
        await stops.begin("everything", "", reason="wrong prices", by="ops")
        for n, purpose in enumerate(("marketing", "service"), 1):
            assert (await desk.deliver(n, purpose=purpose)).state == "deferred"
        assert await stops.wake(10) == 0
        await stops.lift("everything", "", by="ops")

        assert await stops.wake(1) == 1
        first = await desk.rows("select purpose from deliveries where reason = 'resumed'")
        assert [row["purpose"] for row in first] == ["service"]
        assert await stops.wake(10) == 1
        assert await stops.wake(10) == 0
        told = await desk.rows("select customer from touchpoints where event = '$hold_lifted'")
        assert [row["customer"] for row in told] == [ANNA] * 2 * times


async def test_what_another_stop_still_holds_is_not_woken(desk: Desk) -> None:
    stops = StopStore(desk.pool)
    await stops.begin("journey", "flight", reason="wrong prices", by="ops")
    await stops.begin("everything", "", reason="and worse", by="ops")
    await desk.deliver()

    await stops.lift("everything", "", by="ops")

    assert await stops.wake(10) == 0


async def test_who_stopped_what_and_why_is_on_record(desk: Desk) -> None:
    stops = StopStore(desk.pool)
    assert await stops.begin("journey", "flight", reason="wrong prices", by="eva")
    assert not await stops.begin("journey", "flight", reason="again", by="bob")
    assert await stops.lift("journey", "flight", by="bob")
    assert not await stops.lift("journey", "flight", by="bob")

    deeds = await AuditStore(desk.pool).latest(what="journey flight")

    assert [(d.who, d.did) for d in deeds] == [("bob", "resumed"), ("eva", "stopped")]
    assert deeds[1].detail == {"reason": "wrong prices"}
