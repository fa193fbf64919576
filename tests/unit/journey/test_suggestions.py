"""What to say to a customer here: what may be said, the best first, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from journey.suggestions import Allowed, Candidate, Counted, ranked

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANYTHING = Allowed()


def candidate(suggestion: str = "1:1", **of: Any) -> Candidate:
    told: dict[str, Any] = {
        "kind": "show",
        "key": f"care/{suggestion}",
        "say": "",
        "because": "",
        **of,
    }
    return Candidate(suggestion=suggestion, **told)


def why_not(one: Candidate, allowed: Allowed = ANYTHING) -> str:
    said, kept_back = ranked([one], allowed, NOON)
    assert said == []
    return kept_back[0].reason


counts = st.builds(
    Counted,
    shown=st.integers(0, 10_000),
    taken=st.integers(0, 10_000),
    refused=st.integers(0, 10_000),
)
candidates = st.builds(
    lambda n, priority, counted, told, hours: candidate(
        f"1:{n}",
        priority=priority,
        counted=counted,
        told=told,
        until=NOON + timedelta(hours=hours),
    ),
    st.integers(1, 1_000),
    st.integers(1, 100),
    counts,
    st.sampled_from([None, "taken", "refused"]),
    st.integers(-5, 5),
)


@given(st.lists(candidates))
def test_everything_is_either_said_or_has_its_reason(several: list[Candidate]) -> None:
    said, kept_back = ranked(several, ANYTHING, NOON)

    assert len(said) + len(kept_back) == len(several)
    assert all(each.reason for each in kept_back)
    assert all(each.candidate.told != "taken" for each in said)
    scores = [each.score for each in said]
    assert scores == sorted(scores, reverse=True)
    assert ranked(list(reversed(several)), ANYTHING, NOON)[0] == said or len(
        {each.candidate.suggestion for each in said}
    ) < len(said)


@given(st.integers(1, 100), counts)
def test_what_worked_moves_a_suggestion_by_half_its_priority_at_most(
    priority: int, counted: Counted
) -> None:
    [one], _ = ranked([candidate(priority=priority, counted=counted)], ANYTHING, NOON)
    assert 0.5 * priority - 0.01 <= one.score <= 1.5 * priority + 0.01


def test_what_nobody_answered_keeps_its_priority_however_often_it_was_shown() -> None:
    [one], _ = ranked([candidate(priority=40, counted=Counted(shown=5_000))], ANYTHING, NOON)
    assert one.score == 40


def test_a_single_yes_does_not_beat_many() -> None:
    once = candidate("1:1", counted=Counted(taken=1))
    often = candidate("1:2", counted=Counted(taken=80, refused=20))
    said, _ = ranked([once, often], ANYTHING, NOON)
    assert [each.candidate.suggestion for each in said] == ["1:2", "1:1"]


def test_what_is_over_held_out_or_refused_is_not_said() -> None:
    assert "its time is over" in why_not(candidate(until=NOON))
    assert "hold-out" in why_not(candidate(held_out=True))
    assert "not again before 2026-03-03 12:00" in why_not(
        candidate(told="refused", again_at=NOON + timedelta(days=1))
    )
    later, _ = ranked([candidate(told="refused", again_at=NOON)], ANYTHING, NOON)
    assert "long enough ago" in later[0].reasons[-1]


def test_only_offers_need_that_marketing_is_wanted() -> None:
    unwanted = Allowed(unsubscribed=True)
    assert why_not(candidate(kind="coupon"), unwanted) == "the customer wants no marketing"
    said, _ = ranked([candidate(kind="show"), candidate("p", kind="problem")], unwanted, NOON)
    assert len(said) == 2
    paused = Allowed(paused_until=NOON + timedelta(days=1))
    assert "before 2026-03-03" in why_not(candidate(kind="coupon"), paused)
    held = Allowed(held_by="complaint")
    assert "complaint holds marketing back" in why_not(candidate(kind="coupon"), held)
