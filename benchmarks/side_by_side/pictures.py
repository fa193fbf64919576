"""The pictures of the page: bars as plain SVG, by day and by night, whole in themselves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from benchmarks.side_by_side.words import number

_DAY = {
    "ground": "#faf8f4",
    "ink": "#17202a",
    "quiet": "#55606c",
    "ours": "#2468b4",
    "other": "#9aa5b1",
}
_NIGHT = {
    "ground": "#111923",
    "ink": "#e8edf2",
    "quiet": "#a3b1bf",
    "ours": "#6db3ff",
    "other": "#5b6f86",
}
WIDTH, LEFT, RIGHT, BAR, GAP, HEAD = 720, 170, 70, 16, 6, 34

Bars = Sequence[tuple[str, float]]


def _colours(of: Mapping[str, str]) -> str:
    return "svg{" + "".join(f"--{name}:{colour};" for name, colour in of.items()) + "}"


STYLE = (
    _colours(_DAY)
    + "@media (prefers-color-scheme:dark){" + _colours(_NIGHT) + "}"
    + ".ground{fill:var(--ground)}.ours{fill:var(--ours)}.other{fill:var(--other)}"
    + 'text{font:13px ui-sans-serif,system-ui,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--ink)}'
    + ".quiet{fill:var(--quiet)}.title{font-weight:600}"
)  # fmt: skip

_CART: list[tuple[str, Callable[[Mapping[str, Any]], float]]] = [
    ("history events", lambda r: r["P1"]),
    ("history bytes", lambda r: r["P2"]),
    ("state transitions", lambda r: r["P3"]),
    ("write transactions", lambda r: r["P4"]["write_transactions"]),
    ("statements", lambda r: r["P4"]["statements"]),
    ("WAL, kB", lambda r: r["P4"]["wal_kb"]),
]


def pictures(found: Mapping[str, Any]) -> dict[str, str]:
    """Each picture by the name of its file."""
    rows: Mapping[str, Mapping[str, Any]] = found["rows"]
    cart = {title: _bars(rows, read) for title, read in _CART}
    drawn = {"cart.svg": _picture("What one full cart costs", cart)}
    memory: dict[str, Bars] = {}
    for row, told in rows.items():
        for one in told.get("open_runs", []):
            title = f"{one['open']:,.0f} open runs: MB of the workers"
            memory[title] = [*memory.get(title, []), (row, one["worker_mb"])]
    if memory:
        drawn["memory.svg"] = _picture("Memory of the workers by open runs that wait", memory)
    return drawn


def _bars(
    rows: Mapping[str, Mapping[str, Any]], read: Callable[[Mapping[str, Any]], float]
) -> Bars:
    found: list[tuple[str, float]] = []
    for name, row in rows.items():
        try:
            found.append((name, read(row)))
        except (KeyError, TypeError):
            continue
    return found


def _picture(title: str, groups: Mapping[str, Bars]) -> str:
    groups = {name: bars for name, bars in groups.items() if bars}
    height = 44 + sum(HEAD + len(bars) * (BAR + GAP) for bars in groups.values()) + 12
    return "\n".join([*_drawn(title, groups, height), "</svg>", ""])


def _drawn(title: str, groups: Mapping[str, Bars], height: int) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
        ' role="img" aria-labelledby="title">'
    )
    yield f'<title id="title">{escape(title)}</title><style>{STYLE}</style>'
    yield f'<rect class="ground" width="{WIDTH}" height="{height}" rx="10"/>'
    yield f'<text class="title" x="20" y="28">{escape(title)}</text>'
    y = 44
    for name, bars in groups.items():
        y += HEAD
        yield f'<text class="quiet" x="20" y="{y - 10}">{escape(name)}</text>'
        most = max(value for _, value in bars) or 1
        for row, value in bars:
            long = (WIDTH - LEFT - RIGHT) * value / most
            kind = "ours" if row.startswith("clew") else "other"
            yield f'<text x="{LEFT - 10}" y="{y + 13}" text-anchor="end">{escape(row)}</text>'
            yield f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{max(1.0, long):.1f}" height="{BAR}" rx="3"/>'
            yield f'<text x="{LEFT + long + 8:.1f}" y="{y + 13}">{number(value)}</text>'
            y += BAR + GAP
