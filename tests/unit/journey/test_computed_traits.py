"""Traits computed from touchpoints: what each is, also of two customers together and as time goes by."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.computed_rules import ComputedTrait, State, changes_at, take_in, together, value_of
from journey.touchpoint import Touchpoint

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

RULES: dict[str, ComputedTrait] = {
    "count": ComputedTrait(count="Bought"),
    "sum": ComputedTrait(sum="Bought", of="v"),
    "first_time": ComputedTrait(first_time="Bought"),
    "last_time": ComputedTrait(last_time="Bought"),
    "last_value": ComputedTrait(last_value="Bought", of="v"),
    "distinct": ComputedTrait(distinct="Bought", of="v"),
    "most_frequent": ComputedTrait(most_frequent="Bought", of="v"),
}


def bought(hours: int, value: Any) -> Touchpoint:
    at = NOON - timedelta(hours=hours)
    return Touchpoint(message_id=f"{hours}", event="Bought", timestamp=at, properties={"v": value})


def after(rule: ComputedTrait, *came: Touchpoint) -> State:
    state: State = {}
    for each in came:
        state = take_in(rule, state, each)
    return state


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("count", 4),
        ("sum", 8),
        ("first_time", "2026-11-22T03:00:00Z"),
        ("last_time", "2026-11-22T11:00:00Z"),
        ("last_value", 2),
        ("distinct", 2),
        ("most_frequent", "2"),
    ],
)
def test_what_each_kind_says_whatever_the_order_they_come_in(sort: str, value: Any) -> None:
    rule = RULES[sort]
    came = [bought(9, 2), bought(1, 2), bought(5, 2), bought(3, 2 if sort == "sum" else 7)]

    assert value_of(rule, after(rule, *came), NOON, "UTC") == value


def test_what_has_no_such_property_does_not_count() -> None:
    rule = RULES["sum"]

    state = after(rule, bought(1, 5), bought(2, "5"), bought(3, None), bought(4, True))

    assert value_of(rule, state, NOON, "UTC") == 5


def test_a_span_forgets_as_time_goes_by() -> None:
    rule = ComputedTrait(count="Bought", within="6h")
    state = after(rule, bought(7, 1), bought(5, 1), bought(1, 1))

    assert value_of(rule, state, NOON, "UTC") == 2
    due = changes_at(rule, state, NOON, "UTC")
    assert due is not None
    assert due == NOON + timedelta(hours=1)
    assert value_of(rule, state, due, "UTC") == 1
    assert changes_at(rule, state, NOON + timedelta(days=1), "UTC") is None


@given(
    st.sampled_from([*RULES, "within"]),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3), st.booleans()), max_size=20),
)
def test_two_customers_together_are_as_one_who_did_it_all(
    sort: str, did: list[tuple[int, int, bool]]
) -> None:
    rule = RULES.get(sort, ComputedTrait(sum="Bought", of="v", within="30h"))
    # Of the same instant no value is the later one.
    once = {hours: (hours, value, mine) for hours, value, mine in did}.values()
    mine = after(rule, *(bought(hours, value) for hours, value, own in once if own))
    yours = after(rule, *(bought(hours, value) for hours, value, own in once if not own))
    whole = after(rule, *(bought(hours, value) for hours, value, _ in once))

    told = value_of(rule, together(rule, mine, yours), NOON, "UTC")

    assert told == value_of(rule, whole, NOON, "UTC")
