"""Conditions that would eat the machine; as a program it sets off each in a process of its own."""

import re
from datetime import UTC, datetime
from typing import Any

from journey import conditions
from tests.unit.bomb_limits import set_off

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TEN = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"
FAR = "timestamp('9999-12-31T23:59:59Z')"

VALUES: dict[str, Any] = {
    "many": [0] * 10_000,
    "most": [0] * 9_900,  # as many as the engine goes through
    "fewer": [0] * 4_400,
    "half": [0] * 2_000,
    "some": [0] * 1_000,
    "few": [0] * 90,
    "rows": [{"id": n, "tags": ["a", "b"]} for n in range(2_000)],
    "map": {f"k{n}": n for n in range(10_000)},
    "keys": {f"{n}" * 500: n for n in range(90)},
    "text": "a" * 1_000_000,
    "page": "a" * 100_000,
    "words": ["a" * 1_000] * 1_000,
    "lines": ["a" * 10_000] * 90,
    "needle": "a" * 50_000 + "b",
    "noise": "".join("ab"[n * n % 7 % 2] for n in range(100_000)),
    "square": [[0] * 100 for _ in range(100)],
    "tall": [[0] * 10_000, [0]],
    "huge": [0] * 250_000,
}
"""Each bomb is given those of these that it names."""

