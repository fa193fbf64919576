"""What `deliver_message` needs to put a message into words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from journey.effects import Purpose


@dataclass(slots=True, frozen=True, kw_only=True)
class PublishedMessage:
    """A message that is live, as its author wrote it. `revision` is the SHA-256 of the source."""

    name: str
    revision: str
    source: str


@dataclass(slots=True, frozen=True, kw_only=True)
class MessageInWords:
    """What one customer will read."""

    subject: str
    text: str
    html: str | None = None


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

    def render(
        self, message: PublishedMessage, values: Mapping[str, JsonValue], now: datetime
    ) -> MessageInWords:
        """The words for these values. Raises: `MessageCannotRenderError`."""
        ...
