"""The demo in the terminal: a live table where somebody looks, plain lines where a program reads."""

import sys
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from console.flight_picture import Scene

ROOMS = {
    "b": "booked",
    "c": "checked in",
    "o": "on board",
    "a": "arrived",
    "s": "with staff",
    "n": "not there",
    "t": "hotel, refund",
    "f": "ended otherwise",
}
LINE_EACH = 20
"""Where no table can be drawn, every so many scenes become one line."""


class Terminal:
    """Shows scenes. `plain`: words go to stderr, so that stdout holds data only."""

    def __init__(self, *, plain: bool) -> None:
        self.console = Console(stderr=plain, highlight=False)
        drawn = not plain and self.console.is_terminal
        self._live = Live(console=self.console, auto_refresh=False) if drawn else None
        self._scenes = 0

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, words: str) -> None:
        """One line, which stays."""
        self.console.print(Text(words), soft_wrap=True)
        sys.stderr.flush()

    def show(self, scene: Scene) -> None:
        """How it stands now."""
        self._scenes += 1
        if self._live is not None:
            self._live.update(_drawn(scene), refresh=True)
        elif self._scenes % LINE_EACH == 0 and scene.clock:
            self.say(_line(scene))


def _line(scene: Scene) -> str:
    figures = ", ".join(f"{figure} {words}" for words, figure, _ in scene.counters)
    rehearsed = scene.phase == "rehearsing"
    return f"{scene.clock}  {figures}" + ("  (a rehearsal)" if rehearsed else _late(scene))


def _late(scene: Scene) -> str:
    return f"  (behind the clock: p50 {scene.late_p50:.1f} s, p99 {scene.late_p99:.1f} s)"


def _drawn(scene: Scene) -> Panel:
    title = Text.assemble((scene.clock or "--:--", "bold"), f"  × {scene.factor:,.0f}")
    columns = Table.grid(padding=(0, 4))
    columns.add_row(
        _table("The day", [(words, figure) for words, figure, _ in scene.counters]),
        _table("Passengers", _by_room(scene)),
        _table("Messages", [(reason.replace("_", " "), n) for reason, n in scene.reasons.items()]),
    )
    rows: list[RenderableType] = [columns, Text(scene.words + _late(scene), style="dim")]
    if scene.outage is not None and scene.outage.lost is None:
        rows.append(Text("Everything was killed; it is coming back.", style="bold red"))
    return Panel(Group(*rows), title=title, title_align="left")


def _by_room(scene: Scene) -> list[tuple[str, int]]:
    counts = Counter(scene.people)
    return [(words, counts[letter]) for letter, words in ROOMS.items() if counts[letter]]


def _table(title: str, rows: list[tuple[str, int]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, show_header=False, padding=(0, 1))
    table.add_column()
    table.add_column(justify="right")
    for words, figure in rows[:9]:
        table.add_row(words, f"{figure:,}")
    return table
