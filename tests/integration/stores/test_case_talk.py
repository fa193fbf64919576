"""What customers say reaches their case, and what staff write to them leaves once, unless it is undone."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError

from activities.case_messages import CaseMessageDelivery
from activities.message_channel import Attachment, MessageChannel
from channels.recording import Busy, RecordingChannel, StallAfterAccept
from contracts.case_message import SendCaseMessage
from contracts.inbound_message import InboundMessage
from journey.touchpoint import Touchpoint
from stores.case_decisions import NotYoursError
from stores.case_hearing import BY_CUSTOMER
from stores.case_messages import CaseMessage, CaseWriter, Letter, TooLateError, UnknownMessageError
from stores.inbound import InboundStore
from stores.leases import UnitLeases
from stores.mentions import Mention, MentionStore
from stores.messages import MessageStore
from stores.outbox import OutboxStore
from stores.published import PublishedStore
from stores.staff_merges import MergeStore
from tests.integration.stores.conftest import touched
from tests.integration.stores.test_case_desk import Desk, desk
from workers.delivery_worker import case_messages, message_delivery

__all__ = ["desk"]

ADDRESS = "anna@example.com"
HELLO = Letter(subject="Your payment", text="Dear Anna,\n\nit is mended.\nTry again.")


class Talk:
    """A customer and a member of staff who talk over a case."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.pool, self.shop = desk, desk.pool, desk.shop
        self.writer = CaseWriter(desk.pool)
        self.inbound = InboundStore(desk.pool, desk.shop.customers)
        self.channel: MessageChannel = RecordingChannel(looks_up=True)
        self.said = 0

    @property
    def taken(self) -> Sequence[Any]:
        assert isinstance(self.channel, RecordingChannel)
        return self.channel.taken

    def sender(self) -> CaseMessageDelivery:
        """A process that sends."""
        sending = message_delivery(self.pool, lambda: None, {"email": self.channel})
        return case_messages(self.pool, lambda: None, sending)

    async def send(self, message: CaseMessage) -> str:
        """As the workflow of the case has it sent, once it is due."""
        await self.due(message)
        order = SendCaseMessage(case=message.case, message=message.message)
        for _ in range(10):
            try:
                return (await self.sender().deliver_case_message(order)).state
            except ApplicationError:
                await self.rows(
                    "update deliveries set claimed_until = 'epoch' where claimed_until is not null"
                )
        raise AssertionError("never told")

    async def due(self, message: CaseMessage) -> None:
        await self.rows(
            "update case_messages set due_at = now() where message = %s", message.message
        )

    async def says(self, text: str = "Still not", **more: Any) -> str | None:
        """The customer writes; the case that it is on."""
        self.said += 1
        told: dict[str, Any] = {
            "reply": f"sms-{self.said}", "channel": "sms", "address": "+420601123456",
            "received_at": datetime.now(UTC), "text": text, "names": (("user_id", "anna"),), **more,
        }  # fmt: skip
        await self.inbound.take(InboundMessage(**told))
        [kept] = await self.rows(
            'select "case" from inbound_messages where reply = %s', told["reply"]
        )
        return kept["case"]

    async def routed(self, customer: str) -> None:
        """As a router numbers what came."""
        unit = f"c/{customer}"
        leases = UnitLeases(self.pool)
        await leases.take("test", 10, timedelta(minutes=1))
        await OutboxStore(self.pool).number("test", unit, 100)
        await self.rows("update routing_units set leased_by = null, leased_until = null")

    async def case(self, case: str) -> Any:
        return await self.desk.cases.case(case)

    async def message(self, case: str) -> CaseMessage:
        return (await self.writer.messages(case))[-1]

    async def rows(self, statement: Any, *values: object) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(statement, values)
            return await cursor.fetchall() if cursor.description else []


@pytest_asyncio.fixture
async def talk(desk: Desk) -> Talk:
    await desk.shop.known(email=ADDRESS)
    await desk.hire("eva", "adam")
    return Talk(desk)


