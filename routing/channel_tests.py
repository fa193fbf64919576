"""Trying a channel: what staff ask for is sent as any message is, once, and what the provider answered is told."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from activities.message_channel import (
    MessageChannel,
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)
from contracts.channel_report import HeldTest, TestEnd
from contracts.hidden_address import without_addresses
from contracts.push_subscription import push_subscription

SEND_WITHIN = timedelta(seconds=30)
"""Shorter than a test is held."""

SUBJECT = "[test] Clew reaches you by this channel"
TEXT = "[test] Somebody of staff tries whether this channel works. Nothing is to be done about it."

_log = structlog.get_logger(__name__)


class AskedTests(Protocol):
    """Where tests are kept; `stores.channel_tests.ChannelTestStore` says what each guarantees."""

    async def hold(self, channels: Sequence[str]) -> HeldTest | None: ...
    async def settled(self, test: int, state: TestEnd, words: str) -> None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class ChannelTests:
    """Sends one test each round. `channels` by name, those that customers get theirs by."""

    tests: AskedTests
    channels: Mapping[str, MessageChannel]
    wall_clock: Callable[[], datetime]

    async def round(self) -> bool:
        """Whether there may be more."""
        held = await self.tests.hold(list(self.channels))
        if held is None:
            return False
        state, words = ("refused", held.barred) if held.barred else await self._sent(held)
        await self.tests.settled(held.test, state, words)
        _log.info("channel_test", test=held.test, channel=held.channel, state=state)
        return True

    async def _sent(self, held: HeldTest) -> tuple[TestEnd, str]:
        """How it ended, and in which words of the provider, without the address."""
        try:
            message = self._rendered(held)
            async with asyncio.timeout(SEND_WITHIN.total_seconds()):
                answer = await self.channels[held.channel].send(message)
        except ProviderRefusedError as error:
            return "refused", without_addresses(f"{error.reason}: {error.words}", held.address)
        except ProviderBusyError as error:
            return "busy", without_addresses(error.words, held.address)
        except (UnknownOutcomeError, TimeoutError) as error:
            words = str(error) or "the channel did not answer in time"
            return "unknown", without_addresses(words, held.address)
        except ValueError as error:  # what is no address of this channel
            return "refused", without_addresses(str(error), held.address)
        except Exception as error:  # whatever it is, whoever asked is told, and nothing goes twice
            _log.warning("channel_test_failed", channel=held.channel, error=type(error).__name__)
            return "unknown", f"the channel broke: {type(error).__name__}"
        known = answer.provider_id.replace(held.address, "<address>")
        return "sent", f"taken as {known}" if known else "taken"

    def _rendered(self, held: HeldTest) -> RenderedMessage:
        keys: dict[str, str] = {}
        address = held.address
        if held.channel == "webpush":
            address, keys = push_subscription(held.address)
        return RenderedMessage(
            key=f"channel-test:{held.form}",
            customer=held.address if held.channel == "inbox" else "channel-test",
            address=address,
            address_keys=keys,
            in_conversation=held.channel == "whatsapp",
            purpose="service",
            subject=SUBJECT,
            text=TEXT,
            at=self.wall_clock(),
        )
