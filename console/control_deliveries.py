"""What was told to customers and what came of it: by channel and by message, and who is behind each number."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol, cast
from urllib.parse import urlencode

from starlette.responses import Response

from console.control_door import control_page, instant_of
from console.control_live import Shared
from console.inbox_door import CONTROL, InboxDoor, RefusedPageError, Visit
from journey.channels import CHANNELS
from stores.delivery_looks import (
    MOST_DELIVERIES,
    PATIENCE,
    REPORTED,
    Counted,
    CountedDeliveries,
    Delivery,
    Fate,
    TooMuchToReadError,
    WhichDeliveries,
)

MOST_ROWS = 200

FATES: Mapping[Fate, str] = {
    "asked": "Asked for",
    "sent": "Sent",
    "delivered": "Delivered",
    "opened": "Opened",
    "clicked": "Clicked",
    "replied": "Replied",
    "unsubscribed": "Signed off",
    "bounced": "Bounced",
    "complained": "Complained",
    "failed": "Failed",
    "unknown": "Unknown",
    "waiting": "Waiting",
    "not_sent": "Not sent",
}
"""What may become of a message, as it stands above a column."""

TROUBLE: frozenset[Fate] = frozenset({"bounced", "complained", "failed", "unknown"})
"""What somebody should look at."""

_LEDGER: tuple[Fate, ...] = ("sent", "failed", "unknown", "waiting", "not_sent")
"""What the ledger says: each message is in one of these."""

REASONS: Mapping[str, str] = {
    "held_out": "held out, to measure what telling does",
    "capped": "over a cap",
    "quiet_until": "quiet hours",
    "paused": "the customer wants a pause",
    "no_consent": "no consent",
    "suppressed": "the address is closed: it bounced, complained or signed off",
    "unreachable": "no address that can be reached",
    "expired": "stale: too late to be of use",
    "condition": "its condition held no more",
    "replaced": "a later message corrects it",
    "left": "the run had ended",
    "stopped": "stopped by an admin",
    "held_by": "another journey goes first",
    "cannot_render": "it could not be put into words",
}
"""Why a message was not sent, or waits; what is not here is its provider's own word."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Span:
    """So many steps of time until now; `steps` is what one is called."""

    words: str
    step: timedelta
    many: int
    steps: str

    def until(self, now: datetime) -> tuple[datetime, datetime]:
        """From when on and until when, in whole steps of UTC."""
        seconds = int(self.step.total_seconds())
        ends = datetime.fromtimestamp((int(now.timestamp()) // seconds + 1) * seconds, UTC)
        return ends - self.many * self.step, ends


SPANS: Mapping[str, Span] = {
    "hour": Span(words="an hour", step=timedelta(minutes=5), many=12, steps="five minutes"),
    "day": Span(words="a day", step=timedelta(hours=1), many=24, steps="hour of UTC"),
    "week": Span(words="a week", step=timedelta(days=1), many=7, steps="day of UTC"),
    "weeks": Span(words="four weeks", step=timedelta(days=1), many=28, steps="day of UTC"),
}
"""How far back one looks. Four weeks is the most: what was told before stands at each customer."""


class Deliveries(Protocol):
    """Where deliveries are read; `stores.delivery_looks` says what each guarantees."""

    async def counted(self, since: datetime, until: datetime, step: timedelta) -> Counted: ...
    async def listed(
        self, which: WhichDeliveries, most: int = MOST_DELIVERIES
    ) -> list[Delivery]: ...


@dataclass(slots=True, frozen=True)
class Unhurried:
    """What is read again by the clock alone: it takes long, and nobody waits for its newest second."""

    def count(self, journey: str | None = None) -> int:
        """Always the same."""
        del journey
        return 0

    async def heard(self) -> object:
        """Nothing is ever heard."""
        return None


@dataclass(slots=True, kw_only=True)
class Told:
    """What became of some messages. `steps`: of each step of time what was sent, what was not, and what failed."""

    channel: str = ""
    message: str = ""
    n: Counter[Fate] = field(default_factory=Counter[Fate])
    steps: list[list[int]] = field(default_factory=list[list[int]])

    @property
    def called(self) -> str:
        """The channel as people call it."""
        return CHANNELS.get(self.channel, self.channel) or "none was chosen"

    @property
    def heard(self) -> bool:
        """Whether anything was reported of them: where nothing was, nothing is known."""
        return any(self.n[each] for each in REPORTED)

    @property
    def trouble(self) -> int:
        """How many somebody should look at."""
        return sum(self.n[each] for each in TROUBLE)

    @property
    def bars(self) -> list[list[tuple[float, float]]]:
        """Of each step how high each part begins and stands, of 1."""
        most = max((sum(each) for each in self.steps), default=0) or 1
        return [
            [(sum(parts[:place]) / most, n / most) for place, n in enumerate(parts)]
            for parts in self.steps
        ]


@dataclass(slots=True, frozen=True, kw_only=True)
class DeliveriesPage:
    """The page, and the list behind each of its numbers. `run_now`: the time of runs."""

    door: InboxDoor
    deliveries: Deliveries
    run_now: Callable[[], datetime]
    shared: Shared = field(default_factory=lambda: Shared(Unhurried()))

    async def show(self, visit: Visit) -> Response:
        """`?span=` hour, day, week or weeks."""
        name = _span(visit)
        values = await self.shared.once(("told", name), None, lambda: self._values(name))
        return control_page(self.door, visit, "control-deliveries.html", values)

    async def listed(self, visit: Visit) -> Response:
        """The messages behind a number.

        `?span=`, `?what=`, `?channel=`, `?message=`, `?journey=` and `?reason=` say which; `?before=` leafs on.
        """
        query = visit.request.query_params
        what = query.get("what", "asked")
        if what not in FATES:
            known = ", ".join(FATES)
            raise RefusedPageError(404, f"Nothing is listed as {what[:40]!r}. There are: {known}.")
        fate, name = cast("Fate", what), _span(visit)
        since, until = SPANS[name].until(self.run_now())
        which = WhichDeliveries(
            since=since, until=until, fate=fate, channel=query.get("channel"), message=query.get("message"),
            journey=query.get("journey"), reason=query.get("reason"), before=_before(query.get("before", "")),
        )  # fmt: skip
        try:
            found = await self.deliveries.listed(which)
        except TooMuchToReadError:
            found = None
        asked = {
            name: each
            for name in ("channel", "message", "journey", "reason")
            if (each := query.get(name)) is not None
        }
        here = {"span": name, "what": what, **asked}
        values: dict[str, Any] = {
            "span": name,
            "spans": SPANS,
            "title": FATES[fate],
            "asked": asked,
            "called": CHANNELS | {"": "no channel"},
            "fates": FATES,
            "trouble": TROUBLE,
            "in_words": in_words,
            "found": found,
            "tabs": {each: urlencode({**here, "span": each}) for each in SPANS},
            "older": _older(here, found or []),
            "patience": f"{PATIENCE.total_seconds():g}",
        }
        return control_page(self.door, visit, "control-delivered.html", values)

    async def _values(self, name: str) -> dict[str, Any]:
        span, now = SPANS[name], self.run_now()
        since, until = span.until(now)
        values: dict[str, Any] = {
            "span": name,
            "spans": SPANS,
            "since": since,
            "at_time": now,
            "patience": f"{PATIENCE.total_seconds():g}",
        }
        try:
            found = await self.deliveries.counted(since, until, span.step)
        except TooMuchToReadError:
            return values
        counted = found.kinds
        by_message = _told(counted, since, span, lambda each: (each.message, each.channel))
        whole = _told(counted, since, span, lambda _: ("", ""))
        return values | {
            "all": whole[0] if whole else Told(),
            "highest": max((sum(each) for told in whole for each in told.steps), default=0),
            "channels": _told(counted, since, span, lambda each: ("", each.channel)),
            "messages": by_message[:MOST_ROWS],
            "left_out": max(0, len(by_message) - MOST_ROWS),
            "counted_since": found.since,
            "reported_since": found.reported_since,
            "why": {fate: _reasons(counted, fate) for fate in ("not_sent", "waiting", "failed")},
            "columns": [*_LEDGER, *REPORTED],
            "fates": FATES,
            "trouble": TROUBLE,
            "reported": REPORTED,
            "link": partial(_link, name),
        }


def _told(
    counted: Iterable[CountedDeliveries],
    since: datetime,
    span: Span,
    key: Callable[[CountedDeliveries], tuple[str, str]],
) -> list[Told]:
    """Summed up by message and channel; those that need looking at first, then the largest."""
    found: dict[tuple[str, str], Told] = {}
    for each in counted:
        message, channel = key(each)
        told = found.setdefault(
            (message, channel),
            Told(channel=channel, message=message, steps=[[0, 0, 0] for _ in range(span.many)]),
        )
        told.n["asked"] += each.n
        told.n[each.fate] += each.n
        for kind in each.heard:
            told.n[kind] += each.n
        place = min(max(int((each.at - since) / span.step), 0), span.many - 1)
        part = 0 if each.fate == "sent" else 2 if each.fate in TROUBLE else 1
        told.steps[place][part] += each.n
    return sorted(
        found.values(), key=lambda each: (-each.trouble, -each.n["asked"], each.message, each.channel)
    )  # fmt: skip


def _reasons(counted: Iterable[CountedDeliveries], fate: Fate) -> list[tuple[str, str, int]]:
    """Each reason with what it means and how many, the most frequent first."""
    sums: Counter[str] = Counter()
    for each in counted:
        if each.fate == fate:
            sums[each.reason] += each.n
    return [(reason, in_words(reason), n) for reason, n in sums.most_common()]


def in_words(reason: str) -> str:
    """Why a message was not sent or waits, to a person."""
    return REASONS.get(reason, reason.replace("_", " ")) or "under way"


def _link(span: str, what: Fate, told: Told | None = None, **more: str) -> str:
    """The list behind a number of a row; of all messages where none is given."""
    asked = {"span": span, "what": what, **more}
    if told is not None:
        asked |= {"channel": told.channel}
        asked |= {"message": told.message} if told.message else {}
    return f"{CONTROL}/deliveries/list?{urlencode(asked)}"


def _span(visit: Visit) -> str:
    name = visit.request.query_params.get("span", "day")
    if name not in SPANS:
        known = ", ".join(SPANS)
        raise RefusedPageError(404, f"There is no span {name[:40]!r}. There are: {known}.")
    return name


def _before(text: str) -> tuple[datetime, int, int] | None:
    at, *numbers = text.split(",")
    instant = instant_of(at)
    if instant is None or len(numbers) != 2:
        return None
    try:
        entry, n = (max(-1, min(int(each[:18]), 2**62)) for each in numbers)
    except ValueError:
        return None
    return instant, entry, n


def _older(here: Mapping[str, str], found: Sequence[Delivery]) -> str | None:
    if len(found) < MOST_DELIVERIES:
        return None
    last = found[-1]
    return urlencode({**here, "before": f"{last.asked_at.isoformat()},{last.entry},{last.n}"})
