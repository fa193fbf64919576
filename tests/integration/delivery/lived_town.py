"""A town lived through on a real database, with sixteen senders at a time, and judged at each instant."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from activities.message_delivery import MessageDelivery
from activities.message_text import PublishedMessage
from activities.message_words import MessageWords
from channels.message_renderer import MessageFileRenderer
from channels.recording import RecordingChannel
from contracts.journey_run import RunReference
from contracts.message_delivery import DeliverMessage
from journey.effects import Deliver
from journey.house_policy import HousePolicy
from stores.database import Pool, jsonb
from stores.ledger import Ledger
from stores.preferences import PreferenceStore
from tests.integration.delivery.any_town import (
    BEGAN,
    MINUTE,
    WAYS,
    Message,
    Oracle,
    Told,
    Town,
)
from tests.integration.delivery.conftest import Records

SENDERS = 16

LIVED = timedelta(days=60)
"""What waits for longer is left waiting: some quiet hours leave no minute of a day."""


@dataclass
class OnePolicy:
    """The policy of this town."""

    policy: HousePolicy

    async def current(self) -> HousePolicy:
        return self.policy


class OneMessage:
    async def live(self, name: str) -> PublishedMessage:
        return PublishedMessage(name=name, revision="r", source="---\nsubject: Hi\n---\nHi\n")


@dataclass
class LivedTown:
    """A town lived through on a real database, instant by instant, with sixteen senders at each."""

    pool: Pool
    town: Town
    number: int
    now: datetime = BEGAN
    told: list[Told] = field(default_factory=list[Told])
    channels: dict[str, RecordingChannel] = field(
        default_factory=lambda: {way: RecordingChannel(way) for way in WAYS}
    )

    async def settle_in(self) -> None:
        async with self.pool.connection() as connection:
            for index, person in enumerate(self.town.people):
                who = self.who(index)
                traits = {"marketing_consent": False} if person.withheld else {}
                await connection.execute(
                    "insert into customers (customer, traits, zone) values (%s, %s, %s)",
                    [who, jsonb(traits), person.zone],
                )
                for kind, way in (("email", "email"), ("phone", "sms")):
                    if way in person.ways:
                        await connection.execute(
                            "insert into identities values (%s, %s, %s)",
                            [kind, f"{who}.{way}", who],
                        )
                    if way in person.suppressed:
                        await connection.execute(
                            "insert into suppressed_addresses values (%s, %s, 'bounced')",
                            [way, f"{who}.{way}"],
                        )
                for purpose, way, given_ in person.said:
                    await connection.execute(
                        "insert into consents (customer, purpose, channel, given, source, proof)"
                        " values (%s, %s, %s, %s, 'test', '')",
                        [who, purpose, way, given_],
                    )
            for index, message in enumerate(self.town.messages):
                await connection.execute(
                    "insert into runs (entry, workflow_id, first_run_id, journey, customer, key, engine,"
                    " state, entered_at, began_at) values (%s, %s, %s, %s, %s, %s, 1, 'open', %s, %s)",
                    [
                        *(self.entry(index), f"w{self.entry(index)}", f"r{self.entry(index)}"),
                        *(message.journey, self.who(message.person), str(index), BEGAN, BEGAN),
                    ],
                )
        for index, person in enumerate(self.town.people):
            await PreferenceStore(self.pool).keep(self.who(index), person.preferences)

    def who(self, person: int) -> str:
        return f"c{self.number}.{person}"

    def entry(self, message: int) -> int:
        return 1_000 * self.number + message

    def order(self, index: int, message: Message) -> DeliverMessage:
        entry = self.entry(index)
        run = RunReference(
            workflow_id=f"w{entry}",
            entry=entry,
            journey=message.journey,
            customer=self.who(message.person),
            now=self.now,
        )
        return DeliverMessage(
            run=run,
            deliver=Deliver(
                n=1,
                message="hello",
                purpose="marketing" if message.marketing else "service",
                via=message.via,
                priority=message.priority,
                topic=message.topic,
                expires=message.expires,
            ),
        )

    async def live(self) -> None:
        """Every message is asked for when its run does, and again whenever it was put off to."""
        worker = MessageDelivery(
            ledger=Ledger(self.pool, lambda: self.now, policies=OnePolicy(self.town.policy)),
            messages=OneMessage(),
            words=MessageWords(renderer=MessageFileRenderer()),
            channels=self.channels,
            records=Records(),
            wall_clock=lambda: self.now,
        )
        due = {index: message.asked_at for index, message in enumerate(self.town.messages)}
        senders = asyncio.Semaphore(SENDERS)

        async def deliver(index: int) -> Told:
            async with senders:
                told = await worker.deliver_message(self.order(index, self.town.messages[index]))
            state, at = told.state, self.now
            return Told(
                message=index,
                at=at,
                state=state,
                reason=told.reason,
                channel=told.channel,
                until=told.until,
            )

        while due:
            self.now = min(due.values())
            batch = [index for index, at in due.items() if at <= self.now]
            answers = await asyncio.gather(*(deliver(index) for index in batch))
            for told in answers:
                del due[told.message]
                if told.state == "deferred":
                    assert told.until is not None
                    assert told.until > self.now, told
                    if told.until < BEGAN + LIVED:
                        due[told.message] = told.until
                self.told.append(told)
            self.judge(answers)

    # -- judged

    def judge(self, answers: list[Told]) -> None:
        """Judge the answers of one instant by what had left until then and in it."""
        oracle = Oracle(self.town, [told for told in self.told if told.state == "accepted"])
        for told in answers:
            message = self.town.messages[told.message]
            if told.state == "accepted":
                self.judge_sent(oracle, message, told)
            elif told.state == "refused":
                self.judge_refused(oracle, message, told)
            else:
                self.judge_deferred(oracle, message, told)

    def judge_sent(self, oracle: Oracle, message: Message, told: Told) -> None:
        assert told.channel in oracle.open_ways(message), "sent against a no"
        if not message.marketing:
            return
        assert not oracle.is_quiet(message, told.channel, told.at), "sent in quiet hours"
        assert not oracle.is_paused(message, told.at), "sent in a pause"
        for cap in self.town.policy.caps:
            if oracle.under(cap, message, told.channel):
                at_once = sum(
                    other.at == told.at
                    and not self.town.messages[other.message].marketing
                    and oracle.counts(cap, other, message.person)
                    for other in oracle.left
                )
                assert oracle.count(cap, message, told.at) - at_once <= cap.at_most, "over a cap"
                self.judge_place(oracle, message, told)

        if self.town.alike:
            self.judge_line(told)

    def judge_line(self, told: Told) -> None:
        """Where all wait for the same place, nobody is sent to before whoever is ahead of them."""
        gone = {each.message for each in self.told if each.state == "accepted"}
        for other, message in enumerate(self.town.messages):
            if message.asked_at < told.at and self.is_ahead(other, told.message):
                assert other in gone, "sent before one that is ahead"

    def judge_place(self, oracle: Oracle, message: Message, told: Told) -> None:
        """Nobody ahead of it, who waits for the same cap, lost their place by it."""
        for cap in self.town.policy.caps:
            if not oracle.under(cap, message, told.channel):
                continue
            ahead = [
                other
                for other in self.waiting(told)
                if self.is_ahead(other.message, told.message)
                and cap.channel is None
                and oracle.under(cap, self.town.messages[other.message], None)
            ]
            for other in ahead:
                assert other.until is not None
                then = oracle.count(cap, message, other.until)
                without = oracle.count(cap, message, other.until, but=told.message)
                room = cap.at_most - (len(ahead) - 1)
                assert not (without < room <= then), "took a place that was somebody else's"

    def waiting(self, now: Told) -> list[Told]:
        """The last answer of each message of the same customer that waits for its time."""
        last = {told.message: told for told in self.told}
        who = self.town.messages[now.message].person
        return [
            told
            for told in last.values()
            if told.state == "deferred"
            and told.at < now.at
            and told.until is not None
            and told.until > now.at
            and self.town.messages[told.message].person == who
        ]

    def is_ahead(self, one: int, other: int) -> bool:
        first, second = self.town.messages[one], self.town.messages[other]
        return (-(first.priority or 0), first.asked_at) < (-(second.priority or 0), second.asked_at)

    def judge_deferred(self, oracle: Oracle, message: Message, told: Told) -> None:
        assert message.marketing
        ways = oracle.open_ways(message)
        match told.reason.partition(":")[0]:
            case "paused":
                assert oracle.is_paused(message, told.at)
            case "quiet_until":
                assert any(oracle.is_quiet(message, way, told.at) for way in ways)
            case "capped":
                assert self.town.policy.caps
            case reason:
                raise AssertionError(f"no such reason: {reason}")

    def judge_refused(self, oracle: Oracle, message: Message, told: Told) -> None:
        expires = message.expires
        if told.reason == "expired":
            assert expires is not None
            assert told.at >= expires
            return
        ways = oracle.open_ways(message)
        if told.reason in ("no_consent", "suppressed", "unreachable"):
            assert ways == [], f"{ways} was open"
            shut = [oracle.shut(message, way) for way in message.via]
            order = ("no_consent", "suppressed", "unreachable")
            assert told.reason == next(reason for reason in order if reason in shut)
            return
        assert message.marketing
        assert expires is not None
        assert ways
        if not any(self.is_ahead(other.message, told.message) for other in self.waiting(told)):
            for way in ways:
                assert oracle.ever(message, way, told.at) is None, "there was a minute for it"
        last = max(told.at, expires - MINUTE)
        match told.reason:
            case "paused":
                assert oracle.is_paused(message, last)
            case "quiet_until":
                assert oracle.is_quiet(message, ways[0], last)
            case "capped":
                others = self.waiting(told)
                assert oracle.full(message, ways[0], last) or others
            case reason:
                raise AssertionError(f"no such reason: {reason}")
