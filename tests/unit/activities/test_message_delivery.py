"""The activity alone: what it asks of the ledger, and what it tells Temporal."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.delivery_ledger import (
    Claimed,
    DeliveryIntent,
    Doubt,
    Settlement,
    Standing,
    UnderWay,
)
from activities.message_channel import MessageChannel
from activities.message_delivery import MessageDelivery
from activities.message_text import PublishedMessage
from activities.message_words import MessageWords
from activities.sent_words import SentWords
from channels.message_renderer import MessageFileRenderer
from channels.recording import Busy, RecordingChannel, RefuseForGood, StallAfterAccept
from contracts.clock import RunClock
from contracts.journey_run import RunReference
from contracts.message_delivery import DeliverMessage, MessageDelivered
from journey.effects import Deliver, RunRecord

NOW = datetime(2013, 2, 8, 12, 0, tzinfo=UTC)
SOURCE = "---\nsubject: Gate\n---\nDear {{ customer.first_name }}, gate {{ run.gate }}.\n"
CLAIM = Claimed(
    key="journey/flight/c_anna:7:1",
    attempt=1,
    channel="email",
    address="anna@example.com",
    customer={"first_name": "Anna"},
)


@dataclass
class ScriptedLedger:
    """Answers one claim as told, and remembers what was asked of it in order."""

    answer: Claimed | UnderWay | MessageDelivered = CLAIM
    asked: list[str] = field(default_factory=list)
    intents: list[DeliveryIntent] = field(default_factory=list)
    settled: list[Settlement] = field(default_factory=list)

    async def claim(self, intent: DeliveryIntent) -> Claimed | UnderWay | MessageDelivered:
        self.asked += ["record", "claim"] if intent.record else ["claim"]
        self.intents.append(intent)
        return self.answer

    async def resend(self, claim: Claimed) -> None:
        self.asked.append("resend")

    async def settle(
        self, claim: Claimed, settlement: Settlement, standing: Standing | None = None
    ) -> None:
        self.asked += ["settle", "record"] if standing else ["settle"]
        self.settled.append(settlement)

    async def release(self, claim: Claimed, words: str) -> None:
        self.asked.append("release")

    async def turn_away(self, claim: Claimed, words: str) -> None:
        self.asked.append("turn_away")

    async def suppress(self, claim: Claimed, reason: str) -> None:
        self.asked.append("suppress")

    async def gone(self, claim: Claimed, words: str) -> None:
        self.asked.append("gone")

    async def doubt(self, claim: Claimed, words: str, sent: SentWords) -> None:
        self.asked.append("doubt")


@dataclass
class Messages:
    source: str | None = SOURCE

    async def live(self, name: str) -> PublishedMessage | None:
        if self.source is None:
            return None
        return PublishedMessage(name=name, revision="r1", source=self.source)


@dataclass
class Records:
    ledger: ScriptedLedger

    async def write(self, run: RunReference, record: RunRecord) -> None:
        self.ledger.asked.append("record")


def worker(
    ledger: ScriptedLedger,
    channels: Sequence[MessageChannel] = (),
    source: str | None = SOURCE,
) -> MessageDelivery:
    return MessageDelivery(
        ledger=ledger,
        messages=Messages(source),
        words=MessageWords(renderer=MessageFileRenderer()),
        channels={channel.name: channel for channel in channels or [RecordingChannel()]},
        records=Records(ledger),
        wall_clock=lambda: NOW,
    )


ORDER = DeliverMessage(
    run=RunReference(
        workflow_id="journey/flight/c_anna",
        entry=7,
        journey="flight",
        version="v",
        customer="c_anna",
        now=NOW,
    ),
    deliver=Deliver(n=1, message="gate", purpose="service", values={"run": {"gate": "B4"}}),
)


def test_its_name_on_the_wire_stays() -> None:
    definition = activity._Definition.must_from_callable(MessageDelivery.deliver_message)

    assert definition.name == "deliver_message"


async def test_the_record_that_rides_along_is_written_first() -> None:
    ledger = ScriptedLedger()
    record = RunRecord(sequence=1, at=NOW, stage="booked")

    await worker(ledger).deliver_message(replace(ORDER, record=record))

    assert ledger.asked == ["record", "claim", "settle"]


async def test_what_the_ledger_knows_is_the_answer() -> None:
    known = MessageDelivered(state="refused", reason="no_consent")
    channel = RecordingChannel()

    told = await worker(ScriptedLedger(known), [channel]).deliver_message(ORDER)

    assert told == known
    assert channel.taken == []


async def test_the_ledger_is_asked_under_the_key_of_the_effect() -> None:
    ledger = ScriptedLedger()

    await worker(ledger, [RecordingChannel(), RecordingChannel("sms")]).deliver_message(ORDER)

    (intent,) = ledger.intents
    assert intent.key == "journey/flight/c_anna:7:1"
    assert intent.channels == {"email", "sms"}
    assert intent.revision == "r1"


@pytest.mark.parametrize(("asked", "factor"), [(NOW, 1.0), (NOW, 3600.0)])
async def test_now_is_the_runs_own_and_never_before_it_asked(
    asked: datetime, factor: float
) -> None:
    clock = RunClock(
        wall_epoch=NOW - timedelta(hours=1), run_epoch=NOW - timedelta(hours=1), factor=factor
    )
    ledger = ScriptedLedger()

    await worker(ledger).deliver_message(
        replace(ORDER, run=replace(ORDER.run, now=asked, clock=clock))
    )

    assert ledger.intents[0].now == NOW - timedelta(hours=1) + timedelta(hours=1) * factor


async def test_a_run_that_is_ahead_of_the_wall_keeps_its_time() -> None:
    """In the time-skipping test server a run's clock is weeks ahead."""
    ahead = NOW + timedelta(weeks=3)
    ledger = ScriptedLedger()

    await worker(ledger).deliver_message(replace(ORDER, run=replace(ORDER.run, now=ahead)))

    assert ledger.intents[0].now == ahead


