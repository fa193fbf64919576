"""What worked before is told with its count, smoothed, and never where there are too few."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from journey.worked_before import (
    LEAST,
    PastDecision,
    Worked,
    against_selling,
    automatable,
    did_work,
    worked_before,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def past(
    decision: str = "called",
    *,
    reopened: bool = False,
    of_a_run: bool = False,
    goal: bool | None = None,
    personas: frozenset[str] = frozenset(),
    ago: timedelta = timedelta(days=1),
    answers: tuple[str, ...] = (),
    feelings: tuple[str, ...] = (),
) -> PastDecision:
    return PastDecision(
        decision=decision,
        personas=personas,
        judged_from=NOW - ago,
        reopened=reopened,
        of_a_run=of_a_run,
        goal=goal,
        answers=answers,
        feelings=feelings,
    )


def told(pasts: list[PastDecision], *personas: str) -> list[Worked]:
    return worked_before(pasts, ["called", "gave-coupon"], frozenset(personas), "sales", NOW)


def test_what_speaks_against_a_decision_outweighs_what_speaks_for_it() -> None:
    assert did_work(past(goal=True, of_a_run=True), NOW) is True
    assert did_work(past(goal=True, of_a_run=True, reopened=True), NOW) is False
    assert did_work(past(goal=True, of_a_run=True, answers=("detractor",)), NOW) is False
    assert did_work(past(goal=True, of_a_run=True, feelings=("angry",)), NOW) is False
    assert did_work(past(of_a_run=True, feelings=("glad",)), NOW) is True


def test_silence_speaks_for_a_decision_only_where_no_run_waits_and_its_time_is_over() -> None:
    assert did_work(past(), NOW) is True
    assert did_work(past(ago=timedelta(days=-1)), NOW) is None
    assert did_work(past(of_a_run=True), NOW) is None


def test_customers_like_this_one_come_first_and_the_queue_where_they_are_too_few() -> None:
    alike = [past(personas=frozenset({"commuter"}), reopened=n < 2) for n in range(LEAST)]
    others = [past("gave-coupon", reopened=n < 9) for n in range(LEAST)]

    [called, coupon] = told([*alike, *others], "commuter")

    assert (called.decision, called.worked, called.of) == ("called", 8, 10)
    assert called.among == "customers of sales who are commuter"
    assert called.rate == 9 / 12
    assert (coupon.decision, coupon.worked, coupon.among) == (
        "gave-coupon",
        1,
        "customers of sales",
    )


def test_too_few_say_nothing() -> None:
    assert told([past() for _ in range(LEAST - 1)]) == []


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_rate_is_never_certain_and_more_that_worked_is_never_less(did: int, not_: int) -> None:
    def rate(worked: int, of: int) -> float:
        return Worked(decision="x", worked=worked, of=of, among="").rate

    assert 0 < rate(did, did + not_) < 1
    assert rate(did + 1, did + not_ + 1) > rate(did, did + not_) > rate(did, did + not_ + 1)


@given(
    st.lists(
        st.tuples(st.sampled_from(["called", "gave-coupon", "gone"]), st.booleans()), max_size=60
    )
)
def test_counts_are_those_of_the_decisions_on_offer_the_best_first(
    cases: list[tuple[str, bool]],
) -> None:
    found = told([past(name, reopened=bad) for name, bad in cases])

    assert [each.rate for each in found] == sorted((each.rate for each in found), reverse=True)
    for each in found:
        bads = [bad for name, bad in cases if name == each.decision]
        assert (each.of, each.worked) == (len(bads), bads.count(False))
        assert each.of >= LEAST


def test_a_queue_in_which_one_thing_is_nearly_always_decided_is_named_with_its_figures() -> None:
    same = [past(reopened=n < 3) for n in range(39)]

    found = automatable("sales", [*same, past("gave-coupon")], NOW)

    assert found is not None
    assert (found.decision, found.taken, found.of, found.worked, found.judged) == (
        "called",
        39,
        40,
        36,
        39,
    )
    assert automatable("sales", [*same, *[past("gave-coupon")] * 3], NOW) is None
    assert automatable("sales", same[:29], NOW) is None


def test_nothing_is_sold_to_whom_we_owe_something() -> None:
    def against(**of: int) -> str | None:
        of_all = {"other_cases": 0, "late_promises": 0, "problems": 0, **of}
        return against_selling(feeling=None, **of_all)

    assert against() is None
    for owed in ("other_cases", "late_promises", "problems"):
        assert against(**{owed: 1}) is not None
    upset = against_selling(feeling="upset", other_cases=0, late_promises=0, problems=0)
    assert upset == "they feel upset"
