"""The time that a page of figures looks at, and the one before it that it is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from console.control_journey import SPANS
from console.inbox_door import Visit
from stores.database import clean_text

USUAL = "28d"
EVER = "10y"


@dataclass(slots=True, frozen=True, kw_only=True)
class Window:
    """From `since` until before `until`; compared with the time from `before` to `since`, None where it is ever."""

    span: str
    since: datetime
    until: datetime
    before: datetime | None

    @property
    def words(self) -> str:
        """How far back it goes."""
        return SPANS[self.span][0]


def window_of(visit: Visit, now: datetime) -> Window:
    """`?since=28d`; what is no span of ours is four weeks."""
    span = visit.request.query_params.get("since", USUAL)
    if span not in SPANS:
        span = USUAL
    length = SPANS[span][1]
    since = now - length
    return Window(
        span=span, since=since, until=now, before=None if span == EVER else since - length
    )


def named(query: Mapping[str, str], name: str) -> str | None:
    """What an address says under a name, as the database takes it; None where it says nothing."""
    return clean_text(query.get(name, "")) or None


def in_address(parts: Mapping[str, str | None]) -> str:
    """What is said of these, as the query of an address."""
    return urlencode({name: value for name, value in parts.items() if value is not None})


def choices() -> dict[str, str]:
    """What there is to choose from, in words."""
    return {name: words for name, (words, _) in SPANS.items()}
