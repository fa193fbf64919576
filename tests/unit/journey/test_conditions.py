"""Conditions end in a value or in an error that says why, and an error is never taken for yes."""

import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey import conditions
from journey.conditions import ConditionError, evaluate

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NAMES: dict[str, Any] = {
    "now": NOW,
    "event": {
        "name": "Paid",
        "timestamp": "2026-03-02T11:00:00Z",
        "properties": {"total": 20.5, "count": 3, "who": "Anna", "tags": ["a", "b"], "gone": None},
        "context": {"subject": {"kind": "flight", "id": "F1"}},
    },
    "customer": {"id": "anna", "zone": "Europe/Prague", "vip": True, "tier": "gold", "age": 30},
    "run": {
        "n": 2,
        "legs": [{"f": "F1", "ok": True}, {"f": "F2", "ok": False}],
        "key": None,
        "deep": {"a": {"b": 1}},
    },
}
DECLARED = frozenset({"event", "customer", "run", "help"})

PAIRS: list[tuple[str, Any]] = [
    ("true", True),
    ("!false", True),
    ("1 + 2 * 3", 7),
    ("7 / 2", 3),
    ("7.0 / 2.0", 3.5),
    ("7 % 2", 1),
    ("-7 / 2", -3),
    ("'a' + 'b'", "ab"),
    ("[1] + [2]", [1, 2]),
    ("1 == 1.0", ConditionError),
    ("1 == '1'", ConditionError),
    ("dyn(1) == '1'", False),
    ("null == null", True),
    ("run.n == 2", True),
    ("run.n == 2.0", True),
    ("run.n > 1.5", True),
    ("double(run.n) > 1.5", True),
    ("event.properties.total >= 20.0", True),
    ("event.properties.total >= 20", True),
    ("event.properties.count > 2 && event.properties.total < 100.0", True),
    ("event.properties.who == 'Anna'", True),
    ("event.properties.who.startsWith('An')", True),
    ("event.properties.who.endsWith('na')", True),
    ("event.properties.who.contains('nn')", True),
    ("event.properties.who.matches('^A.*a$')", True),
    ("size(event.properties.who)", 4),
    ("event.properties.gone == null", True),
    ("event.properties.missing == null", ConditionError),
    ("has(event.properties.missing)", False),
    ("has(event.properties.who)", True),
    ("has(event.properties.gone)", True),
    ("!has(event.properties.missing) || event.properties.missing > 1", True),
    ("has(run.deep.a.b) && run.deep.a.b == 1", True),
    ("has(run.nothing.at.all)", ConditionError),
    ("'who' in event.properties", True),
    ("'a' in event.properties.tags", True),
    ("'z' in event.properties.tags", False),
    ("customer.tier in ['gold', 'silver']", True),
    ("customer.vip", True),
    ("customer.vip ? 'yes' : 'no'", "yes"),
    ("customer['tier']", "gold"),
    ("run.legs[0].f", "F1"),
    ("run.legs[2].f", ConditionError),
    ("run.legs[-1].f", ConditionError),
    ("run.legs[size(run.legs) - 1].f", "F2"),
    ("run.legs.all(l, l.ok)", False),
    ("run.legs.exists(l, l.ok)", True),
    ("run.legs.exists_one(l, l.ok)", True),
    ("run.legs.map(l, l.f)", ["F1", "F2"]),
    ("run.legs.filter(l, l.ok)", [{"f": "F1", "ok": True}]),
    (
        "run.legs.map(l, {'f': l.f, 'late': !l.ok})",
        [{"f": "F1", "late": False}, {"f": "F2", "late": True}],
    ),
    ("size(run.legs.filter(l, l.f == event.context.subject.id)) == 1", True),
    ("run.key == null", True),
    ("run.key + 1", ConditionError),
    ("help.decision == 'yes'", ConditionError),
    ("has(help.decision)", ConditionError),
    ("false && run.nothing", False),
    ("true || run.nothing", True),
    ("run.nothing || true", True),
    ("run.nothing && false", False),
    ("run.nothing || false", ConditionError),
    ("timestamp(event.timestamp) < now", True),
    ("now - timestamp(event.timestamp) == duration('1h')", True),
    ("now - timestamp(event.timestamp) > duration('90m')", False),
    ("timestamp(event.timestamp) + duration('2h') > now", True),
    ("now.getHours('Europe/Prague')", 13),
    ("now.getDayOfWeek()", 1),
    ("now.getFullYear()", 2026),
    ("timestamp('yesterday')", ConditionError),
    ("duration('1 hour')", ConditionError),
    ("int('12')", 12),
    ("int('twelve')", ConditionError),
    ("double('1.5')", 1.5),
    ("string(12)", "12"),
    ("1 / 0", ConditionError),
    ("1 % 0", ConditionError),
    ("9223372036854775807 + 1", ConditionError),
    ("1.0 / 0.0", ConditionError),
    ("{'a': 1, 'b': [true, null]}", {"a": 1, "b": [True, None]}),
    ("type(1)", ConditionError),
    ("b'bytes'", ConditionError),
    ("now", "2026-03-02T12:00:00+00:00"),
    ("[now]", ["2026-03-02T12:00:00+00:00"]),
    ("duration('90s')", 90.0),
    ("nobody", ConditionError),
    ("run.", ConditionError),
    ("", ConditionError),
    ("1 +", ConditionError),
    ("run.n = 2", ConditionError),
    ("__import__('os')", ConditionError),
    ("event.properties.who.upper()", ConditionError),
]


