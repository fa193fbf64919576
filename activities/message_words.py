"""What one customer will read of a message: which file, with what values, read from where."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import structlog
from pydantic import JsonValue

from activities.counted_links import CountedLinks
from activities.customer_pages import CustomerPages, page_values
from activities.delivery_ledger import Claimed, DeliveryIntent
from activities.message_channel import Attachment
from activities.message_data import DataMissingError, read_data
from activities.message_text import (
    MessageCannotRenderError,
    MessageInWords,
    MessageRenderer,
    PublishedMessage,
    RenderFor,
)
from activities.service_call import ServiceCaller
from contracts.ids import effect_key

_log = structlog.get_logger(__name__)


class SurveyPages(Protocol):
    """Where surveys are answered."""

    def link(self, ask: str, survey: str, customer: str, entry: int) -> str:
        """The page on which this customer answers what they are asked."""
        ...


class Feelings(Protocol):
    """How customers feel, by what they did and said."""

    async def felt_by(self, customer: str, now: datetime, stage: str | None) -> str | None:
        """The feeling of a customer now; `stage`: what the journey takes them to feel there."""
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class MessageWords:
    """Puts a claimed delivery into words; what is None here is not asked for.

    `services` are asked for what messages read right before they leave; `links` counts clicks;
    without `feelings` it is as the journey's stage says. `files` go along with whatever is written.
    """

    renderer: MessageRenderer
    surveys: SurveyPages | None = None
    pages: CustomerPages | None = None
    feelings: Feelings | None = None
    services: ServiceCaller | None = None
    links: CountedLinks | None = None
    files: tuple[Attachment, ...] = ()

    async def of(
        self, claim: Claimed, intent: DeliveryIntent, published: PublishedMessage | None
    ) -> MessageInWords:
        """The message in words. Raises: `MessageCannotRenderError`, `DataMissingError`."""
        deliver, run = intent.deliver, intent.run
        if published is None:
            raise MessageCannotRenderError(
                name=deliver.message,
                problem="no such message is published",
                remedy="Publish it, then resume the run.",
            )
        values: dict[str, JsonValue] = {
            **page_values(self.pages, run.customer, run.entry),
            **deliver.values,
            "customer": claim.customer,
        }
        if deliver.asks is not None and self.surveys is not None:
            ask = effect_key(run.workflow_id, run.entry, deliver.asks.n)
            link = self.surveys.link(ask, deliver.asks.survey, run.customer, run.entry)
            values["survey"] = {"link": link, "name": deliver.asks.survey}
        whom = RenderFor(
            channel=claim.channel,
            locale=claim.locale,
            feeling=await self._feeling(intent),
            run=f"{run.workflow_id}:{run.entry}",
            n=deliver.n,
            address=claim.address,
        )
        reads = await asyncio.to_thread(self.renderer.reads, published, values, intent.now, whom)
        if reads:
            if self.services is None:
                raise DataMissingError("nothing here can ask services for what the message reads")
            values["data"] = await read_data(reads, claim.key, self.services)
        words = await asyncio.to_thread(self.renderer.render, published, values, intent.now, whom)
        if self.files:
            words = replace(words, attachments=(*words.attachments, *self.files))
        _log.info("message chosen", key=claim.key, chosen=words.chosen)
        if words.counts_links and self.links is not None:
            words = await self.links.counted(words, claim.key, run.customer)
        return words

    async def _feeling(self, intent: DeliveryIntent) -> str | None:
        stage = intent.deliver.feeling
        if self.feelings is None:
            return stage
        return await self.feelings.felt_by(intent.run.customer, intent.now, stage)
