"""Text for a customer: right, strict, and never a way to eat the machine."""

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.message_text import MessageCannotRenderError
from channels.liquid_text import LiquidText
from tests.unit.bomb_limits import outcomes
from tests.unit.channels.liquid_bombs import BOMBS

NOW = datetime(2013, 2, 8, 17, 2, tzinfo=UTC)
PRAGUE = {"customer": {"zone": "Europe/Prague", "first_name": "Anna"}}
DEPARTS = {"run": {"departs": "2013-02-08T19:05:00Z", "fare": 1234.5}}

liquid = LiquidText()


def said(template: str, values: Mapping[str, object] | None = None, *, html: bool = False) -> str:
    return liquid.render(template, {**PRAGUE, **DEPARTS, **(values or {})}, NOW, html=html)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hello {{ customer.first_name }}", "Hello Anna"),
        ("{{ run.departs | time }}", "20:05"),
        ("{{ run.departs | time: 'America/New_York' }}", "14:05"),
        ("{{ run.departs | date }}", "8 February 2013"),
        ("{{ run.departs | date: '%A %-d.%m.%Y %H:%M' }}", "Friday 8.02.2013 20:05"),
        ("{{ '2013-12-24' | date: '%d %b' }}", "24 Dec"),
        ("{{ 'now' | date: '%H:%M' }}", "18:02"),
        ("{{ now | time }}", "18:02"),
        ("{{ run.fare | money }}", "1,234.50"),
        ("{{ run.fare | money: 'EUR' }}", "€1,234.50"),
        ("{{ run.fare | money: 'CHF' }}", "CHF 1,234.50"),
        ("{{ 980 | money: 'JPY' }}", "¥980"),
        ("{{ -0.001 | money }}", "0.00"),
        ("{{ -5 | money: 'USD' }}", "-$5.00"),
        ("{{ '19.9' | money }}", "19.90"),
        ("{{ customer.nickname | default: 'there' }}", "there"),
        ("{% if customer.vip %}VIP{% else %}all{% endif %}", "all"),
        (
            "{% for i in (1..3) %}{{ i }}{% unless forloop.last %}, {% endunless %}{% endfor %}",
            "1, 2, 3",
        ),
    ],
)
def test_templates_say_what_they_mean(template: str, text: str) -> None:
    assert said(template) == text


def test_a_customer_whose_zone_is_unknown_reads_utc_and_is_told_so() -> None:
    assert liquid.render("{{ run.departs | time }}", DEPARTS, NOW) == "19:05 UTC"


def test_values_are_escaped_in_markup_and_not_in_text() -> None:
    values = {"name": "<b>Anna</b>"}

    assert said("{{ name }}", values, html=True) == "&lt;b&gt;Anna&lt;/b&gt;"
    assert said("{{ name }}", values) == "<b>Anna</b>"


def test_nothing_can_switch_escaping_off() -> None:
    with pytest.raises(MessageCannotRenderError, match="safe"):
        said("{{ name | safe }}", {"name": "<script>"}, html=True)


@pytest.mark.parametrize(
    ("template", "line", "column", "words"),
    [
        ("Hello\n  {{ run.gate }}", 2, 6, "run.gate is undefined"),
        ("{{ nobody | upcase }}", 1, 4, "'nobody' is undefined"),
        ("{{ run.fare | shout }}", 1, 15, "unknown filter 'shout'"),
        ("a\n\n{% if x y %}{% endif %}", 3, 9, "expected end of expression"),
        ("{{ run.departs | date: '%999999999d' }}", 1, 18, "%9 is not known"),
        ("{{ 'soon' | time }}", 1, 13, "not a moment"),
        ("{{ '2013-02-08T19:05:00' | time }}", 1, 28, "with a zone"),
        ("{{ run.departs | time: 'Mars/Base' }}", 1, 18, "not an IANA time zone"),
        ("{{ run | money }}", 1, 10, "not a number"),
        ("{{ nobody | money }}", 1, 4, "'nobody' is undefined"),
        ("{{ nobody | time }}", 1, 4, "'nobody' is undefined"),
        ("{% include 'other' %}", 1, 4, "include"),
        ("{% if run.fare %}{% endif %}\n Hi {{ run.fare | }}\n{{ now }}", 2, 5, "expected word"),
        ("{% if now %}a{% endif %}\n{% if now %}\nb {{ now }}", 2, 1, "expected tag endif"),
        ("a\n{% for x in %}{% endfor %}", 2, 1, "expected a primitive"),
    ],
)
def test_an_error_names_line_column_and_variable(
    template: str, line: int, column: int, words: str
) -> None:
    with pytest.raises(MessageCannotRenderError) as caught:
        said(template)

    assert (caught.value.line, caught.value.column) == (line, column)
    assert words in caught.value.problem
    assert caught.value.remedy


def test_the_variables_of_a_template_are_known_before_it_is_used() -> None:
    template = (
        "{{ run.departs | time }}{% for bag in run.bags %}{{ bag.tag }}{% endfor %}"
        "{{ now }}{{ a[b] }}"
    )

    assert liquid.variables(template) == {"run.departs", "run.bags", "a", "b"}


@pytest.fixture(scope="module")
def ended() -> dict[str, str]:
    """How each bomb ended, in a process of its own that is ended at 1 second of CPU and 100 MB."""
    return outcomes("tests.unit.channels.liquid_bombs")


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_stopped_before_it_hurts(name: str, ended: dict[str, str]) -> None:
    assert ended[name] == "refused"


fragments = st.lists(
    st.sampled_from(
        ["{{", "}}", "{%", "%}", " for ", " in ", " if ", "endif", "endfor", "assign ", "(1..9)",
         "run", ".", "fare", " | ", "money", "time", "date", "split: ''", "join", "[", "]",
         "'now'", "contains ", "x", "\n", ":", "=", "0"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(fragments)
def test_any_template_renders_or_is_refused_in_words(template: str) -> None:
    with contextlib.suppress(MessageCannotRenderError):
        said(template)
