"""No condition eats the machine, whoever wrote it and whatever is in the touchpoint it looks at."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey import conditions
from journey.conditions import ConditionError
from journey.pattern_size import states
from tests.unit.bomb_limits import outcomes
from tests.unit.journey.condition_bombs import BOMBS

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def ended() -> dict[str, str]:
    """How each bomb ended, in a process of its own that is ended at 1 second of CPU and 100 MB."""
    return outcomes("tests.unit.journey.condition_bombs")


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_answered_or_refused_before_it_hurts(name: str, ended: dict[str, str]) -> None:
    assert ended[name] in ("answered", "refused")


LEGS = [{"flight": f"F{n}", "bags": [{"tag": f"T{n}{m}"} for m in range(8)]} for n in range(50)]
VALUES: dict[str, Any] = {
    "legs": LEGS,
    "log": ["seen"] * 5_000,
    "tags": [f"vip-{n:04}" for n in range(200)],
    "letter": "Please refund me. " * 4_000,
    "n": 7,
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("run.legs.exists(l, l.flight == 'F7')", True),
        ("run.legs.exists(l, l.bags.exists(b, b.tag == 'T77'))", True),
        ("size(run.legs.filter(l, size(l.bags.filter(b, b.tag != 'T00')) == 8))", 49),
        ("size(run.legs.map(l, l.bags.map(b, b.tag)))", 50),
        ("run.log.all(seen, seen == 'seen')", True),
        ("size(run.log) > 4000 && size(run.legs.map(l, l.flight)) == 50", True),
        ("run.tags.exists(t, t.matches('^vip-0{3}7$'))", True),
        ("run.tags.exists(t, t.contains('0199'))", True),
        ("run.letter.contains('refund')", True),
        ("run.letter.matches('(?i)refund')", True),
        ("run.letter.matches('[A-Z][a-z]+ refund (me|us)[.]')", True),
        ("size(run.letter + run.letter) > 100000", True),
    ],
)
def test_what_an_honest_author_asks_of_honest_data_is_answered(source: str, value: Any) -> None:
    assert conditions.json_value(source, {"run": VALUES, "now": NOW}) == value


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("run.x.map(a, a)", "keep shorter lists and texts"),
        ("run.text.matches(run.pattern)", "a pattern that is written out"),
        ("run.text.matches('a{1000}{9}')", "repeat less"),
        ("run.text.matches('[')", "missing ]"),
    ],
)
def test_what_is_refused_says_what_to_do(source: str, words: str) -> None:
    with pytest.raises(ConditionError) as caught:
        conditions.json_value(source, {"run": {"x": [0] * 5_000}, "now": NOW})

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "size"),
    [
        ("", 0),
        ("abc", 3),
        ("a|b", 3),
        ("a.{100}c", 202),
        ("[A-Z]{2}\\d{4}", 12),
        ("((a{0,30}){0,30})b", 932),
        ("(?P<name>a{10}){10}", 110),
        ("(?:ab){3,}", 9),
        ("\\pL{10}", 2_000),
        ("(?i)[^k]{10}", 101),
        ("[]a]{3}", 6),
        ("\\{3}", 4),
        ("x{99999}", 99_999),
    ],
)
def test_a_pattern_is_as_large_as_it_is_written_out(pattern: str, size: int) -> None:
    assert states(pattern) == size


LEAVES = st.sampled_from(
    ["run.list", "run.text", "run.map", "run.n", "[1, 2]", "'a'", "1", "true", "a", "b", "now"]
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("{}.map(a, {})".format, inner, inner),
        st.builds("{}.filter(b, {})".format, inner, inner),
        st.builds("{}.exists(a, {})".format, inner, inner),
        st.builds("({} + {})".format, inner, inner),
        st.builds("({} == {})".format, inner, inner),
        st.builds("{}.contains({})".format, inner, inner),
        st.builds("{}.matches('a{{1,9}}')".format, inner),
        st.builds("size({})".format, inner),
        st.builds("[{}, {}]".format, inner, inner),
    ),
    max_leaves=12,
)


@given(EXPRESSIONS)
def test_any_expression_is_answered_or_refused_in_words(source: str) -> None:
    names = {"run": {"list": list(range(500)), "text": "a" * 5_000, "map": {"a": 1}, "n": 1}}

    told = None
    with contextlib.suppress(ConditionError):
        told = conditions.json_value(source, {**names, "now": NOW})

    assert len(str(told)) < 10_000_000