@pytest.mark.parametrize(
    ("source", "value"), PAIRS, ids=[source or "nothing" for source, _ in PAIRS]
)
def test_an_expression_has_one_meaning(source: str, value: Any) -> None:
    if value is ConditionError:
        with pytest.raises(ConditionError):
            conditions.json_value(source, NAMES, DECLARED)
        return
    told = conditions.json_value(source, NAMES, DECLARED)

    assert told == value
    assert type(told) is type(value)


NO_TRUTH = [
    "'yes'",
    "1",
    "0.1",
    "[true]",
    "{'a': true}",
    "now",
    "null",
    "run.key",
    "event.properties.missing",
]


@pytest.mark.parametrize("source", NO_TRUTH)
def test_what_is_not_true_or_false_never_holds(source: str) -> None:
    with pytest.raises(ConditionError):
        conditions.holds(source, NAMES, DECLARED)


@pytest.mark.parametrize(
    ("source", "at"),
    [
        ("event.timestamp", datetime(2026, 3, 2, 11, tzinfo=UTC)),
        ("now", NOW),
        ("timestamp(event.timestamp)", datetime(2026, 3, 2, 11, tzinfo=UTC)),
        ("'2026-03-02T13:00:00+02:00'", datetime(2026, 3, 2, 11, tzinfo=UTC)),
        ("'2026-03-02T11:00:00'", None),
        ("'2026-03-02'", None),
        ("'soon'", None),
        ("7", None),
        ("run.key", None),
        ("'0001-01-01T00:00:00+14:00'", None),
        ("'9999-12-31T23:00:00-10:00'", None),
    ],
)
def test_an_instant_has_a_zone_and_lies_within_the_calendar(
    source: str, at: datetime | None
) -> None:
    if at is None:
        with pytest.raises(ConditionError):
            conditions.instant(source, NAMES, DECLARED)
    else:
        assert conditions.instant(source, NAMES, DECLARED) == at


def test_an_error_says_what_to_write() -> None:
    with pytest.raises(ConditionError, match="CEL does not mix 20 and"):
        conditions.compiled("size([1]) > 1.0", frozenset())


