"""What must hold whatever was killed: nothing lost, nothing twice, nobody stuck, nothing left over.

Over plain rows: the database's, the server's histories, and what only the outside knows. No rule
depends on how long anything took, save that an alarm which is overdue by `late` is not coming.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.evidence import Outside, Seen, SeenArrival, SeenRun, SeenTouchpoint, ToldRun
from contracts.routing import GIVEN, had_by, may_have
from insight.proper_sends import improper_sends
from insight.sound_runs import standing_faults
from journey.touchpoint import HOLD_LIFTED, MERGED, TRAITS_CHANGED

UNCOUNTED = (TRAITS_CHANGED, HOLD_LIFTED, MERGED)
"""What changes what a run knows, and is none of the touchpoints that it counts."""

TOO_LATE = ("too_late", "refused")
"""Fates that say why a run could not have a touchpoint: it had ended, or the server refused it."""

AIMED = (HOLD_LIFTED, MERGED)
"""What is told to the runs that it concerns, and not to each that would understand it."""

KINDS = ("lost", "twice", "mailed_twice", "unmailed", "stuck", "left", "improper")
"""The ways in which something may not hold."""

Subject = tuple[str, str]


@dataclass(slots=True, frozen=True, kw_only=True)
class Broken:
    """What does not hold, each with the words that name it; all empty where everything holds.

    `unknown`: delivery keys of which the ledger itself says that nobody can tell. That is allowed.
    """

    lost: list[str] = field(default_factory=list[str])
    twice: list[str] = field(default_factory=list[str])
    mailed_twice: list[str] = field(default_factory=list[str])
    unmailed: list[str] = field(default_factory=list[str])
    stuck: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])
    improper: list[str] = field(default_factory=list[str])
    unknown: list[str] = field(default_factory=list[str])

    @property
    def nothing(self) -> bool:
        """Whether everything holds."""
        return not any(getattr(self, kind) for kind in KINDS)


def check(
    seen: Seen,
    told: Sequence[ToldRun],
    outside: Outside,
    *,
    run_now: datetime,
    late: timedelta,
    asked: frozenset[int] | None = None,
) -> Broken:
    """Hold everything against everything. `run_now`: on the runs' clock, when `seen` was read.

    `asked`: the entries whose histories were read; None: all of them. Of the others nothing is said by them.
    """
    look = _Look(seen, told, outside, asked)
    mails = outside.mails
    doubtful = [d.key for d in seen.deliveries if d.uncertain or d.state == "unknown"]
    return Broken(
        lost=[*look.not_stored(), *look.not_arrived(), *look.not_told(), *look.not_applied()],
        twice=[*look.given_twice(), *look.applied_twice()],
        mailed_twice=[
            f"{key}: {times} mails"
            for key, times in (mails or {}).items()
            if times > 1 and key not in doubtful
        ],
        unmailed=[
            f"{d.key}: accepted, and no mail of it arrived"
            for d in seen.deliveries
            if mails is not None and d.state == "accepted" and not mails.get(d.key)
        ],
        stuck=[*look.asleep(run_now - late), *look.of_two_minds()],
        left=[*_left(seen)],
        improper=[*_improper(seen, outside)],
        unknown=doubtful,
    )


def _left(seen: Seen) -> Iterator[str]:
    if seen.pending:
        yield f"{seen.pending} touchpoints in the outbox"
    if seen.leases:
        yield f"{seen.leases} units leased"
    for delivery in seen.deliveries:
        if delivery.state == "intended":
            yield f"{delivery.key}: intended, and no word of how it ended"


def _improper(seen: Seen, outside: Outside) -> Iterator[str]:
    policy, since = outside.policy, outside.rules_since
    if policy is not None and since is not None:
        yield from improper_sends(
            seen.deliveries, policy, outside.said, since=since, joined=seen.joined
        )


class _Look:
    """The evidence, ordered so that each rule is a short question."""

    def __init__(
        self,
        seen: Seen,
        told: Sequence[ToldRun],
        outside: Outside,
        asked: frozenset[int] | None,
    ) -> None:
        self.seen, self.outside = seen, outside
        self.asked = [run for run in seen.runs if asked is None or run.entry in asked]
        self.unasked = (
            {run.workflow_id for run in seen.runs if run.entry not in asked}
            if asked is not None
            else set[str]()
        )
        self.told = {(run.workflow_id, run.first_run_id): run for run in told}
        self.held = {name: {e.message_id for e in run.told} for name, run in self.told.items()}
        self.of_id: defaultdict[str, list[SeenRun]] = defaultdict(list)
        for run in seen.runs:
            self.of_id[run.workflow_id].append(run)
        self.touchpoints = {each.touchpoint: each for each in seen.touchpoints}
        self.of_customer: defaultdict[str, list[SeenArrival]] = defaultdict(list)
        for arrival in seen.arrivals:
            self.of_customer[arrival.customer].append(arrival)
        self.about: defaultdict[Subject, list[SeenTouchpoint]] = defaultdict(list)
        for touchpoint in seen.touchpoints:
            if touchpoint.subject is not None and touchpoint.customer is None:
                self.about[touchpoint.subject].append(touchpoint)

    # -- on the way to the run

    def not_stored(self) -> Iterator[str]:
        stored = {each.message_id for each in self.seen.touchpoints}
        for message_id in self.outside.acknowledged:
            if message_id not in stored:
                yield f"{message_id}: acknowledged, and not there"

    def not_arrived(self) -> Iterator[str]:
        became = self.seen.became
        arrived = {
            (became.get(each.customer, each.customer), each.touchpoint)
            for each in self.seen.arrivals
        }
        for each in self.seen.touchpoints:
            if each.customer is None or not each.routed:
                continue
            whose = became.get(each.customer, each.customer)
            if (whose, each.touchpoint) not in arrived:
                yield f"{each.message_id}: never routed to {whose}"
        fated = {
            (became.get(each.customer, each.customer), each.touchpoint)
            for each in self.seen.arrivals
            if each.fates
        }
        for arrival in self.seen.arrivals:
            whose = became.get(arrival.customer, arrival.customer)
            if (whose, arrival.touchpoint) not in fated:
                yield f"{self._named(arrival)}: no fate for {arrival.customer}"

    def not_told(self) -> Iterator[str]:
        for run in self.seen.runs:
            yield from self._gaps(run)
            yield from self._subject_gaps(run)

    def _gaps(self, run: SeenRun) -> Iterator[str]:
        """What the customer had in the run's time, and the run did not."""
        if run.moved and not run.open:
            return  # under an earlier version it may not have listened
        arrivals = self._until_the_next(run)
        given = [each for each in arrivals if self._had(each, run)]
        last = max((each.number for each in given), default=0)
        subjects = self._subjects(run, given)
        events = self.outside.events.get(run.version, frozenset())
        for arrival in arrivals:
            touchpoint = self.touchpoints.get(arrival.touchpoint)
            if touchpoint is None or touchpoint.event not in events:
                continue
            own = touchpoint.subject is None or touchpoint.subject in subjects
            # What came to somebody who became this customer is aimed at the run that goes on in place of theirs.
            own = own and touchpoint.customer in (None, arrival.customer)
            its_time = _is_of(run, touchpoint) and (run.open or arrival.number < last)
            if touchpoint.event in AIMED:
                continue
            # A router that ended may have told it, and never written that.
            told = touchpoint.message_id in self.held.get((run.workflow_id, run.first_run_id), ())
            if own and its_time and not told and not _accounted_for(arrival, run):
                yield f"{touchpoint.message_id}: run {run.entry} listens and was not told"

    def _had(self, arrival: SeenArrival, run: SeenRun) -> bool:
        """Whether this run had it, and not only one that followed under the same workflow id."""
        if run.workflow_id not in had_by(arrival.fates):
            return False
        history = self.held.get((run.workflow_id, run.first_run_id))
        return history is None or self._named(arrival) in history

    def _until_the_next(self, run: SeenRun) -> list[SeenArrival]:
        """What the customer had before the run that follows under the same workflow id."""
        later = [other.since for other in self.of_id[run.workflow_id] if other.entry > run.entry]
        arrivals = self.of_customer[run.customer]
        if not later:
            return arrivals
        ends = min(later)
        return [
            each
            for each in arrivals
            if (touchpoint := self.touchpoints.get(each.touchpoint)) is None
            or touchpoint.received_at < ends
        ]

    def _subject_gaps(self, run: SeenRun) -> Iterator[str]:
        """What happened to a subject before the last that the run heard of it must be there too."""
        arrivals = {each.touchpoint: each for each in self._until_the_next(run)}
        given = [each for each in arrivals.values() if self._had(each, run)]
        its_own = {each.touchpoint for each in given}
        events = self.outside.events.get(run.version, frozenset())
        for subject in self._subjects(run, given):
            heard = [t.touchpoint for t in self.about[subject] if t.touchpoint in its_own]
            if run.moved and not run.open:
                continue
            last = max(heard, default=0)
            for touchpoint in self.about[subject]:
                its_time = _is_of(run, touchpoint) and touchpoint.event in events
                still = run.open and subject in run.listens
                known = touchpoint.touchpoint in arrivals
                if its_time and (still or touchpoint.touchpoint < last) and not known:
                    yield f"{touchpoint.message_id}: run {run.entry} listens to {subject[1]}"

    def _subjects(self, run: SeenRun, given: Sequence[SeenArrival]) -> set[Subject]:
        # The customer's own is theirs, also where it is about a thing that the run does not follow.
        # What it was begun with may be about a thing that others follow.
        heard_since = [each for each in given if each.touchpoint != run.entering]
        came = [self.touchpoints[each.touchpoint] for each in heard_since]
        heard = {each.subject for each in came if each.customer is None}
        return {subject for subject in (*heard, *run.listens) if subject is not None}

    # -- in the run

    def not_applied(self) -> Iterator[str]:
        told_ids: defaultdict[str, set[str]] = defaultdict(set)
        entries = {(run.workflow_id, run.first_run_id): run for run in self.seen.runs}
        by_id = {each.message_id: each for each in self.seen.touchpoints}
        for name, run in self.told.items():
            told_ids[run.workflow_id] |= {each.message_id for each in run.told}
            entry = entries.get(name)
            for message_id, highest in _out_of_order(run):
                touchpoint = by_id.get(message_id)
                if entry is None or touchpoint is None or _is_of(entry, touchpoint):
                    yield f"{message_id}: told to {run.workflow_id} after number {highest}"
            short = len(self._counting(run, entry)) - (run.applied or 0)
            sure = entry is not None and not entry.moved and not run.ending
            if run.open and run.applied is not None and short > 0 and sure:
                yield f"{run.workflow_id}: was told {short} that it did not apply"
        for arrival in self.seen.arrivals:
            named = self._named(arrival)
            for run_id in sorted(had_by(arrival.fates) - self.unasked):
                if named not in told_ids[run_id]:
                    yield f"{named}: said to be given to {run_id}, which does not have it"

    def given_twice(self) -> Iterator[str]:
        for arrival in self.seen.arrivals:
            given = Counter(str(f.get("run")) for f in arrival.fates if f["fate"] in GIVEN)
            given.subtract(str(f.get("run")) for f in arrival.fates if f["fate"] == "handed_back")
            for run_id, times in given.items():
                if times > 1:
                    yield f"{self._named(arrival)}: given {times} times to {run_id}"

    def applied_twice(self) -> Iterator[str]:
        entries = {(run.workflow_id, run.first_run_id): run for run in self.seen.runs}
        for name, run in self.told.items():
            more = (run.applied or 0) - len(self._counting(run, None))
            if more > 0:
                yield f"{run.workflow_id}: applied {more} more than it was told"
            # A version may refuse what it does not listen to, and the one that the run was moved to count it.
            sure = name in entries and not entries[name].moved
            again = [each for each, times in _numbers(run).items() if times > 1]
            if again and sure:
                yield f"{min(again)}: told to {run.workflow_id} under several numbers"

    def _counting(self, run: ToldRun, entry: SeenRun | None) -> set[str]:
        """The touchpoints that the run counts, each once, however often it was told of them.

        Of a run that is known, only those that its version listens to: others are refused in words.
        """
        events = self.outside.events.get(entry.version) if entry is not None else None
        first = {each.message_id for each in run.told[:1]}
        return {
            each.message_id
            for each in run.told
            if each.event not in UNCOUNTED
            and (events is None or each.event in events or each.message_id in first)
        }

    # -- stuck

    def asleep(self, overdue: datetime) -> Iterator[str]:
        for run in self.seen.runs:
            if not run.open:
                continue
            if run.needs_attention:
                yield f"{run.workflow_id}: {run.needs_attention}"
            for words in standing_faults(
                run.wakes_at,
                run.waits_for,
                run.needs_attention,
                overdue,
                with_staff=run.with_staff,
            ):
                yield f"{run.workflow_id}: {words}"

    def of_two_minds(self) -> Iterator[str]:
        """The record and the server disagree, or the server tries in vain."""
        for run in self.asked:
            told = self.told.get((run.workflow_id, run.first_run_id))
            if told is None:
                yield f"{run.workflow_id}: its history is not there"
                continue
            if told.open != run.open and run.entry not in self.outside.ended_meanwhile:
                here = "open" if run.open else "finished"
                busy = f" ({'; '.join(told.under_way)})" if told.under_way else ""
                yield f"{run.workflow_id}: {here} in the record, not on the server{busy}"
            if told.failing:
                yield f"{run.workflow_id}: {told.failing}"
            if told.applied is None:
                yield f"{run.workflow_id}: does not answer"
        known = {run.workflow_id for run in self.seen.runs if run.open}
        for workflow_id in sorted((self.outside.open_workflows or frozenset()) - known):
            yield f"{workflow_id}: under way, and not in the record"

    def _named(self, arrival: SeenArrival) -> str:
        touchpoint = self.touchpoints.get(arrival.touchpoint)
        return touchpoint.message_id if touchpoint else f"touchpoint {arrival.touchpoint}"


