"""What `deliver_message` needs to put a message into words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import JsonValue

from activities.message_channel import Attachment, ProviderTemplate
from journey.effects import Purpose


@dataclass(slots=True, frozen=True, kw_only=True)
class PublishedMessage:
    """A message that is live, as its author wrote it. `revision` is the SHA-256 of the source.

    `source`: one file, or all its files as `channels.message_bundle` holds them. `shared`: the live
    blocks by name, and the house's voice as `house`, as they are published.
    """

    name: str
    revision: str
    source: str
    shared: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(slots=True, frozen=True, kw_only=True)
class RenderFor:
    """For whom a message is put into words: by which channel, in which language, for which feeling.

    `run`: the key of the run, which entries in a calendar are told apart by; `n`: how many-eth
    thing it does this is. `address`: theirs, on the channel.
    """

    channel: str = "email"
    locale: str | None = None
    feeling: str | None = None
    run: str = ""
    n: int = 0
    address: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class MessageInWords:
    """What one customer will read.

    `locale`: the language it is written in, where the file says so. `chosen`: which file it is and
    why. `counts_links`: whether a click on a link is counted. `link`: where a tap leads. `template`: the
    text that a provider approved, for where only such may be sent.
    """

    subject: str
    text: str
    html: str | None = None
    locale: str | None = None
    chosen: str = ""
    attachments: tuple[Attachment, ...] = ()
    counts_links: bool = False
    link: str | None = None
    template: ProviderTemplate | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class DataRead:
    """Something a message asks a service for right before it leaves.

    `take`: CEL over `status` and `body`. `otherwise`: what it says where there is no answer in time;
    None: the message waits for one.
    """

    name: str
    url: str
    take: str
    within: timedelta
    otherwise: JsonValue = None


class MessageCannotRenderError(ValueError):
    """A message that cannot be put into words; says where, what is wrong, and the remedy.

    `line` counts in the file when `name` is given, else in the template; `column` from 1.
    """

    def __init__(
        self, *, problem: str, remedy: str, line: int = 1, column: int = 1, name: str = ""
    ) -> None:
        place = f"line {line}, column {column}"
        super().__init__(
            f"{name}, {place}: {problem}. {remedy}" if name else f"{place}: {problem}. {remedy}"
        )
        self.problem, self.remedy = problem, remedy
        self.line, self.column, self.name = line, column, name


class LiveMessages(Protocol):
    """Where messages are kept."""

    async def live(self, name: str) -> PublishedMessage | None:
        """The live revision under this name, or None."""
        ...


class MessageRenderer(Protocol):
    """Puts published messages into words. Bounded: no message takes longer than about a second."""

    def purpose(self, message: PublishedMessage) -> Purpose | None:
        """What the message itself says it is for. Raises: `MessageCannotRenderError`."""
        ...

    def reads(
        self,
        message: PublishedMessage,
        values: Mapping[str, JsonValue],
        now: datetime,
        whom: RenderFor,
    ) -> Sequence[DataRead]:
        """What is to be read before `render`, and given to it as `data`. Raises: `MessageCannotRenderError`."""
        ...

    def render(
        self,
        message: PublishedMessage,
        values: Mapping[str, JsonValue],
        now: datetime,
        whom: RenderFor,
    ) -> MessageInWords:
        """The words for these values. Raises: `MessageCannotRenderError`."""
        ...
