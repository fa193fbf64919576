"""What is looked at again right before a message leaves, and what is said when it does not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.sending_rate import Asker, NoRates, Waits
from contracts.clock import RunClock
from contracts.message_delivery import MESSAGE_REJECTED
from journey.effects import RunRecord
from stores.consents import ConsentStore
from tests.integration.delivery.conftest import ADDRESS, ANNA, Desk, at_once
from tests.integration.delivery.killing import kill


async def test_the_words_are_the_customers_own(desk: Desk) -> None:
    await desk.publish("---\nsubject: Hi\n---\n{{ customer.first_name }}: {{ run.off | time }}\n")

    await desk.deliver(values={"run": {"off": "2013-02-08T19:05:00Z"}})

    assert desk.channel.taken[0].text == "Anna: 20:05\n"


async def test_nobody_is_told_to_hurry_to_a_flight_that_left(desk: Desk) -> None:
    """The message waited out an outage; by then the flight was gone."""
    order = desk.order(expires=desk.wall + timedelta(hours=1), expires_because="departed 13:00")
    desk.later(hours=2)

    told = await desk.worker().deliver_message(order)

    assert (told.state, told.reason) == ("refused", "expired")
    assert (await desk.row())["words"] == "departed 13:00"
    assert desk.got == []


async def test_a_sped_up_run_expires_by_its_own_clock(desk: Desk) -> None:
    epoch = datetime(2020, 1, 1, tzinfo=UTC)
    desk.clock = RunClock(wall_epoch=desk.wall, run_epoch=epoch, factor=3600)
    order = desk.order(expires=epoch + timedelta(hours=1))
    assert (await desk.deliver(2, expires=epoch + timedelta(hours=1))).state == "accepted"

    desk.later(seconds=1)

    assert (await desk.worker().deliver_message(order)).reason == "expired"


async def test_a_run_that_has_ended_sends_nothing_more(desk: Desk) -> None:
    await desk.end_run()

    told = await desk.deliver()

    assert (told.state, told.reason) == ("refused", "left")


async def test_the_last_act_of_a_run_is_sent(desk: Desk) -> None:
    """The record that ends the run rides with its last message, and is written before it."""
    record = RunRecord(sequence=9, at=desk.wall, stage=None, outcome="arrived")

    told = await desk.deliver(record=record)

    assert told.state == "accepted"
    assert await desk.rows("select state, outcome from runs") == [
        {"state": "finished", "outcome": "arrived"}
    ]


async def test_that_a_message_was_accepted_and_how_its_run_stands_are_written_as_one(
    desk: Desk,
) -> None:
    before = RunRecord(sequence=3, at=desk.wall, stage="booked", waits_for=("gate to be sent",))
    accepted = replace(before, sequence=4, waits_for=("until noon",))
    order = replace(desk.order(record=before), accepted=accepted)

    await desk.worker().deliver_message(order)
    await desk.worker().deliver_message(order)

    written = "select sequence, waits_for, d.state from runs join deliveries d using (entry)"
    assert await desk.rows(written) == [
        {"sequence": 4, "waits_for": ["until noon"], "state": "accepted"}
    ]


async def test_a_message_that_waits_for_its_rate_lets_its_run_be_written_down(desk: Desk) -> None:
    record = RunRecord(sequence=3, at=desk.wall, stage="booked")

    class Full(NoRates):
        async def known_to_wait(self, ways: Sequence[Sequence[str]], asker: Asker) -> Waits | None:
            return Waits(words="1 per minute", after=timedelta(minutes=1))

    with pytest.raises(ApplicationError):
        await replace(desk.worker(), rates=Full()).deliver_message(desk.order(record=record))

    assert desk.records.written == [record]


async def test_a_condition_is_looked_at_again_with_fresh_traits(desk: Desk) -> None:
    await desk.with_traits(bag="on board")
    assert (await desk.deliver(1, condition="customer.bag == 'on board'")).state == "accepted"

    await desk.with_traits(bag="left behind")

    assert (await desk.deliver(2, condition="customer.bag == 'on board'")).reason == "condition"


async def test_the_hold_out_is_written_down_and_gets_nothing(desk: Desk) -> None:
    desk.held_out = True

    assert (await desk.deliver()).reason == "held_out"
    assert (await desk.row())["state"] == "refused"
    assert desk.got == []


async def test_who_unsubscribed_gets_service_and_no_marketing(desk: Desk) -> None:
    await ConsentStore(desk.pool).withdraw(
        ANNA, "marketing", "email", source="one-click", proof="one-click"
    )

    assert (await desk.deliver(1, purpose="marketing")).reason == "no_consent"
    assert (await desk.deliver(2, purpose="service")).state == "accepted"


async def test_a_message_that_calls_itself_marketing_is_marketing(desk: Desk) -> None:
    """A send that says `service` cannot talk away the customer's no."""
    await ConsentStore(desk.pool).withdraw(
        ANNA, "marketing", "email", source="one-click", proof="one-click"
    )
    await desk.publish("---\nsubject: Offer\npurpose: marketing\n---\nBuy!\n")

    assert (await desk.deliver(purpose="service")).reason == "no_consent"


