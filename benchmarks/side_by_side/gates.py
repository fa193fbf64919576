"""What is promised of each number, and whether it holds."""

from collections.abc import Callable, Mapping
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
FLOOR = "bare"


def gates(rows: Mapping[str, Row]) -> dict[str, Gate]:
    """Every gate that these rows can answer. `value` is a ratio to Temporal by hand where `gate` ends in ×."""
    ours, floor = rows.get("clew", {}), rows.get(FLOOR, {})
    found: dict[str, Gate] = {}

    def keep(
        name: str, value: float | None, gate: float, words: str, *, least: bool = False
    ) -> None:
        if value is not None:
            met = value >= gate if least else value <= gate
            found[name] = {"value": round(value, 3), "gate": gate, "met": met, "words": words}

    def ratio(read: Callable[[Row], Any]) -> float | None:
        try:
            return read(ours) / read(floor)
        except (KeyError, IndexError, TypeError, ZeroDivisionError):
            return None

    def own(read: Callable[[Row], Any]) -> float | None:
        try:
            return read(ours)
        except (KeyError, IndexError, TypeError, ZeroDivisionError):
            return None

    keep("P1", ratio(lambda r: r["P1"]), 1.15, "events of cart-full, × by hand")
    keep("P2", ratio(lambda r: r["P2"]), 1.5, "bytes of history, × by hand")
    keep("P3", ratio(lambda r: r["P3"]), 1.12, "state transitions, × by hand")
    parts = [ratio(lambda r, part=part: r["P4"][part]) for part in P4_PARTS]
    if all(part is not None for part in parts):
        worst = max(part for part in parts if part is not None)
        keep("P4", worst, 1.3, "the worst of write transactions, statements and WAL, × by hand")
        found["P4"]["parts"] = dict(zip(P4_PARTS, [round(p, 3) for p in parts if p], strict=False))
    keep("P5", own(lambda r: r["P5"]), 0, "events for an ignored touchpoint")
    keep(
        "P6",
        ratio(lambda r: r["P6"]),
        1.0,
        "processor time of the workers, × by hand in the sandbox",
    )
    keep(
        "P7 p50",
        ratio(lambda r: r["P7"]["quiet"]["p50"]),
        1.4,
        "touchpoint to send at 5/s, p50, × by hand",
    )
    keep(
        "P7 p50 busy",
        ratio(lambda r: r["P7"]["busy"]["p50"]),
        1.4,
        "the same at 70 % of what each can",
    )
    longest = own(lambda r: max(r["P7"]["quiet"]["p99"], r["P7"]["busy"]["p99"]))
    keep("P7 p99", longest, 1_000, "touchpoint to send, p99, ms, at either rate")
    keep("P8", ratio(lambda r: r["P8"]), 0.8, "runs a second, × by hand", least=True)
    ingest = own(lambda r: r["P9"]["acks_a_second"] / r["P8"])
    keep("P9", ingest, 3, "durable acknowledgements a second, × our runs a second", least=True)
    keep(
        "P9 p99",
        own(lambda r: r["P9"]["ack_ms_at_70"]["p99"]),
        100,
        "acknowledgement at 70 %, p99, ms",
    )
    open_runs: list[Row] = ours.get("open_runs", [])
    if open_runs:
        _standing(open_runs, keep)
    for what, gate in (("worker", 15), ("server", 5), ("database", 10)):
        keep(
            f"P13 {what}",
            own(lambda r, w=what: r["P13"][w]),
            gate,
            f"{what} killed, seconds to the next send",
        )
    keep(
        "P14",
        ratio(lambda r: r["P14"]["drained_a_second"]),
        0.8,
        "timers of one second drained, × by hand",
        least=True,
    )
    keep(
        "P15",
        own(lambda r: r["P15"]["cold_ms"] / r["P15"]["cached_ms"]),
        1.5,
        "a run that was forgotten, × a remembered one",
    )
    keep("P16", own(lambda r: r["P16"]), 50_000, "advances of the machine a second", least=True)
    return found


def _standing(open_runs: list[Row], keep: Callable[..., None]) -> None:
    first, last = open_runs[0], open_runs[-1]
    before_last = open_runs[-2] if len(open_runs) > 1 else first
    keep("P10", last["worker_mb"], 200, f"MB of the workers with {last['open']:,} open runs")
    grows = last["worker_mb"] / before_last["worker_mb"]
    keep("P10 flat", grows, 1.1, f"{last['open']:,} open runs, × {before_last['open']:,}")
    if "database_bytes_a_run" in last:
        keep(
            "P11", last["database_bytes_a_run"] / 1_000, 20, "kB in the database for each open run"
        )
        busiest = max(each["idle_statements_a_second"] for each in open_runs)
        keep("P12", busiest, 30, "statements a second when nothing happens, at the worst size")