@pytest.mark.parametrize(
    ("script", "kind", "asked"),
    [
        (Busy(), "ProviderBusy", "release"),
        (StallAfterAccept(), "UnknownOutcome", "doubt"),
    ],
)
async def test_what_may_pass_is_tried_again(
    script: Busy | StallAfterAccept, kind: str, asked: str
) -> None:
    ledger, channel = ScriptedLedger(), RecordingChannel()
    channel.script("anna@example.com", [script])

    with pytest.raises(ApplicationError) as caught:
        await worker(ledger, [channel]).deliver_message(ORDER)

    assert (caught.value.type, caught.value.non_retryable) == (kind, False)
    assert ledger.asked == ["claim", asked]


async def test_another_attempt_under_way_is_waited_for() -> None:
    ledger = ScriptedLedger(UnderWay(until=NOW + timedelta(seconds=12)))

    with pytest.raises(ApplicationError) as caught:
        await worker(ledger).deliver_message(ORDER)

    assert caught.value.next_retry_delay == timedelta(seconds=12)


async def test_a_refusal_is_settled_in_the_providers_words() -> None:
    ledger, channel = ScriptedLedger(), RecordingChannel()
    channel.script("anna@example.com", [RefuseForGood("550 gone")])

    told = await worker(ledger, [channel]).deliver_message(ORDER)

    assert told == MessageDelivered(
        state="refused", reason="bounced", words="550 gone", channel="email"
    )
    assert ledger.settled == [Settlement(state="refused", reason="bounced", words="550 gone")]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (None, "no such message is published"),
        ("nonsense", "does not begin with ---"),
        (
            "---\nsubject: Hi\n---\n{{ run.seat }}\n",
            "gate, line 4, column 4: run.seat is undefined",
        ),
    ],
)
async def test_a_message_that_cannot_be_sent_names_itself_and_the_remedy(
    source: str | None, words: str
) -> None:
    ledger = ScriptedLedger()

    with pytest.raises(ApplicationError, match="gate") as caught:
        await worker(ledger, source=source).deliver_message(ORDER)

    assert caught.value.non_retryable
    assert words in caught.value.message
    assert ledger.settled[0].reason == "cannot_render"


async def test_a_doubtful_message_that_cannot_render_is_unknown_and_not_called_unsent() -> None:
    doubtful = replace(CLAIM, doubt=Doubt(since=NOW, times=1))
    ledger = ScriptedLedger(doubtful)

    with pytest.raises(ApplicationError):
        await worker(ledger, source=None).deliver_message(ORDER)

    assert ledger.settled[0].state == "unknown"


async def test_what_the_customer_read_is_settled_with_it() -> None:
    ledger = ScriptedLedger()
    source = "---\nsubject: Gate\n---\nDear {{ customer.first_name }}, gate {{ run.gate }}.\n"

    await worker(ledger, source=source).deliver_message(ORDER)

    [settled] = ledger.settled
    assert settled.sent is not None
    assert settled.sent.subject == "Gate"
    assert settled.sent.text.startswith("Dear Anna, gate ")


async def test_a_second_copy_is_written_down_before_it_leaves() -> None:
    ledger = ScriptedLedger(replace(CLAIM, doubt=Doubt(since=NOW, times=1)))

    await worker(ledger).deliver_message(ORDER)

    assert ledger.asked == ["claim", "resend", "settle"]
