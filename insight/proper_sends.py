"""Whether what left was allowed to: consent, quiet hours and caps, by the clock and by counting.

Told anew and in another way than `journey.delivery_policy` decides it, so that the one can be held against the other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.evidence import Said, SeenDelivery
from journey.house_policy import Cap, HousePolicy

CERTAIN = timedelta(minutes=1)
"""A clock of another process may be so far ahead: nearer to a border nobody can tell on which side it lay."""


def improper_sends(
    deliveries: Iterable[SeenDelivery],
    policy: HousePolicy,
    said: Sequence[Said],
    *,
    since: datetime,
    joined: Mapping[str, datetime],
) -> Iterator[str]:
    """What left since then and should not have: `since` this policy and all that was said are known.

    `joined`: customers whom others became, and when: what left before was each one's own.
    """
    words = defaultdict[str, list[Said]](list)
    for each in said:
        words[each.customer].append(each)
    of_customer = defaultdict[str, list[SeenDelivery]](list)
    for each in deliveries:
        if each.left_at is not None and each.customer:
            of_customer[each.customer].append(each)
    for customer, left in of_customer.items():
        begins = max(since, joined.get(customer, since))
        marketing = [e for e in left if e.purpose == "marketing" and _at(e) > begins]
        for each in marketing:
            if _refused(each, words[customer], policy):
                yield f"{each.key}: the customer did not agree to {each.purpose} by {each.channel}"
            if _quiet(each, policy):
                yield f"{each.key}: left in quiet hours, at {_local(each):%Y-%m-%d %H:%M} of theirs"
        yield from _too_many(left, policy.caps, begins)


def _at(delivery: SeenDelivery) -> datetime:
    assert delivery.left_at is not None
    return delivery.left_at


def _local(delivery: SeenDelivery) -> datetime:
    return _at(delivery).astimezone(ZoneInfo(delivery.zone or "UTC"))


def _refused(delivery: SeenDelivery, said: Sequence[Said], policy: HousePolicy) -> bool:
    """Whether the last word before it left was a no; for a channel that needs a yes, whether there was none."""
    at, channel = _at(delivery), delivery.channel or ""
    told = [
        each
        for each in sorted(said, key=lambda each: each.at)
        if each.purpose == delivery.purpose and each.at < at and each.channel in (channel, "")
    ]
    if any(abs(each.at - at) < CERTAIN for each in said):
        return False
    own = [each for each in told if each.channel == channel] or told
    if own:
        return not own[-1].yes
    return policy.consent.needs("marketing", channel) == "opt_in"


def _quiet(delivery: SeenDelivery, policy: HousePolicy) -> bool:
    """Whether it left in hours that are quiet on every day, by the minute that the customer's clock showed."""
    local = _local(delivery)
    minute = 60 * local.hour + local.minute
    for hours in policy.quiet_hours:
        if hours.by_day or (hours.channels and delivery.channel not in hours.channels):
            continue
        begins, ends = _minute(hours.begins), _minute(hours.ends)
        inside = begins <= minute < ends if begins < ends else minute >= begins or minute < ends
        near = min((minute - begins) % 1440, (ends - minute) % 1440)
        if inside and near >= CERTAIN.total_seconds() / 60:
            return True
    return False


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return 60 * int(hour) + int(minute)


def _too_many(left: Sequence[SeenDelivery], caps: Sequence[Cap], since: datetime) -> Iterator[str]:
    """Marketing with which more were counted than a cap allows, in the stretch that ended when it left."""
    ordered = sorted(left, key=_at)
    for cap in caps:
        counted = [each for each in ordered if _counts(cap, each)]
        for place, each in enumerate(counted):
            zone = each.zone or "UTC"
            within = [
                other
                for other in counted[: place + 1]
                if cap.span.after(_at(other), zone) > _at(each) + CERTAIN
            ]
            judged = each.purpose == "marketing" and _at(each) > since
            if judged and len(within) > cap.at_most:
                yield f"{each.key}: number {len(within)} of {cap.in_words}"


def _counts(cap: Cap, each: SeenDelivery) -> bool:
    return cap.counts(
        purpose=each.purpose, channel=each.channel, topic=each.topic, journey=each.journey
    )
