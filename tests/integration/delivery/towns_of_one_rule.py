"""Towns in which one rule alone decides, and decides about nearly every message."""

from datetime import time, timedelta
from typing import Any

from hypothesis import strategies as st

from journey.house_policy import Cap, Consent, HousePolicy
from journey.preferences import Preferences
from tests.integration.delivery.any_town import (
    BEGAN,
    WAYS,
    ZONES,
    Message,
    Person,
    Town,
    clocks,
    needs,
    quiet_hours,
    said,
)

OPEN = Consent(marketing=dict.fromkeys(WAYS, "none_needed"))
"""Nobody has to agree to anything."""

_zones = st.sampled_from([None, *ZONES])
_whenever = st.integers(0, 5 * 24 * 60)


def _people(**other: Any) -> st.SearchStrategy[list[Person]]:
    """Three whom everything may reach, but for what is given."""
    given = {
        "zone": _zones,
        "ways": st.just(frozenset(WAYS)),
        "said": st.just(()),
        "withheld": st.just(False),
        "suppressed": st.just(frozenset[str]()),
        "preferences": st.just(Preferences()),
    }
    return st.lists(st.builds(Person, **given | other), min_size=3, max_size=3)


def _messages(count: int, after: st.SearchStrategy[int], **other: Any) -> Any:
    """So many marketing messages, so many minutes after everything began, but for what is given."""
    given = {
        "person": st.integers(0, 2),
        "journey": st.sampled_from(["j1", "j2"]),
        "marketing": st.just(True),
        "via": st.sampled_from([("email",), ("sms",), ("sms", "email")]),
        "priority": st.sampled_from([None, 10, 90]),
        "topic": st.sampled_from([None, "news", "offers"]),
        "after": after.map(lambda minutes: timedelta(minutes=minutes)),
        "good_for": st.just(None),
    }
    return st.lists(st.builds(Message, **given | other), min_size=count, max_size=count)


def _policy(**rules: Any) -> st.SearchStrategy[HousePolicy]:
    given = {"consent": st.just(OPEN), "zone": st.sampled_from(ZONES)}
    return st.builds(HousePolicy, topics=st.just(["news", "offers"]), **given | rules)


_by_house = st.builds(
    Town,
    policy=_policy(quiet_hours=st.lists(quiet_hours(), min_size=1, max_size=2)),
    people=_people(),
    messages=_messages(20, _whenever),
)


@st.composite
def _own_hours(draw: st.DrawFn) -> Preferences:
    begins, ends = draw(
        st.lists(clocks.map(time.fromisoformat), min_size=2, max_size=2, unique=True)
    )
    return Preferences(quiet_from=begins, quiet_to=ends)


_by_themselves = st.builds(
    Town,
    policy=_policy(),
    people=_people(preferences=_own_hours()),
    messages=_messages(20, _whenever),
)
_paused = st.builds(
    Town,
    policy=_policy(),
    people=_people(
        preferences=st.integers(1, 90).map(
            lambda hours: Preferences(paused_until=BEGAN + timedelta(hours=hours))
        )
    ),
    messages=_messages(20, _whenever),
)
_agreed = st.builds(
    Town,
    policy=_policy(consent=st.builds(Consent, marketing=needs, service=needs)),
    people=_people(
        said=said,
        withheld=st.sampled_from([False, False, True]),
        preferences=st.builds(
            Preferences,
            channels_off=st.sampled_from([frozenset[str](), frozenset({"sms"})]),
            topics_off=st.sampled_from([frozenset[str](), frozenset({"offers"})]),
        ),
    ),
    messages=_messages(20, st.just(0), marketing=st.booleans()),
)

_one_cap = st.builds(Cap, at_most=st.integers(1, 3), within=st.sampled_from(["24h", "36h"]))

_many_at_once = st.builds(
    Town,
    policy=_policy(caps=st.lists(_one_cap, min_size=1, max_size=1)),
    people=_people(),
    messages=_messages(
        24,
        st.sampled_from([0, 0, 0, 700]),
        person=st.just(0),
        good_for=st.just(timedelta(minutes=30)),
    ),
)


@st.composite
def _in_line(draw: st.DrawFn) -> Town:
    """All places are taken at once; who asks later waits for one, of whatever priority."""
    alike: dict[str, Any] = {
        "person": st.just(0),
        "journey": st.just("j1"),
        "via": st.just(("email",)),
        "topic": st.none(),
    }
    cap = draw(_one_cap)
    first = draw(_messages(cap.at_most, st.just(0), **alike))
    times = draw(st.lists(st.integers(1, 900), min_size=5, max_size=5, unique=True))
    priorities = st.sampled_from([10, 50, 90])
    rest = [
        draw(_messages(1, st.just(minute), priority=priorities, **alike))[0] for minute in times
    ]
    policy = draw(_policy(caps=st.just([cap])))
    return Town(policy=policy, people=draw(_people()), messages=[*first, *rest], alike=True)


TOWNS: dict[str, st.SearchStrategy[Town]] = {
    "nobody against their word": _agreed,
    "nobody in the quiet hours of the house": _by_house,
    "nobody in quiet hours of their own": _by_themselves,
    "nobody in their pause": _paused,
    "nobody more than a cap lets, of sixteen at once": _many_at_once,
    "the last place to whoever is ahead": _in_line(),
}
