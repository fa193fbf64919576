"""docs/benchmarks/README.md: the table, what each number is, where we lose, and on what it was measured."""

# ruff: noqa: E501 -- each line of the table is one line here, as it is on the page

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.side_by_side.page_of_contenders import contenders_in_words
from benchmarks.side_by_side.page_of_gates import gates_in_words
from benchmarks.side_by_side.words import number

Row = Mapping[str, Any]

_WAL = "P4 WAL, kB"
LINES: list[tuple[str, str, Callable[[Row], Any]]] = [
    ("P1 history events", "what one full cart writes into its history, as the server describes it", lambda r: r["P1"]),
    ("P2 history bytes", "the size of that history; definitions are named by hash, never inlined", lambda r: r["P2"]),
    ("P3 state transitions", "locked updates of that run in the server's database", lambda r: r["P3"]),
    ("P4 write transactions", "transaction ids used up by one full cart, Temporal's and our own tables together, beyond the idle rate", lambda r: r["P4"]["write_transactions"]),
    ("P4 statements", "what pg_stat_statements counts for it, `begin` and `commit` among them", lambda r: r["P4"]["statements"]),
    (_WAL, "write-ahead log for it, without a checkpoint in the middle", lambda r: r["P4"]["wal_kb"]),
    ("cart-bought, events", "the same where the purchase comes during the first wait", lambda r: r["bought_P1"]),
    ("long, events", "forty steps, each a touchpoint and a message; all histories of the run together", lambda r: r["long_P1"]),
    ("long, kB", "their size", lambda r: r["long_P2"] / 1_000),
    ("P5 ignored touchpoint, events", "what the history grows by for each of fifty touchpoints that the journey does not know", lambda r: r["P5"]),
    ("P6 worker CPU, ms", "processor time of the workers for one full cart: ours are the journey and the delivery worker", lambda r: r["cpu_ms_worker"]),
    ("door CPU, ms", "the same of our API and router, which the others do not have", lambda r: r["cpu_ms_door"]),
    ("server CPU, ms", "of the workflow engine", lambda r: r["cpu_ms_server"]),
    ("database CPU, ms", "of PostgreSQL and all its backends", lambda r: r["cpu_ms_database"]),
    ("P7 p50 at 5/s, ms", "from the post of a touchpoint to the call of the channel; by hand: from the signal to the activity", lambda r: r["P7"]["quiet"]["p50"]),
    ("P7 p99 at 5/s, ms", "the slowest of a hundred", lambda r: r["P7"]["quiet"]["p99"]),
    ("P7 p50 at 70 %, ms", "the same at seven tenths of the answers that each can give in a second", lambda r: r["P7"]["busy"]["p50"]),
    ("P7 p99 at 70 %, ms", "the slowest of a hundred", lambda r: r["P7"]["busy"]["p99"]),
    ("answers a second", "when all ask at once", lambda r: r["P7"]["answers_a_second"]),
    ("P8 full carts a second", "always so many under way, in the middle three fifths", lambda r: r["P8"]),
    ("P9 acknowledgements a second", "touchpoints that are durable when the answer comes; nobody waits for them", lambda r: r["P9"]["acks_a_second"]),
    ("P9 p99 at 70 %, ms", "how long an acknowledgement takes at seven tenths of that", lambda r: r["P9"]["ack_ms_at_70"]["p99"]),
    ("P10 workers, MB", "resident memory of the workers with the most open runs", lambda r: r["open_runs"][-1]["worker_mb"]),
    ("P11 database, kB a run", "what the databases grow by for each open run, at the most open runs", lambda r: r["open_runs"][-1]["database_bytes_a_run"] / 1_000),
    ("P12 idle statements a second", "what is asked of PostgreSQL when nothing happens, at the most open runs", lambda r: r["open_runs"][-1]["idle_statements_a_second"]),
    ("P13 worker killed, s", "kill -9 to the next send for somebody who asked after it", lambda r: r["P13"]["worker"]),
    ("P13 server killed, s", "the same", lambda r: r["P13"]["server"]),
    ("P13 PostgreSQL killed, s", "the same", lambda r: r["P13"]["database"]),
    ("P14 timers drained a second", "timers that are all due in the same second", lambda r: r["P14"]["drained_a_second"]),
    ("P14 lateness p99, s", "how late the last hundredth of them is", lambda r: r["P14"]["late_s"]["p99"]),
    ("P14 ack p99, ms", "acknowledgements of touchpoints meanwhile", lambda r: r["P14"]["ack_ms"]["p99"]),
    ("P15 cold against cached", "a step of a run of about fifty events whose worker has forgotten it, × one that remembers", lambda r: r["P15"]["cold_ms"] / r["P15"]["cached_ms"]),
    ("ETA, runs of 200 tasks", "how often 200 tasks run whose time is further away than the broker's visibility timeout (Celery's is an hour, 4 s here)", lambda r: r["eta"]["executions"]),
    ("P16 advances a second", "the pure machine on one core (python -m benchmarks.machine)", lambda r: r["P16"]),
]  # fmt: skip


