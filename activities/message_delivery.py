"""Sending one message once: the intent first, then the provider, then what became of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.delivery_ledger import (
    Claimed,
    DeliveryIntent,
    DeliveryLedger,
    Doubt,
    Settlement,
    Standing,
    UnderWay,
)
from activities.message_channel import (
    AddressGoneError,
    MessageChannel,
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)
from activities.message_data import DataMissingError
from activities.message_text import (
    LiveMessages,
    MessageCannotRenderError,
    PublishedMessage,
)
from activities.message_words import MessageWords
from activities.run_record import RunRecords
from activities.sending_rate import Asker, NoRates, SendingRates, Waits, rate_names
from activities.sent_words import sent_words
from contracts.fault_points import reach
from contracts.ids import effect_key
from contracts.message_delivery import (
    MESSAGE_REJECTED,
    DeliverMessage,
    MessageDelivered,
    with_channel,
)
from contracts.names import DELIVER_MESSAGE
from journey.effects import Deliver, Purpose, RunRecord

MOST_RESENDS_IN_DOUBT = 3
"""A service message whose fate stays unknown is sent again so often, then left as unknown."""

SEND_WITHIN = timedelta(seconds=15)
"""How long a channel may take: well within the ledger's lease and the activity's start-to-close."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True, frozen=True, kw_only=True)
class MessageDelivery:
    """Delivers messages: policy and intent in one transaction, then the channel, then the outcome.

    `channels` by name. `wall_clock` gives wall time, `rest` lets so many seconds of it pass.
    """

    ledger: DeliveryLedger
    messages: LiveMessages
    words: MessageWords
    channels: Mapping[str, MessageChannel]
    records: RunRecords
    wall_clock: Callable[[], datetime]
    send_within: timedelta = SEND_WITHIN
    rates: SendingRates = field(default_factory=NoRates)
    rest: Callable[[float], Awaitable[None]] = asyncio.sleep

    @activity.defn(name=DELIVER_MESSAGE)
    async def deliver_message(self, order: DeliverMessage) -> MessageDelivered:
        """Send the message under its key, or say why it was not sent. May run twice; sends once.

        Raises: non-retryable `MessageRejectedError` for a message that does not exist or cannot
        render; anything else may pass and is tried again.
        """
        published = await self.messages.live(order.deliver.message)
        intent = self._intent(order, published)
        ways = [self._rate_names(way) for way in intent.deliver.via]
        waits = await self.rates.known_to_wait(ways, _asker(intent))
        if waits is not None:
            if order.record is not None:
                await self.records.write(order.run, order.record)
            raise _try_again(waits.words, waits.after, "RateReached")
        told = await self._claimed_and_sent(_Asked(intent, published, order.accepted))
        _log.info(
            "delivery", key=intent.key, state=told.state, reason=told.reason, channel=told.channel
        )
        return told

    async def _claimed_and_sent(self, asked: "_Asked") -> MessageDelivered:
        answer = await self.ledger.claim(asked.intent)
        reach("delivery.after_intent")
        match answer:
            case MessageDelivered():
                standing = asked.standing(answer)
                if standing is not None:  # an attempt that did not live to say so was accepted
                    await self.records.write(*standing)
                return answer
            case UnderWay():
                raise _try_again(
                    "another attempt is under way",
                    answer.until - self.wall_clock(),
                    "DeliveryUnderWay",
                )
            case Claimed():
                return await self._carry_out(answer, _now_of(asked, answer))

    def _intent(self, order: DeliverMessage, published: PublishedMessage | None) -> DeliveryIntent:
        wall = self.wall_clock()
        running = order.run.clock.now(wall) if order.run.clock else wall
        return DeliveryIntent(
            key=effect_key(order.run.workflow_id, order.run.entry, order.deliver.n),
            run=order.run,
            deliver=replace(order.deliver, purpose=self._purpose(order.deliver, published)),
            now=max(order.run.now, running),
            channels=frozenset(self.channels),
            revision=published.revision if published else None,
            held_out=order.held_out,
            record=order.record,
        )

    def _purpose(self, deliver: Deliver, published: PublishedMessage | None) -> Purpose:
        """Marketing if either the send or the message says so: consent is never talked away."""
        try:
            own = self.words.renderer.purpose(published) if published else None
        except MessageCannotRenderError:
            own = None  # said again, with its place, when the message is to be rendered
        return "marketing" if "marketing" in (own, deliver.purpose) else "service"

    async def _carry_out(self, claim: Claimed, asked: "_Asked") -> MessageDelivered:
        channel, intent = self.channels[claim.channel], asked.intent
        if claim.doubt is not None:
            known = await self._fate(claim, claim.doubt, intent, channel)
            if known is not None:
                return await self._settle(claim, known, asked)
        message = await self._rendered(claim, asked)
        await self._has_its_turn(claim, intent)
        reach("delivery.before_call")
        try:
            async with asyncio.timeout(self.send_within.total_seconds()):
                answer = await channel.send(message)
            reach("delivery.after_call")
        except AddressGoneError as error:
            await self.ledger.gone(claim, error.words)
            raise _try_again(error.words, timedelta(), "AddressGone") from error
        except ProviderRefusedError as error:
            if error.suppress:
                await self.ledger.suppress(claim, error.words)
            if claim.doubt is None and len(intent.deliver.via) > 1:
                await self.ledger.turn_away(claim, f"{error.reason}: {error.words}")
                return await self._claimed_and_sent(asked)
            refused = Settlement(state="refused", reason=error.reason, words=error.words)
            return await self._settle(claim, refused, asked)
        except ProviderBusyError as error:
            await self.ledger.release(claim, error.words)
            reach("delivery.after_release")
            raise _try_again(error.words, error.retry_after, "ProviderBusy") from error
        except (UnknownOutcomeError, TimeoutError) as error:
            words = str(error) or "the channel did not answer in time"
            await self.ledger.doubt(claim, words, sent_words(message))
            reach("delivery.after_doubt")
            raise _try_again(words, None, "UnknownOutcome") from error
        accepted = Settlement(
            state="accepted", provider_id=answer.provider_id, sent=sent_words(message)
        )
        return await self._settle(claim, accepted, asked)

    def _rate_names(self, way: str) -> list[str]:
        channel = self.channels.get(way)
        return rate_names(way, channel.provider if channel else None)

    async def _has_its_turn(self, claim: Claimed, intent: DeliveryIntent) -> None:
        """Wait for its turn at the provider: here where it is near, else by coming again."""
        turn = await self.rates.take(self._rate_names(claim.channel), _asker(intent))
        if isinstance(turn, Waits):
            await self.ledger.release(claim, turn.words)
            raise _try_again(turn.words, turn.after, "RateReached")
        if turn.after:
            await self.rest(turn.after.total_seconds())

    async def _fate(
        self, claim: Claimed, doubt: Doubt, intent: DeliveryIntent, channel: MessageChannel
    ) -> Settlement | None:
        """What became of an attempt that never told; None where the message is to be sent."""
        if channel.looks_up:
            found = await channel.look_up(claim.key)
            if found is not None:
                return Settlement(state="accepted", provider_id=found.provider_id)
            if doubt.pointless is None:
                return None
            return Settlement(state="refused", reason=doubt.pointless)
        if doubt.pointless is not None:
            return Settlement(state="unknown", reason=doubt.pointless)
        if channel.key_window is not None and self.wall_clock() < doubt.since + channel.key_window:
            return None
        again = intent.deliver.resend_unknown
        if again is None:
            again = intent.deliver.purpose == "service"
        if not again or doubt.times > MOST_RESENDS_IN_DOUBT:
            return Settlement(
                state="unknown",
                words=f"{doubt.times} attempt(s) began and did not say how they ended",
            )
        await self.ledger.resend(claim)
        reach("delivery.after_resend")
        return None

    async def _rendered(self, claim: Claimed, asked: "_Asked") -> RenderedMessage:
        intent = asked.intent
        try:
            words = await self.words.of(claim, intent, asked.published)
        except DataMissingError as error:
            await self.ledger.release(claim, str(error))
            raise _try_again(str(error), None, "DataMissing") from error
        except MessageCannotRenderError as error:
            state = "refused" if claim.doubt is None else "unknown"
            rejected = Settlement(state=state, reason="cannot_render", words=str(error))
            await self._settle(claim, rejected, asked)
            raise ApplicationError(str(error), type=MESSAGE_REJECTED, non_retryable=True) from error
        return RenderedMessage(
            key=claim.key,
            customer=intent.run.customer,
            address=claim.address,
            purpose=intent.deliver.purpose,
            subject=words.subject,
            text=words.text,
            html=words.html,
            corrects=claim.corrects,
            corrects_id=claim.corrects_id,
            address_keys=claim.address_keys,
            in_conversation=claim.in_conversation,
            locale=words.locale or claim.locale,
            attachments=words.attachments,
            link=words.link,
            template=words.template,
            at=self.wall_clock(),
        )

    async def _settle(
        self, claim: Claimed, settlement: Settlement, asked: "_Asked"
    ) -> MessageDelivered:
        told = MessageDelivered(
            state=settlement.state,
            reason=settlement.reason,
            words=settlement.words,
            channel=claim.channel,
        )
        await self.ledger.settle(claim, settlement, asked.standing(told))
        reach("delivery.after_settle")
        return told


@dataclass(slots=True, frozen=True)
class _Asked:
    """What one attempt is to send. `accepted`: how the run stands once it was accepted."""

    intent: DeliveryIntent
    published: PublishedMessage | None
    accepted: RunRecord | None

    def standing(self, told: MessageDelivered) -> Standing | None:
        """What is to be written of the run with this answer."""
        if told.state != "accepted" or self.accepted is None:
            return None
        return self.intent.run, with_channel(self.accepted, told.channel)


def _now_of(asked: _Asked, claim: Claimed) -> _Asked:
    """The same, of whom the customer of the run is now: a run keeps the id under which it began."""
    intent = asked.intent
    run = replace(intent.run, customer=claim.whose or intent.run.customer)
    return replace(asked, intent=replace(intent, run=run))


def _asker(intent: DeliveryIntent) -> Asker:
    attempt = activity.info().attempt if activity.in_activity() else 1
    return Asker(key=intent.key, purpose=intent.deliver.purpose, attempt=attempt)


def _try_again(words: str, after: timedelta | None, kind: str) -> ApplicationError:
    delay = None if after is None else max(after, timedelta(seconds=1))
    return ApplicationError(words, type=kind, next_retry_delay=delay)
