"""What a claimed delivery becomes: for how the customer feels, with what services say, its links counted."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError

from activities.counted_links import CountedLink, CountedLinks
from activities.delivery_ledger import Claimed
from activities.message_delivery import MessageDelivery
from activities.message_text import LiveMessages, MessageInWords, PublishedMessage
from activities.service_call import CallRefusedError, Response, ServiceBusyError
from channels.message_bundle import bundle
from channels.recording import RecordingChannel
from channels.short_link import ShortLinks
from tests.unit.activities.test_message_delivery import CLAIM, ORDER, ScriptedLedger, worker

NOW = datetime(2013, 2, 8, 12, 0, tzinfo=UTC)
TONES = bundle(
    {
        "gate.md": "---\nsubject: Gate\n---\nYour gate.\n",
        "gate.upset.md": "---\nsubject: Gate\ntone: upset\n---\nWe are sorry.\n",
        "gate.de.md": "---\nsubject: Tor\nlocale: de\n---\nIhr Tor.\n",
        "gate.sms.md": "---\nchannel: sms\n---\nGate.\n",
    }
)
DATA = (
    "---\nsubject: Gate\ndata: {gate: {url: 'https://a.example/{{ run.gate }}', take: body.gate%s}}\n"
    "---\n{{ data.gate }}\n"
)


@dataclass
class Felt:
    """Knows better than the stage how a customer feels."""

    feeling: str | None
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    async def felt_by(self, customer: str, now: datetime, stage: str | None) -> str | None:
        self.asked.append((customer, stage))
        return self.feeling


@dataclass
class Service:
    """Answers as told, or fails."""

    answer: Response | Exception | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def call(
        self,
        key: str,
        method: str,
        url: str,
        query: Mapping[str, JsonValue],
        body: Mapping[str, JsonValue],
    ) -> Response:
        self.asked.append((key, f"{method} {url}"))
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        assert isinstance(self.answer, Response)
        return self.answer


@dataclass
class Kept:
    links: list[CountedLink] = field(default_factory=list)

    async def keep(self, links: Sequence[CountedLink]) -> None:
        self.links += links


def with_words(delivery: MessageDelivery, **parts: object) -> MessageDelivery:
    return replace(delivery, words=replace(delivery.words, **parts))


async def sent(
    source: str, claim: Claimed = CLAIM, messages: LiveMessages | None = None, **parts: object
) -> str:
    channel = RecordingChannel(claim.channel)
    delivery = with_words(worker(ScriptedLedger(claim), [channel], source), **parts)
    if messages is not None:
        delivery = replace(delivery, messages=messages)
    await delivery.deliver_message(ORDER)
    [taken] = channel.taken
    return taken.text


@pytest.mark.parametrize(
    ("claim", "feeling", "text"),
    [
        (CLAIM, None, "Your gate.\n"),
        (CLAIM, "upset", "We are sorry.\n"),
        (replace(CLAIM, locale="de-AT"), "upset", "Ihr Tor.\n"),
        (replace(CLAIM, channel="sms", locale="de"), "upset", "Gate.\n"),
    ],
)
async def test_a_customer_reads_what_is_for_them(
    claim: Claimed, feeling: str | None, text: str
) -> None:
    felt = Felt(feeling)

    assert await sent(TONES, claim, feelings=felt) == text
    assert felt.asked == [("c_anna", None)]


async def test_without_anybody_who_knows_better_the_stage_says_how_they_feel() -> None:
    channel = RecordingChannel()
    order = replace(ORDER, deliver=replace(ORDER.deliver, feeling="upset"))

    await worker(ScriptedLedger(), [channel], TONES).deliver_message(order)

    assert [taken.text for taken in channel.taken] == ["We are sorry.\n"]


async def test_what_a_service_says_right_before_is_what_they_read() -> None:
    service = Service(Response(status=200, body={"gate": "C7"}))

    assert await sent(DATA % "", services=service) == "C7\n"
    assert service.asked == [("journey/flight/c_anna:7:1:gate", "GET https://a.example/B4")]


@pytest.mark.parametrize(
    "answer",
    [
        ServiceBusyError("busy"),
        CallRefusedError("a.example is at the private address 10.0.0.1"),
        Response(status=200, body={"other": 1}),
        Response(status=200),
        None,
    ],
)
async def test_a_service_that_does_not_say_is_no_reason_to_say_nothing(
    answer: Response | Exception | None,
) -> None:
    source = DATA % ", or: see the screens, within: 1s"

    assert await sent(source, services=Service(answer)) == "see the screens\n"


async def test_a_message_that_cannot_do_without_waits_for_an_answer() -> None:
    ledger, channel = ScriptedLedger(), RecordingChannel()
    delivery = with_words(
        worker(ledger, [channel], DATA % ""), services=Service(ServiceBusyError("busy"))
    )

    with pytest.raises(ApplicationError, match=r"data.gate: busy") as caught:
        await delivery.deliver_message(ORDER)

    assert (caught.value.type, caught.value.non_retryable) == ("DataMissing", False)
    assert ledger.asked == ["claim", "release"]
    assert channel.taken == []


async def test_an_entry_for_the_calendar_goes_along() -> None:
    channel = RecordingChannel()
    source = "---\nsubject: Gate\ncalendar: {title: A, starts: '2026-03-02T09:00:00Z'}\n---\nA.\n"

    await worker(ScriptedLedger(), [channel], source).deliver_message(ORDER)

    [file] = channel.taken[0].attachments
    assert file.name == "invite.ics"


LINKS = ShortLinks("https://ours.example", b"a secret of at least 32 characters")
TWO = MessageInWords(
    subject="A",
    text="See https://a.example/x?y=1&z=2, or (https://ours.example/s/1.abc.def).\n",
    html='<a class="b" href="https://a.example/x?y=1&amp;z=2">https://a.example/x?y=1&amp;z=2</a>'
    "<img src='https://a.example/i.png'><a href=\"mailto:a@b.c\">b</a>",
)


async def test_a_link_leads_over_us_in_both_parts_and_ours_are_left_alone() -> None:
    kept = Kept()

    told = await CountedLinks(tokens=LINKS, kept=kept).counted(TWO, "k", "c_anna")

    [link] = kept.links
    short = f"https://ours.example/l/{link.token}"
    assert (link.url, link.customer, link.delivery) == (
        "https://a.example/x?y=1&z=2",
        "c_anna",
        "k",
    )
    assert told.text == f"See {short}, or (https://ours.example/s/1.abc.def).\n"
    assert told.html == (
        f'<a class="b" href="{short}">https://a.example/x?y=1&amp;z=2</a>'
        "<img src='https://a.example/i.png'><a href=\"mailto:a@b.c\">b</a>"
    )


async def test_a_second_attempt_makes_the_same_links_and_another_delivery_others() -> None:
    kept = Kept()
    links = CountedLinks(tokens=LINKS, kept=kept)

    first, again = await links.counted(TWO, "k", "c"), await links.counted(TWO, "k", "c")
    other = await links.counted(TWO, "k2", "c")

    assert first == again
    assert other != first
    assert len({link.token for link in kept.links}) == 2
    assert all(len(link.token) == 20 for link in kept.links)


async def test_links_are_counted_only_where_the_message_says_so() -> None:
    kept = Kept()
    links = CountedLinks(tokens=LINKS, kept=kept)
    plain = "---\nsubject: A\n---\nhttps://a.example/\n"

    assert await sent(plain, links=links) == "https://a.example/\n"
    assert kept.links == []
    assert "/l/" in await sent(plain.replace("---\nh", "links: count\n---\nh"), links=links)


async def test_the_voice_of_the_house_may_count_them_all() -> None:
    class WithVoice:
        async def live(self, name: str) -> PublishedMessage | None:
            return PublishedMessage(
                name=name,
                revision="r",
                source="---\nsubject: A\n---\nhttps://a.example/\n",
                shared={"house": {"name": "Meridian", "links": "count"}},
            )

    links = CountedLinks(tokens=LINKS, kept=Kept())

    assert "/l/" in await sent("", links=links, messages=WithVoice())