def page(found: Mapping[str, Any]) -> str:
    """The page in Markdown."""
    return "\n".join(_page(found)) + "\n"


def _page(found: Mapping[str, Any]) -> Iterator[str]:
    rows: dict[str, Row] = found["rows"]
    machine = found["machine"]
    yield "# Side by side"
    yield ""
    yield "The same journeys in Clew and in what one would build them with instead, on one machine, in turns. `make bench` writes"
    yield "this page, [latest.json](latest.json) and the pictures anew; the scenario is `benchmarks/side_by_side/scenario.py`."
    yield ""
    yield f"Written on {found['date']}, commit {found['commit']}; {machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, Python {machine['python']};"
    yield "everything on this one machine, over loopback, with a channel that takes each message at once. Each number is the median"
    yield "of its turns, with the least and the most where they differ. [What was measured when](#what-was-measured-when) tells each one's day, size and load: what one run left out"
    yield "keeps the number, and the date, of the run before. Counts hardly differ from one time to the next; times do, and are to"
    yield "be read as ratios within this table."
    yield ""
    yield "![what one full cart costs](cart.svg)"
    yield ""
    yield from _table(rows)
    yield ""
    yield "Dittofeed's figures were measured elsewhere, for the same number of sends and waits: counts only, and not by this suite."
    yield ""
    yield from gates_in_words(found["gates"])
    yield ""
    yield from _open(rows)
    yield from contenders_in_words(rows)
    yield "## What each line is"
    yield ""
    for title, words, _ in LINES:
        yield f"- **{title}**: {words}."
    yield ""
    yield "Customers and their addresses are known before anything is measured. Write transactions, statements and WAL are of all"
    yield "databases on the contender's PostgreSQL, less what it does when nothing happens. Nothing here is a network, and the disk"
    yield "has a write cache, so that commits are cheap: count them, not the milliseconds."


def _table(rows: Mapping[str, Row]) -> Iterator[str]:
    yield "| | " + " | ".join(rows) + " |"
    yield "| --- |" + " --- |" * len(rows)
    for title, _, read in LINES:
        told = [_told(read, row) for row in rows.values()]
        if any(told):
            yield f"| {title} | " + " | ".join(told) + " |"


def _told(read: Callable[[Row], Any], row: Row) -> str:
    """The number, and between what its turns lay where there were several."""
    value = _read(read, row)
    if value is None:
        return ""
    match _read(read, row.get("spread", {})):
        case [least, most] if least != most:
            return f"{number(value)} ({number(least)}–{number(most)})"
        case _:
            return number(value)


def _read(read: Callable[[Row], Any], row: Row) -> Any:
    try:
        return read(row)
    except (KeyError, IndexError, TypeError, ZeroDivisionError):
        return None


def _open(rows: Mapping[str, Row]) -> Iterator[str]:
    measured = {name: row["open_runs"] for name, row in rows.items() if row.get("open_runs")}
    if not measured:
        return
    yield "## Open runs that wait"
    yield ""
    yield "![memory of the workers by open runs](memory.svg)"
    yield ""
    yield "| | open | workers, MB | database, kB a run | idle statements/s | idle write transactions/s |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, sizes in measured.items():
        for one in sizes:
            parts = [one["worker_mb"], one.get("database_bytes_a_run", 0) / 1_000]
            parts += [
                one.get("idle_statements_a_second", 0),
                one.get("idle_write_transactions_a_second", 0),
            ]
            yield f"| {name} | {one['open']:,.0f} | " + " | ".join(map(number, parts)) + " |"
    yield ""
