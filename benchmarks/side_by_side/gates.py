"""What is promised of each number, and whether it holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

Row = Mapping[str, Any]
Gate = dict[str, Any]

DITTOFEED = {
    "P1": 102,
    "P2": 19_080,
    "P3": 61,
    "P4": {"write_transactions": 123, "statements": 715, "wal_kb": 348},
}
"""Measured for the same number of sends and waits on the same kind of machine, outside this suite: counts only."""

P4_PARTS = ("write_transactions", "statements", "wal_kb")
FLOOR, UNSANDBOXED = "bare", "bare-unsandboxed"


@dataclass(frozen=True, slots=True)
class Asked:
    """One gate: what is read of a row, held against a number.

    `by_hand`: as a ratio to the row of Temporal by hand. `least`: it may not be lower, instead of not higher.
    """

    name: str
    read: Callable[[Row], Any]
    gate: float
    words: str
    by_hand: bool = False
    least: bool = False


def _ratio(
    name: str, read: Callable[[Row], Any], gate: float, words: str, *, least: bool = False
) -> Asked:
    return Asked(name, read, gate, f"{words}, × by hand", by_hand=True, least=least)


ASKED = (
    _ratio("P1", lambda r: r["P1"], 1.15, "events of cart-full"),
    _ratio("P2", lambda r: r["P2"], 1.5, "bytes of history"),
    _ratio("P3", lambda r: r["P3"], 1.12, "state transitions"),
    Asked(
        "P1 Dittofeed",
        lambda r: r["P1"] / DITTOFEED["P1"],
        1 / 3,
        "events of cart-full, × Dittofeed",
    ),
    Asked(
        "P2 Dittofeed", lambda r: r["P2"] / DITTOFEED["P2"], 1 / 4, "bytes of history, × Dittofeed"
    ),
    Asked("P5", lambda r: r["P5"], 0, "events for an ignored touchpoint"),
    _ratio("P6", lambda r: r["P6"], 1.0, "processor time of the workers, by hand in the sandbox"),
    _ratio("P7 p50", lambda r: r["P7"]["quiet"]["p50"], 1.4, "touchpoint to send at 5/s, p50"),
    _ratio(
        "P7 p50 busy", lambda r: r["P7"]["busy"]["p50"], 1.4, "the same at 70 % of what each can"
    ),
    Asked(
        "P7 p99",
        lambda r: max(r["P7"]["quiet"]["p99"], r["P7"]["busy"]["p99"]),
        1_000,
        "touchpoint to send, p99, ms, at either rate",
    ),
    _ratio(
        "P7 p99 by hand", lambda r: r["P7"]["quiet"]["p99"], 2, "touchpoint to send at 5/s, p99"
    ),
    _ratio("P8", lambda r: r["P8"], 0.8, "runs a second", least=True),
    Asked(
        "P9",
        lambda r: r["P9"]["acks_a_second"] / r["P8"],
        3,
        "durable acknowledgements a second, × our runs a second",
        least=True,
    ),
    Asked(
        "P9 p99", lambda r: r["P9"]["ack_ms_at_70"]["p99"], 100, "acknowledgement at 70 %, p99, ms"
    ),
    Asked(
        "P13 worker", lambda r: r["P13"]["worker"], 15, "worker killed, seconds to the next send"
    ),
    Asked("P13 server", lambda r: r["P13"]["server"], 5, "server killed, seconds to the next send"),
    Asked(
        "P13 database",
        lambda r: r["P13"]["database"],
        10,
        "database killed, seconds to the next send",
    ),
    _ratio(
        "P14",
        lambda r: r["P14"]["drained_a_second"],
        0.8,
        "timers of one second drained",
        least=True,
    ),
    Asked(
        "P14 ack",
        lambda r: r["P14"]["ack_ms"]["p99"] / r["P14"]["quiet_ack_ms"]["p99"],
        3,
        "acknowledgements while they drain, p99, × before",
    ),
    Asked(
        "P15",
        lambda r: r["P15"]["cold_ms"] / r["P15"]["cached_ms"],
        1.5,
        "a run that was forgotten, × a remembered one",
    ),
    Asked("P16", lambda r: r["P16"], 50_000, "advances of the machine a second", least=True),
)


def gates(rows: Mapping[str, Row]) -> dict[str, Gate]:
    """Every gate that these rows can answer."""
    ours, floor = rows.get("clew", {}), rows.get(FLOOR, {})
    found: dict[str, Gate] = {}
    for each in ASKED:
        value = _read(each.read, ours)
        if each.by_hand:
            value = _divided(value, _read(each.read, floor))
        _keep(found, each.name, value, each.gate, each.words, least=each.least)
    _transactions(found, ours, floor)
    unsandboxed = _read(lambda r: r["P6"], rows.get(UNSANDBOXED, {}))
    words = "processor time of the workers, × by hand without the sandbox"
    _keep(
        found, "P6 unsandboxed", _divided(_read(lambda r: r["P6"], ours), unsandboxed), 1.5, words
    )
    open_runs: list[Row] = ours.get("open_runs", [])
    if open_runs:
        _standing(open_runs, partial(_keep, found))
    return found


def _transactions(found: dict[str, Gate], ours: Row, floor: Row) -> None:
    parts = {
        part: _divided(
            _read(lambda r, part=part: r["P4"][part], ours),
            _read(lambda r, part=part: r["P4"][part], floor),
        )
        for part in P4_PARTS
    }
    told = {part: round(value, 3) for part, value in parts.items() if value is not None}
    if len(told) == len(P4_PARTS):
        words = "the worst of write transactions, statements and WAL, × by hand"
        _keep(found, "P4", max(told.values()), 1.3, words)
        found["P4"]["parts"] = told


def _read(read: Callable[[Row], Any], row: Row) -> float | None:
    try:
        return read(row)
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError):
        return None


def _divided(value: float | None, by: float | None) -> float | None:
    return value / by if value is not None and by else None


def _keep(
    found: dict[str, Gate],
    name: str,
    value: float | None,
    gate: float,
    words: str,
    *,
    least: bool = False,
) -> None:
    if value is not None:
        met = value >= gate if least else value <= gate
        found[name] = {"value": round(value, 3), "gate": gate, "met": met, "words": words}


def _standing(open_runs: list[Row], keep: Callable[..., None]) -> None:
    first, last = open_runs[0], open_runs[-1]
    before_last = open_runs[-2] if len(open_runs) > 1 else first
    largest = last.get("largest_worker_mb", last["worker_mb"])
    keep("P10", largest, 200, f"MB of the largest worker with {last['open']:,} open runs")
    grows = last["worker_mb"] / before_last["worker_mb"]
    keep("P10 flat", grows, 1.1, f"{last['open']:,} open runs, × {before_last['open']:,}")
    if "database_bytes_a_run" in last:
        keep(
            "P11", last["database_bytes_a_run"] / 1_000, 20, "kB in the database for each open run"
        )
        grows = last["database_bytes_a_run"] / before_last["database_bytes_a_run"]
        words = f"bytes for each of {last['open']:,} open runs, × {before_last['open']:,}"
        keep("P11 flat", grows, 1.1, words)
        busiest = max(each["idle_statements_a_second"] for each in open_runs)
        keep("P12", busiest, 30, "statements a second when nothing happens, at the worst size")