async def test_what_staff_write_leaves_after_ten_seconds_in_the_voice_of_the_house(
    talk: Talk,
) -> None:
    house: dict[str, JsonValue] = {
        "name": "Air",
        "signature": "Yours, {{ house.name }}",
        "greeting": {},
    }
    await PublishedStore(talk.pool).publish("block", "house", house)
    case = await talk.desk.opened(1)
    letter = Letter(
        subject=HELLO.subject,
        text=f"{HELLO.text}\n\n{{{{ customer }}}} <b>",
        files=[Attachment(name="a.pdf", media_type="application/pdf", content=b"%PDF")],
    )

    written = await talk.writer.write(case, "eva", letter)

    assert timedelta(seconds=9) < written.due_at - datetime.now(UTC) < timedelta(seconds=11)
    assert await talk.sender().letters.take(written.message) is None, "not yet"
    assert await talk.send(written) == "sent"
    [mail] = talk.taken
    assert (mail.subject, mail.address, mail.purpose) == ("Your payment", ADDRESS, "service")
    assert "it is mended.\nTry again." in mail.text
    assert "{{ customer }} <b>" in mail.text
    assert "Yours, Air" in mail.text
    assert "<p>Dear Anna,<br></p>" in mail.html
    assert "{{ customer }} &lt;b&gt;" in mail.html
    assert mail.attachments == letter.files or list(mail.attachments) == list(letter.files)
    assert await talk.desk.happened(case) == ["opened", "wrote to the customer", "sent"]


async def test_a_message_that_is_undone_never_leaves(talk: Talk) -> None:
    case = await talk.desk.opened(1)
    written = await talk.writer.write(case, "eva", HELLO)

    undone = await talk.writer.undo(case, written.message, "eva")
    await talk.writer.undo(case, written.message, "eva")

    assert undone.state == "undone"
    assert await talk.send(written) == "undone"
    assert talk.taken == []
    with pytest.raises(UnknownMessageError):
        await talk.writer.undo(case, 999, "eva")


async def test_of_undo_and_sending_at_the_same_moment_one_wins(talk: Talk) -> None:
    case = await talk.desk.opened(1)
    for _ in range(10):
        written, before = await talk.writer.write(case, "eva", HELLO), len(talk.taken)
        await talk.due(written)
        order = SendCaseMessage(case=case, message=written.message)
        undone, _ = await asyncio.gather(
            talk.writer.undo(case, written.message, "eva"),
            talk.sender().deliver_case_message(order),
            return_exceptions=True,
        )
        left = len(talk.taken) - before
        assert left == (1 if isinstance(undone, TooLateError) else 0), undone


async def test_written_twice_by_an_impatient_finger_is_written_once(talk: Talk) -> None:
    case = await talk.desk.opened(1)
    letter = Letter(text="Hello", once="form-1")

    first, again = [await talk.writer.write(case, "eva", letter) for _ in range(2)]

    assert first.message == again.message
    assert len(await talk.writer.messages(case)) == 1


async def test_nobody_writes_from_the_case_of_somebody_else(talk: Talk) -> None:
    case = await talk.desk.opened(1)
    await talk.writer.write(case, "eva", HELLO)

    assert await talk.desk.state(case) == ("claimed", "eva")
    with pytest.raises(NotYoursError):
        await talk.writer.write(case, "adam", HELLO)


async def test_a_template_is_filled_in_and_one_that_nobody_published_is_refused(talk: Talk) -> None:
    case = await talk.desk.opened(1)
    source = "---\nsubject: Refund\n---\nYou get {{ amount }}, says {{ member.name }}."
    await MessageStore(talk.pool).publish("refund", source)

    letter = Letter(template="refund", values={"amount": "20 EUR"})
    assert await talk.send(await talk.writer.write(case, "eva", letter)) == "sent"

    assert talk.taken[-1].text.strip() == "You get 20 EUR, says Eva."
    with pytest.raises(UnknownMessageError):
        await talk.writer.write(case, "eva", Letter(template="nothing"))


async def test_a_customer_who_wants_nothing_by_a_channel_is_not_written_to_and_staff_are_told(
    talk: Talk,
) -> None:
    case = await talk.desk.opened(1)
    await talk.rows(
        "insert into suppressed_addresses (channel, address, reason) values ('email', %s, 'complained')",
        ADDRESS,
    )

    assert await talk.send(await talk.writer.write(case, "eva", HELLO)) == "refused"

    message = await talk.message(case)
    assert (message.reason, talk.taken) == ("suppressed", [])
    assert (await talk.desk.happened(case))[-1] == "not sent"