async def test_the_trait_for_consent_is_obeyed(desk: Desk) -> None:
    await desk.with_traits(marketing_consent=False)

    assert (await desk.deliver(purpose="marketing")).reason == "no_consent"


async def test_a_suppressed_address_gets_nothing_however_it_is_written(desk: Desk) -> None:
    await ConsentStore(desk.pool).suppress("email", "ANNA@example.com ", "bounced before")

    told = await desk.deliver()

    assert told.reason == "suppressed"
    assert (await desk.row())["words"] == "email: bounced before"


async def test_the_trait_names_the_address_before_the_identity_does(desk: Desk) -> None:
    await desk.with_traits(email="anna@new.example")

    await desk.deliver()

    assert desk.channel.taken[0].address == "anna@new.example"


@pytest.mark.parametrize("via", [("sms",), ("push", "sms"), ("nonsense",), ()])
async def test_without_an_address_the_customer_is_unreachable(
    desk: Desk, via: tuple[str, ...]
) -> None:
    assert (await desk.deliver(via=via)).reason == "unreachable"


async def test_a_customer_whom_nobody_knows_is_unreachable(desk: Desk) -> None:
    await desk.rows("delete from identities")
    await desk.rows("delete from customers")

    assert (await desk.deliver()).reason == "unreachable"


async def test_a_message_that_cannot_render_is_refused_and_sent_when_it_was_mended(
    desk: Desk,
) -> None:
    await desk.publish("---\nsubject: Hi\n---\nYour seat is {{ run.seat }}.\n")
    for _ in range(2):
        with pytest.raises(ApplicationError) as caught:
            await desk.deliver()
        assert (caught.value.type, caught.value.non_retryable) == (MESSAGE_REJECTED, True)
        assert "gate, line 4" in caught.value.message
        assert "run.seat is undefined" in caught.value.message
    row = await desk.row()
    assert (row["state"], row["reason"]) == ("refused", "cannot_render")

    await desk.publish("---\nsubject: Hi\n---\nYour seat is {{ run.seat | default: 'free' }}.\n")

    assert (await desk.deliver()).state == "accepted"
    assert desk.channel.taken[0].text == "Your seat is free.\n"


async def test_a_message_that_does_not_exist_is_refused_and_named(desk: Desk) -> None:
    with pytest.raises(ApplicationError, match="never-written") as caught:
        await desk.deliver(message="never-written")

    assert caught.value.non_retryable
    assert (await desk.row())["reason"] == "cannot_render"


async def test_a_correction_hangs_below_the_mail_that_was_wrong(desk: Desk) -> None:
    await desk.deliver(1)

    await desk.deliver(2, replaces=1)

    assert desk.channel.taken[1].corrects == desk.channel.taken[0].key


async def test_a_wrong_message_that_had_not_left_never_does(desk: Desk) -> None:
    await desk.deliver(1)
    await desk.rows("update deliveries set state = 'deferred', deferred_until = now()")

    await desk.deliver(2, replaces=1)
    told = await desk.deliver(1)

    assert (told.state, told.reason) == ("refused", "replaced")
    assert desk.channel.taken[1].corrects is None
    assert len(desk.got) == 2


async def test_a_wrong_message_that_comes_after_its_correction_is_not_sent(desk: Desk) -> None:
    await desk.deliver(2, replaces=1)

    assert (await desk.deliver(1)).reason == "replaced"
    assert len(desk.got) == 1


async def test_a_deferred_message_is_decided_again(desk: Desk) -> None:
    await desk.deliver(1)
    await desk.rows("update deliveries set state = 'deferred', deferred_until = now()")

    assert (await desk.deliver(1)).state == "accepted"
    assert len(desk.got) == 2


@pytest.mark.parametrize("ended", [True, False])
async def test_what_became_pointless_is_not_sent_again_and_not_called_unsent(
    desk: Desk, ended: bool
) -> None:
    """An attempt died; meanwhile the customer left. It may have gone out: that is what is said."""
    await kill(desk, "after send")
    if ended:
        await desk.end_run()
    else:
        await ConsentStore(desk.pool).suppress("email", ADDRESS, "complained")

    told = await desk.deliver_until_told()

    assert (told.state, told.reason) == ("unknown", "left" if ended else "suppressed")
    assert len(desk.got) == 1


async def test_many_messages_to_one_customer_at_once_all_leave(desk: Desk) -> None:
    told = await at_once(*(desk.deliver(n) for n in range(1, 21)))

    assert {answer.state for answer in told} == {"accepted"}
    assert len({taken.key for taken in desk.channel.taken}) == 20
