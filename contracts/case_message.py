"""A message of staff to a customer, from a case, on its way."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(slots=True, frozen=True, kw_only=True)
class SendCaseMessage:
    """Send one message of a case, by its number; sending it twice is sending it once."""

    stays_readable: ClassVar[bool] = True

    case: str
    message: int


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseMessageSent:
    """What became of it: sent, undone, refused, unknown, or waiting for a stop to be lifted."""

    stays_readable: ClassVar[bool] = True

    state: str