@pytest.mark.parametrize("dies", ["after take", "after sent", "in the ledger"])
async def test_a_worker_that_is_killed_in_the_middle_loses_nothing_and_doubles_nothing(
    talk: Talk, dies: str
) -> None:
    case = await talk.desk.opened(1)
    written = await talk.writer.write(case, "eva", HELLO)
    await talk.due(written)
    sender = talk.sender()
    if dies == "after take":
        await sender.letters.take(written.message)
    elif dies == "after sent":
        letter = await sender.letters.take(written.message)
        assert letter is not None
        await sender._way(letter).deliver_message(
            sender._order(letter)
        )  # as far as the killed one came
    else:
        assert isinstance(talk.channel, RecordingChannel)
        talk.channel.script(ADDRESS, [StallAfterAccept(), Busy()])
        with pytest.raises(ApplicationError):
            await sender.deliver_case_message(SendCaseMessage(case=case, message=written.message))
    with pytest.raises(TooLateError):
        await talk.writer.undo(case, written.message, "eva")

    assert await talk.send(written) == "sent"

    assert len(talk.taken) == 1
    assert (await talk.desk.happened(case)).count("sent") == 1


async def test_the_answer_counts_when_it_was_sent_and_not_when_it_was_written(talk: Talk) -> None:
    case = await talk.desk.opened(1)
    await talk.desk.cases.claim(case, "eva")
    await talk.says()
    assert (await talk.case(case)).next_answer_by is not None

    written = await talk.writer.write(case, "eva", HELLO)
    assert (await talk.case(case)).waits_since is not None
    await talk.send(written)

    answered = await talk.case(case)
    assert (answered.waits_since, answered.next_answer_by) == (None, None)


async def test_who_wrote_again_while_the_answer_was_on_its_way_still_waits(talk: Talk) -> None:
    case = await talk.desk.opened(1)
    written = await talk.writer.write(case, "eva", HELLO)
    await talk.says("And another thing")

    await talk.send(written)

    assert (await talk.case(case)).waits_since is not None


async def test_what_a_customer_writes_by_whichever_channel_is_on_the_case_that_is_under_way(
    talk: Talk,
) -> None:
    case = await talk.desk.opened(1)
    assert await talk.says() == case
    whatsapp = {"reply": "whatsapp-1", "channel": "whatsapp"}
    assert await talk.says(**whatsapp) == case

    events = [each for each in await talk.desk.events.of(case) if each.who == BY_CUSTOMER]
    assert [(each.did, each.detail["channel"]) for each in events] == [
        ("wrote", "sms"),
        ("wrote", "whatsapp"),
    ]
    assert "Still not" not in str(events), "the words stay with the message"


async def test_an_answer_ends_the_waiting_for_the_customer(talk: Talk) -> None:
    case = await talk.desk.opened(1)
    await talk.desk.cases.claim(case, "eva")
    await talk.desk.cases.wait_for_customer(case, "eva")

    await talk.says()

    assert await talk.desk.state(case) == ("claimed", "eva")
    [row] = await talk.rows("select pauses, snoozed_until, next_answer_by from cases")
    assert row["pauses"][0]["until"] is not None
    assert row["snoozed_until"] is None
    assert row["next_answer_by"] is not None


async def test_an_answer_to_staff_opens_a_decided_case_again_and_any_other_word_does_not(
    talk: Talk,
) -> None:
    case = await talk.desk.opened(1)
    written = await talk.writer.write(case, "eva", HELLO)
    await talk.send(written)
    await talk.desk.cases.decide(case, "granted", {"amount": 5}, by="eva")

    assert await talk.says("Something else") is None
    assert await talk.desk.state(case) == ("resolved", "eva")
    answer = {"delivery": (0, written.message), "channel": "email", "reply": "email-1"}
    assert await talk.says("It is not mended", **answer) == case

    assert await talk.desk.state(case) == ("reopened", None)
    assert [each for each in await talk.desk.happened(case) if each == "reopened"] == ["reopened"]