@pytest.mark.parametrize(
    "value",
    [
        2**70,
        -(2**63) - 1,
        float("nan"),
        float("inf"),
        "\ud800",
        b"bytes",
        "x" * 200_000,
        {"a": object()},
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_cannot_be_a_value_is_an_error_and_no_crash(value: Any) -> None:
    with pytest.raises(ConditionError):
        conditions.json_value("[run.x, run.x]", {"run": {"x": value}})


def test_what_is_nested_without_end_is_an_error_and_no_crash() -> None:
    deep: list[Any] = []
    for _ in range(1_500):
        deep = [deep]

    with pytest.raises(ConditionError):
        conditions.json_value("run.x", {"run": {"x": deep}})


@pytest.mark.parametrize(
    ("source", "roots", "paths"),
    [
        ("run.a.b + event.c", {"run", "event"}, {("run", "a", "b"), ("event", "c")}),
        ("run.legs.map(l, l.f)", {"run"}, {("run", "legs")}),
        ("run.legs.exists(l, l.f == leg.f)", {"run", "leg"}, {("run", "legs"), ("leg", "f")}),
        ("customer['tier']", {"customer"}, {("customer",)}),
        ("has(customer.tier)", {"customer"}, {("customer", "tier")}),
        ("{'run': leg.f}", {"leg"}, {("leg", "f")}),
        ("'run.a'", set(), set()),
        ("now > timestamp(run.a)", {"now", "run"}, {("now",), ("run", "a")}),
    ],
)
def test_what_an_expression_names_is_known(
    source: str, roots: set[str], paths: set[tuple[str, ...]]
) -> None:
    read = conditions.compiled(source, frozenset({"run", "event", "customer", "leg"}))

    assert read.roots == roots
    assert read.paths == paths


MAPS = {"run": {"m": {"b": 1, "a": 2}, "legs": [{"bags": {"x": 1}}], "list": [1, 2]}, "event": {}}


@pytest.mark.parametrize(
    "source",
    [
        "run.m.map(k, k)",
        "run.m.filter(k, k != 'a')",
        "run.legs.map(l, l.bags.map(b, b))",
        "run.legs[0].bags.map(b, b)",
        "run.legs.filter(l, true).map(l, l.bags.map(b, b))",
        "(true ? run.m : run.m).map(k, k)",
        "{'a': 1, 'b': 2}.map(k, k)",
        "dyn(run.m).map(k, k)",
    ],
)
def test_what_has_no_order_is_not_gone_through(source: str) -> None:
    with pytest.raises(ConditionError, match=r"no order|a list that has a name"):
        conditions.json_value(source, MAPS)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("run.m.exists(k, k == 'a')", True),
        ("run.m.all(k, run.m[k] > 0)", True),
        ("run.list.map(n, n + 1).map(n, n * 2)", [4, 6]),
        ("(run.list + [3]).map(n, n)", [1, 2, 3]),
        ("run.legs.map(l, run.list.map(n, n))", [[1, 2]]),
        ("[1, 2].map(a, [a].map(b, b * a))", [[1], [4]]),
        ("run.legs[0].missing == null || true", True),
    ],
)
def test_what_has_an_order_is_gone_through_in_it(source: str, value: Any) -> None:
    assert conditions.json_value(source, MAPS) == value


def test_a_map_is_told_in_the_same_order_in_every_process() -> None:
    wide = {f"k{number}": number for number in range(40)}

    told: Any = conditions.json_value("run", {"run": wide})

    assert list(told) == sorted(wide)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("x"), inner),
    max_leaves=4,
)


@given(VALUES)
def test_a_path_alone_is_worth_what_the_engine_says(value: Any) -> None:
    names = {"run": {"x": value}}
    for path in ("run.x", "run.x.x", "run.y"):
        assert repr(said(path, names)) == repr(said(f"({path})", names))


def said(source: str, names: dict[str, Any]) -> object:
    try:
        return evaluate(source, names)
    except ConditionError as error:
        return str(error).partition(": ")[2]


def test_a_worker_lives_through_any_number_of_nulls() -> None:
    """Each one that the engine gave away cost the process a reference to None, and at last its life."""
    before = sys.getrefcount(None)
    for _ in range(5_000):
        assert evaluate("event.properties.gone", NAMES) is None
        assert evaluate("[null, {'a': null}]", NAMES) == [None, {"a": None}]
    assert sys.getrefcount(None) > before - 1_000
