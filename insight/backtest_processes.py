"""Parts of a backtest in several processes: the same figures however many there are."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from insight.backtest import OpenTaker, PartBacktest, PartTask
from insight.backtest_customers import Bounds
from insight.backtest_figures import Figures
from insight.backtest_world import House, RecordedWorld, StaffRule, StaffRules, channels_of
from journey.program import compile_program

PAYS_FROM = 20_000
"""Touchpoints from which on a second process pays for its start, about a second."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Order:
    """All that a process needs to play parts of a backtest. `canonical`: the definition."""

    canonical: bytes
    bounds: Bounds
    staff: StaffRules = field(default_factory=dict[str, StaffRule])
    taker: OpenTaker | None = None
    house: House | None = None


def play_apart(
    order: Order,
    tasks: Sequence[PartTask],
    processes: int,
    done: Callable[[PartTask, Figures], None] = lambda _task, _part: None,
    pays_from: int = PAYS_FROM,
) -> Figures:
    """Play all parts; `done` is told of each and its figures, in their order.

    Raises: `BacktestStoppedError`, and what the taker of records raises.
    """
    figures = Figures()
    wanted = [task for task in tasks if task.part.path.stat().st_size]
    pays = sum(task.part.touchpoints for task in wanted) >= pays_from
    played = _played(order, wanted, processes if pays else 1)
    for task, part in zip(wanted, played, strict=True):
        figures.add(part, order.bounds.examples)
        done(task, part)
    return figures


def _played(order: Order, tasks: Sequence[PartTask], processes: int) -> Iterator[Figures]:
    if processes < 2:
        yield from map(_player(order).play, tasks)
        return
    # Spawned, not forked: whoever shows the progress has threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=_begin, initargs=(order,)
    ) as pool:
        try:
            yield from pool.map(_play, tasks)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_here: PartBacktest | None = None


def _begin(order: Order) -> None:
    global _here
    _here = _player(order)


def _play(task: PartTask) -> Figures:
    assert _here is not None
    return _here.play(task)


def _player(order: Order) -> PartBacktest:
    program = compile_program(order.canonical)
    channels = channels_of(program)
    return PartBacktest(
        program,
        order.bounds,
        lambda: RecordedWorld(channels, order.staff, order.house),
        order.taker,
    )