def _accounted_for(arrival: SeenArrival, run: SeenRun) -> bool:
    """Whether it is written that the run was given it, or may have been, or was over."""
    told = (*GIVEN, *TOO_LATE)
    said = any(f["fate"] in told and f.get("run") == run.workflow_id for f in arrival.fates)
    return said or run.entry in may_have(arrival.fates)


def _is_of(run: SeenRun, touchpoint: SeenTouchpoint) -> bool:
    """Whether it came in the run's time: from the touchpoint that began it, or from when it joined its customer."""
    if run.joined is not None and touchpoint.received_at < run.joined:
        return False
    if touchpoint.received_at == run.since:
        return touchpoint.touchpoint >= run.entering
    return touchpoint.received_at > run.since


def _numbers(run: ToldRun) -> Counter[str]:
    """Under how many numbers each touchpoint that counts was told to it: each number counts."""
    told = {(each.message_id, each.number) for each in run.told if each.event not in UNCOUNTED}
    return Counter(message_id for message_id, number in told if number is not None)


def _out_of_order(run: ToldRun) -> Iterator[tuple[str, int]]:
    """A number lower than one before it is dropped by the run as a repetition: it must be one.

    Or it came before the run did: a router that died in between tells once more all that it had.
    """
    highest, before = 0, set[str]()
    for each in run.told:
        new = each.message_id not in before and each.event not in AIMED
        if each.number is not None and new and each.number <= highest:
            yield each.message_id, highest
        highest = max(highest, each.number or 0)
        before.add(each.message_id)