async def test_after_the_time_of_its_queue_an_answer_opens_nothing(talk: Talk) -> None:
    case = await talk.desk.opened(1)
    written = await talk.writer.write(case, "eva", HELLO)
    await talk.send(written)
    await talk.desk.cases.decide(case, "granted", {"amount": 5}, by="eva")
    await talk.rows("update cases set resolved_at = now() - interval '15 days'")

    assert await talk.says("Late", delivery=(0, written.message)) is None
    assert await talk.desk.state(case) == ("resolved", "eva")


async def test_a_touchpoint_by_another_channel_is_noted_on_the_case_once_and_wakes_it(
    talk: Talk,
) -> None:
    case = await talk.desk.opened(1)
    anna = await talk.shop.known()
    await talk.desk.cases.claim(case, "eva")
    await talk.desk.cases.snooze(case, "eva", event="Visited Shop")
    for n in range(3):
        came = Touchpoint(
            message_id=f"m-{n}", event="Visited Shop", timestamp=datetime.now(UTC),
            properties={"secret": "x"}, context={"channel": "shop"},
        )  # fmt: skip
        await talk.shop.arrives(came, anna)
    await talk.routed(anna)

    noted = [each for each in await talk.desk.events.of(case) if each.did == "heard"]
    assert [each.detail for each in noted] == [{"event": "Visited Shop", "channel": "shop"}]
    await talk.desk.clocks.mind(case)
    assert await talk.desk.state(case) == ("claimed", "eva")


async def test_without_a_case_nothing_is_noted_of_a_touchpoint(talk: Talk) -> None:
    anna = await talk.shop.known()
    await talk.shop.arrives(touched("Visited Shop", "m-1"), anna)
    await talk.routed(anna)

    assert await talk.rows("select 1 from case_events") == []


class Square:
    """Where people speak in public."""

    def __init__(self, talk: Talk) -> None:
        self.store = MentionStore(talk.pool, talk.shop.customers)

    async def says(self, handle: str, n: int = 1) -> Any:
        link = f"https://social.example/{handle}/{n}"
        said = Mention(network="social", handle=handle, link=link, text="Nobody answers me!")
        return await self.store.take(said, "sales")


async def test_a_mention_is_of_the_customer_whose_name_in_public_is_known(talk: Talk) -> None:
    case, anna, square = await talk.desk.opened(1), await talk.shop.known(), Square(talk)
    await talk.rows(
        "insert into identities (kind, value, customer) values ('social', 'anna_k', %s)", anna
    )

    told = await square.says("anna_k")

    assert (told.case.case, told.new, told.stranger) == (case, True, False)
    assert (await talk.desk.happened(case))[-1] == "mentioned us"
    again = await square.says("anna_k")
    assert (again.case.case, again.new) == (case, False)


async def test_a_stranger_is_answered_in_public_and_then_in_private_on_the_same_case(
    talk: Talk,
) -> None:
    square = Square(talk)
    told = await square.says("anna_k")
    case, anna = told.case.case, await talk.shop.known()
    assert (told.stranger, told.case.origin, told.case.customer != anna) == (True, "mention", True)

    await talk.writer.answered_in_public(case, "eva", link="https://social.example/our-answer")
    assert (await talk.case(case)).answered_at is not None
    await MergeStore(talk.pool).merge("anna", "anna_k", by="eva", why="she told us her address")
    written = await talk.writer.write(case, "eva", HELLO)
    assert await talk.send(written) == "sent"

    assert talk.taken[-1].address == ADDRESS
    answer = {"delivery": (0, written.message), "channel": "email", "reply": "email-1"}
    assert await talk.says("Thank you", **answer) == case
    assert (await square.says("anna_k", 2)).case.case == case


async def test_of_one_mention_told_by_many_at_once_there_is_one_case(talk: Talk) -> None:
    square = Square(talk)
    told = await asyncio.gather(*(square.says("anna_k") for _ in range(8)))

    assert len({each.case.case for each in told}) == 1
    assert [each.new for each in told].count(True) == 1
    assert len(await talk.rows("select 1 from cases")) == 1