BOMBS = {
    # Nested deep, or long.
    "brackets": "(" * 450 + "1" + ")" * 450,
    "lists in lists": "[" * 450 + "]" * 450,
    "maps in maps": "{'a':" * 140 + "1" + "}" * 140,
    "not not not": "!" * 950 + "true",
    "minus minus minus": "-" * 950 + "1",
    "choices in choices": "true ? " * 120 + "1" + " : 1" * 120,
    "a sum": "+".join("1" * 480),
    "a sum of twenty thousand": "+".join("1" * 20_000),
    "a product": "*".join("9" * 480),
    "a chain of and": "&&".join(["true"] * 160),
    "a chain of or": "||".join(["false"] * 140),
    "a path without end": "run" + ".a" * 480,
    "indexes": "run.square" + "[0]" * 320,
    "calls in calls": "size(" * 190 + "run" + ")" * 190,
    "too long": "x" * 1_000_000,
    # Loops.
    "a loop over ten thousand": "run.many.all(a, a == 0)",
    "a list made anew": "run.many.map(a, a)",
    "most of it made anew": "run.most.map(a, a)",
    "fewer made anew": "run.fewer.filter(a, true)",
    "half made anew": "run.half.map(a, a)",
    "some made anew": "run.some.map(a, a)",
    "a loop in a loop": "run.many.map(a, run.many.map(b, b))",
    "short loops in a loop": "run.few.map(a, run.few.map(b, b))",
    "long loops in short ones": f"{TEN}.map(a, run.some.map(b, b))",
    "loops in loops": "run.some.all(a, run.some.all(b, run.some.all(c, true)))",
    "filters in filters": "run.many.filter(a, run.many.filter(b, run.many.exists(c, c == 1)).size() == 0)",
    "loops over what is written": f"{TEN}.map(a, " * 6 + "1" + ")" * 6,
    "four loops over what is written": f"{TEN}.map(a, " * 4 + "1" + ")" * 4,
    "loops after loops": "run.some" + ".map(a, a)" * 20,
    "a list copied": "run.half.map(a, run.half)",
    "some copied": "run.some.map(a, run.some)",
    "a list copied in a row": f"run.some.map(a, [{', '.join(['run.some'] * 90)}])",
    "a few copied in a row": f"run.few.map(a, [{', '.join(['run.few'] * 90)}])",
    "a list joined and gone through": f"({' + '.join(['run.some'] * 25)}).map(a, a)",
    "a list joined in a loop": "run.some.all(a, size(run.some + [1]) > 0)",
    "a list compared": "run.fewer.all(a, run.fewer == run.fewer)",
    "a list compared often": "run.few.all(a, run.few.all(b, " + " && ".join(["run.few == run.few"] * 40) + "))",
    "a list looked through": "run.most.all(a, !(1 in run.most))",
    "fewer looked through": "run.fewer.all(a, !(1 in run.fewer))",
    "wide rows": f"run.most.all(a, size([{', '.join(['a'] * 300)}]) > 0)",
    "wide rows made": f"run.some.map(a, [{', '.join(['a'] * 300)}])",
    "wide maps": f"run.most.all(a, size({{{', '.join(f'{n}: a' for n in range(100))}}}) > 0)",
    "wide rows in loops": f"run.few.map(a, {TEN}.map(b, [{', '.join(['b'] * 250)}]))",
    "lists of lists": f"run.square.map(a, a.map(b, [{', '.join(['a'] * 250)}]))",
    "many rows": "run.rows.filter(r, run.rows.exists(s, s.id == r.id && s.tags == r.tags))",
    "a tall list used in a loop": "run.tall.all(a, run.few.all(b, size(a + [1]) > 0))",
    "a tall list compared in a loop": "run.tall.all(a, run.tall.all(b, " + " && ".join(["a == b"] * 80) + "))",
    "lists joined": " + ".join(["run.many"] * 30),
    "lists joined in brackets": "+".join(["(" + "+".join(["run.many"] * 9) + ")"] * 9),
    "lists nested": "[" + ", ".join(["run.many"] * 100) + "]",
    "lists compared": " && ".join(["run.many == run.many"] * 40),
    "a huge list": "size(run.huge) > 0",
    "a huge list gone through": "run.huge.exists(a, a == 1)",
    "a list doubled": "[1].map(a, [a] + [a]).map(a, a + a).map(a, a + a)",
    # Text.
    "text doubled": "[run.text].map(t, t + t)",
    "text doubled again and again": "[run.text].map(a, [a + a].map(b, [b + b].map(c, c + c)))",
    "text joined": " + ".join(["run.text"] * 31),
    "text joined in brackets": "+".join(["(" + "+".join(["run.text"] * 10) + ")"] * 9),
    "a page joined": "+".join(["(" + "+".join(["run.page"] * 10) + ")"] * 9),
    "text joined in a loop": "run.some.exists(a, run.text + run.text == '')",
    "text measured in a loop": "run.some.all(a, run.text.size() > a)",
    "text measured in short loops": f"{TEN}.all(a, {TEN}.all(b, {TEN}.all(c, {TEN}.all(d, run.text.size() > a))))",
    "text compared in a loop": "run.some.all(a, run.text == run.text)",
    "text searched": "run.page.contains(run.needle)",
    "text searched often": " || ".join(["run.page.contains(run.needle)"] * 28),
    "a megabyte searched": "run.text.contains(run.needle)",
    "text searched in a loop": "run.some.exists(a, run.page.contains('b'))",
    "text searched for much in a loop": "run.some.exists(a, run.page.contains(run.needle))",
    "words measured": "run.words.all(a, " + " && ".join(["size(a) > 0"] * 60) + ")",
    "lines measured": "run.lines.all(a, run.lines.all(b, size(a) == size(b)))",
    "lines measured often": "run.lines.all(a, run.lines.all(b, " + " && ".join(["size(a) == size(b)"] * 40) + "))",
    "lines searched": "run.lines.all(a, run.lines.all(b, a.contains(b)))",
    "text read as a number": "run.some.all(a, int(run.text) > 0)",
    # Patterns.
    "a pattern that goes back": "run.page.matches('(a+)+$')",
    "a pattern that goes back much": "run.page.matches('^(([a-z])+.)+[A-Z]([a-z])+$')",
    "a pattern of a thousand thousands": "run.page.matches('((a{1,1000}){1,1000}){1,1000}')",
    "a pattern of hundreds": "run.page.matches('((a{0,30}){0,30})b')",
    "a pattern of many ways": "run.page.matches('(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)b')",
    "a pattern that remembers": "run.noise.matches('a.{400}c')",
    "a pattern that remembers a little": "run.noise.matches('a.{20}c')",
    "a pattern that remembers much": "run.noise.matches('(.{0,30}a.{0,30}){30}c')",
    "patterns that remember": " || ".join(["run.noise.matches('a.{9}c')"] * 30),
    "a pattern of all that there are": "run.noise.matches('((a|b|.){1,31}){31}c')",
    "a pattern of all scripts": "run.page.matches('[\\\\pL\\\\pN]{4}b')",
    "a pattern without regard to case": "run.page.matches('(?i)" + "[^k]" * 90 + "b')",
    "a pattern from outside": "run.page.matches(run.needle)",
    "patterns from outside": "run.words.all(p, 'b'.matches(p))",
    "a pattern nested deep": "run.page.matches('" + "(" * 400 + "a" + ")*" * 200 + "')",
    "a broken pattern": "run.page.matches('(')",
    "a pattern in a loop": "run.most.all(a, !'b'.matches('" + "a" * 800 + "'))",
    "a small pattern in a loop": "run.most.all(a, !'b'.matches('^a'))",
    "a pattern of signs in a loop": "run.some.all(a, !'b'.matches('" + "[^a]" * 100 + "'))",
    "words matched": "run.words.all(a, !a.matches('(a|b)*c'))",
    "lines matched": "run.lines.all(a, run.lines.all(b, a.matches('(a|b)*c')))",
    # Numbers, lengths of time and instants out of range.
    "a number of many digits": "9" * 900,
    "a fraction of many digits": "0." + "9" * 900,
    "a power without end": "1e" + "9" * 300,
    "many large numbers": "*".join(["9223372036854775807"] * 20),
    "text of many digits": "int('" + "9" * 900 + "')",
    "an instant after the last": f"{FAR} + duration('24h')",
    "an instant before the first": "timestamp('0001-01-01T00:00:00Z') - duration('24h')",
    "an instant in the year a billion": "timestamp(9223372036854775807)",
    "a length of time without end": "duration('" + "9" * 300 + "h')",
    "the longest lengths of time": "+".join(["duration('87600000h')"] * 25),
    "an instant in a zone that is none": "now.getHours('" + "../" * 100 + "etc/passwd')",
    "instants in a loop": f"run.most.all(a, {FAR} > now && timestamp('2026-03-02T12:00:00Z') <= now)",
    "hours in a loop": "run.most.all(a, now.getHours('Europe/Prague') > a)",
    # Maps.
    "a large map": "run.map",
    "large maps": "[" + ", ".join(["run.map"] * 100) + "]",
    "a large map compared": "run.map == run.map",
    "a large map compared often": " && ".join(["run.map == run.map"] * 40),
    "a large map compared in a loop": "run.some.all(a, run.map == run.map)",
    "a large map gone through": "run.map.all(a, run.map.all(b, run.map[a] == run.map[b]))",
    "a large map looked up": "run.some.all(a, 'k1' in run.map)",
    "long keys measured": "run.keys.all(a, run.keys.all(b, " + " && ".join(["size(a) > 0"] * 60) + "))",
    "a map of large maps": "{" + ", ".join(f"'{n}': run.map" for n in range(50)) + "}",
    "a map with itself as a key": "{run: 1}",
    # What other versions of the language have.
    "a range": "lists.range(1000000000)",
    "text made of numbers": "'%s'.format([run.many])",
    "text split and joined": "run.text.split('').join(run.text)",
    "text put in its own place": "run.text.replace('a', run.text)",
}  # fmt: skip


def ignite(name: str) -> str:
    """Compile and evaluate one: whether there was an answer."""
    source = BOMBS[name]
    run: dict[str, Any] = {
        key: value for key, value in VALUES.items() if re.search(rf"run\.{key}\b", source)
    }
    try:
        told = conditions.json_value(source, {"run": run, "now": NOW})
    except conditions.ConditionError:
        return "refused"
    return "answered" if len(str(told)) < 10_000_000 else "too much of an answer"


if __name__ == "__main__":
    conditions.json_value("run.few.map(a, 'a'.matches('a'))", {"run": {"few": [1]}, "now": NOW})
    set_off(BOMBS, ignite)
