"""What an installation leaves to be seen of what happened: plain rows, for whoever checks them."""

from dataclasses import dataclass, field
from datetime import datetime

from contracts.routing import Fate
from journey.house_policy import HousePolicy


@dataclass(slots=True, frozen=True, kw_only=True)
class SeenRun:
    """A run that was admitted, as the database has it.

    `since`: wall time from which on touchpoints are its own, and of that instant those from `entering` on,
    the touchpoint that began it; `moved`: it was told things under another version; `joined`: from
    which on those of its customer are, where it began for somebody who became this customer.
    `listens`: subjects it listens to now.
    """

    entry: int
    workflow_id: str
    first_run_id: str
    version: str
    customer: str
    open: bool
    since: datetime
    entering: int = 0
    moved: bool = False
    joined: datetime | None = None
    wakes_at: datetime | None = None
    waits_for: tuple[str, ...] = ()
    with_staff: bool = False
    needs_attention: str | None = None
    listens: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True, frozen=True, kw_only=True)
class SeenTouchpoint:
    """A touchpoint as it was stored. `routed` False: it tells nobody anything."""

    touchpoint: int
    message_id: str
    event: str
    received_at: datetime
    customer: str | None = None
    subject: tuple[str, str] | None = None
    routed: bool = True


@dataclass(slots=True, frozen=True, kw_only=True)
class SeenArrival:
    """A touchpoint among those of one customer, with what became of it."""

    customer: str
    number: int
    touchpoint: int
    fates: tuple[Fate, ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class SeenDelivery:
    """A row of the ledger. `uncertain`: it says itself that the message may have left twice.

    `left_at`: when its intent was written, on the run's clock, where it left or may have left; the
    rest says by whose clock and whose rules that was judged. Empty where it is not known.
    """

    key: str
    state: str
    uncertain: bool = False
    customer: str = ""
    purpose: str = ""
    channel: str | None = None
    topic: str | None = None
    journey: str = ""
    zone: str | None = None
    left_at: datetime | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class Seen:
    """Everything in the database that bears witness, read at one moment.

    `pending`: rows in the outbox. `leases`: units that a router holds at this moment. `became`: ids of
    customers who turned out to be somebody else → who they are. `joined`: customers whom others became
    → when the last of them did.
    """

    at: datetime
    runs: tuple[SeenRun, ...] = ()
    touchpoints: tuple[SeenTouchpoint, ...] = ()
    arrivals: tuple[SeenArrival, ...] = ()
    deliveries: tuple[SeenDelivery, ...] = ()
    pending: int = 0
    leases: int = 0
    became: dict[str, str] = field(default_factory=dict[str, str])
    joined: dict[str, datetime] = field(default_factory=dict[str, datetime])


@dataclass(slots=True, frozen=True, kw_only=True)
class Told:
    """One touchpoint in a run's history. `number`: the router's, None from any other sender."""

    message_id: str
    event: str
    number: int | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class ToldRun:
    """A run as the server has it: what it was told, in order, and how many of that it applied.

    `applied` counts as the run itself does, None where it did not answer. `failing`: what is tried
    in vain again and again; `under_way`: activities that it waits for. `ending`: it has its outcome and
    is at its last acts, so what comes is not its own any more.
    """

    workflow_id: str
    first_run_id: str
    open: bool
    told: tuple[Told, ...] = ()
    applied: int | None = None
    ending: bool = False
    failing: str | None = None
    under_way: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class Said:
    """What a customer said at an instant of messages of a purpose by a channel; `""`: by every one."""

    customer: str
    purpose: str
    channel: str
    at: datetime
    yes: bool


@dataclass(slots=True, frozen=True, kw_only=True)
class Outside:
    """What is known outside the database, to hold it against.

    `acknowledged`: message ids that ingest answered for. `mails`: how often the mail of each
    delivery key arrived; None where nobody counted them. `events`: by version, what a run of it listens
    to. `open_workflows`: the workflow ids that the server has under way, None where it was not asked for all.
    `ended_meanwhile`: entries that were open when the
    database was read, and not any more once the server had been read. `policy`: what the house allows
    itself; it and all that customers `said` are known from `rules_since` on.
    """

    acknowledged: tuple[str, ...] = ()
    mails: dict[str, int] | None = field(default_factory=dict[str, int])
    events: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    open_workflows: frozenset[str] | None = frozenset()
    ended_meanwhile: frozenset[int] = frozenset()
    policy: HousePolicy | None = None
    said: tuple[Said, ...] = ()
    rules_since: datetime | None = None
