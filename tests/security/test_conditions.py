"""No condition gets out of its language, or eats the machine."""

from datetime import UTC, datetime
from typing import Any

import pytest

from journey import conditions
from journey.conditions import ConditionError
from tests.scorecard import keep_part
from tests.unit.bomb_limits import outcomes
from tests.unit.journey.condition_bombs import BOMBS

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROOTS = ["run", "now", "customer", "event", "'x'", "1", "[1]", "{'a': 1}", "type(1)"]
ATTRIBUTES = [
    "__class__", "__mro__", "__globals__", "__init__", "__dict__", "__subclasses__()", "__import__('os')", "mro()",
    "format(1)", "keys()", "get('x')", "encode()", "replace('a', 'b')", "constructor", "getClass()",
]  # fmt: skip
ALONE = [
    "__import__('os').system('id')", "open('/etc/passwd')", "eval('1')", "exec('1')", "globals()", "locals()",
    "getattr(run, '__class__')", "os.environ", "env('HOME')", "import os", "lambda: 1", "[x for x in run]", "f'{run}'",
    "run['__class__']", "run[run]", "$run", "#run", "run; run", "run = 1", "`id`", "$(id)", "now()", "random()",
    "http.get('http://127.0.0.1/')", "read('/etc/passwd')", "has(run.__class__)", "dyn(run).__class__", "uuid()",
    "cel.bind(a, 1, a)", "vars()", "'a'.matches('(?P<x>a)(?R)')", "'a'.matches('(a)\\\\1')", "'a'.matches('(?=a)a')",
    "b'\\xff'", "r'\\'", "'\\u0000'", "",
]  # fmt: skip
PAYLOADS = [*(f"{root}.{name}" for root in ROOTS for name in ATTRIBUTES), *ALONE]


def answer(source: str) -> str | None:
    """What a condition shows that it must not, or raises other than it should."""
    names: dict[str, Any] = {"run": {"gate": "B4"}, "customer": {}, "event": {}, "now": NOW}
    try:
        said = str(conditions.json_value(source, names))
    except ConditionError:
        return None
    except (
        Exception
    ) as error:  # what is looked for: it would be a task of a run that fails for ever
        return f"{source} raises {type(error).__name__}: {error}"
    shows = ("<class", "<function", "<built-in", "root:x:0", "uid=", " object at 0x")
    return f"{source} shows {said[:80]}" if any(each in said for each in shows) else None


def test_no_condition_gets_out_of_its_language() -> None:
    found = [wrong for source in PAYLOADS if (wrong := answer(source)) is not None]

    keep_part("R14", {"conditions that would get out": len(PAYLOADS)}, hits=len(found))
    assert found == []


@pytest.mark.faults_full
def test_no_condition_eats_the_machine() -> None:
    """The unit tests name each of these, on every commit: 1 second of CPU and 100 MB."""
    ended = outcomes("tests.unit.journey.condition_bombs")
    found = [f"{name}: {how}" for name, how in ended.items() if how not in ("answered", "refused")]

    keep_part("R14", {"conditions that would eat": len(BOMBS)}, hits=len(found))
    assert found == []
