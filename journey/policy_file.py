"""The house policy as a file: read, and refused where it contradicts itself."""

from collections.abc import Iterator
from datetime import UTC, datetime

from journey.document import InvalidDocumentError, read_document
from journey.expressions import Fault
from journey.house_policy import Cap, HousePolicy, QuietHours
from journey.named_words import read_as
from journey.quiet_hours import quiet_until

_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def read_policy(source: str, name: str) -> HousePolicy:
    """Read `policy.yaml`. Raises: `InvalidDocumentError` with the place of each fault."""
    document = read_document(source, name)
    policy = read_as(document, HousePolicy)
    problems = [document.problem(*fault) for fault in _faults(policy)]
    if problems:
        raise InvalidDocumentError(problems)
    return policy


def _faults(policy: HousePolicy) -> Iterator[Fault]:
    names = policy.topic_names
    for topic in {topic for topic in names if names.count(topic) > 1}:
        yield ("topics",), f"{topic!r} is there twice", "take one out"
    for index, cap in enumerate(policy.caps):
        yield from _cap_faults(index, cap, policy)
    for index, hours in enumerate(policy.quiet_hours):
        if hours.begins == hours.ends:
            words = f"they begin and end at {hours.ends}"
            yield ("quiet_hours", index, "to"), words, "for a whole day write from 00:00 to 24:00"
    yield from _never_over(policy)


def _cap_faults(index: int, cap: Cap, policy: HousePolicy) -> Iterator[Fault]:
    if not (cap.span.months or cap.span.days or cap.span.seconds):
        yield ("caps", index, "within"), "that is no time at all", "write how long: 24h, 7d, 1mo"
    if cap.topic is not None and cap.topic not in policy.topic_names:
        known = ", ".join(policy.topic_names) or "none so far"
        words = f"there is no topic {cap.topic!r}"
        yield ("caps", index, "topic"), words, f"name it under topics, or one of them: {known}"


def _never_over(policy: HousePolicy) -> Iterator[Fault]:
    """Quiet hours that leave no minute of the week."""
    channels = {channel for each in policy.quiet_hours for channel in each.channels or ()}
    for channel in (None, *sorted(channels)):
        kept = [each for each in policy.quiet_hours if _is_kept(each, channel)]
        until = quiet_until([each.quiet(None) for each in kept], _MONDAY, "UTC")
        if until is not None and (until - _MONDAY).days > 300:
            by = f" by {channel}" if channel else ""
            yield ("quiet_hours",), f"they leave no minute{by}", "let them end before they begin"
            return


def _is_kept(hours: QuietHours, channel: str | None) -> bool:
    only_holidays = hours.holidays is not None and not hours.weekdays
    return (not only_holidays and hours.begins != hours.ends) and (
        hours.channels is None or channel in hours.channels
    )
