"""The figures of what was broken on purpose: one line each in docs/reliability.json, and a page of them.

`CLEW_SCORECARD=1` keeps what a test found; the small versions of CI find the same and keep nothing.
`python -m tests.scorecard` writes docs/reliability.md anew from what is kept.
"""

import fcntl
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

CLONE = Path(__file__).resolve().parents[1]
KEPT = CLONE / "docs" / "reliability.json"
PAGE = CLONE / "docs" / "reliability.md"
KEEPS = bool(os.environ.get("CLEW_SCORECARD"))
"""Read while tests are collected: once they run, no setting from outside reaches them."""

TOLD = ("date", "commit", "met", "why")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the scorecard: what is done to the installation, and what must then hold.

    `tried`: why a bar is missed where it is, and what was tried; shown only then.
    """

    title: str
    bar: str
    tried: str = ""


LINES = {
    "R1": Line("Journey and delivery workers killed", "50 kills, 5,000 runs: 0 lost, 0 duplicated"),
    "R2": Line("Temporal killed", "20 kills, 10,000 runs: 0 lost, 0 duplicated; next send ≤ 5 s"),
    "R3": Line(
        "PostgreSQL killed", "20 kills, 10,000 runs: 0 lost, 0 duplicated; next send ≤ 10 s"
    ),
    "R4": Line(
        "A mail server accepts and then says nothing",
        "1,000 stalls: 0 duplicated for marketing; for service no more than the unknown, each marked",
    ),
    "R5": Line("Fault points in our code", "each killed"),
    "R6": Line("Touchpoints doubled and shuffled", "1,000 seeds: 0 differences"),
    "R7": Line(
        "One customer with very many touchpoints",
        "25,000: 0 refused; neighbours' p99 ≤ 2×",
        "Both cores are full of taking in the one customer's touchpoints, which are acknowledged only once they are"
        " in PostgreSQL. Tried: telling one run no more than 4.4 signals a second (it was refused at the 10,001st"
        " before), taking a batch out in one statement, workers that give way to ingest. What is left wants a core that"
        " the neighbours' workers have for themselves, or a limit for each customer at the door, which would refuse",
    ),
    "R8": Line(
        "Timers of one second",
        "10,000; touchpoints' p99 ≤ 3×",
        "Ten thousand workflow tasks at once fill two cores for minutes, and ingest shares them. Tried: workers and"
        " Temporal's development server at a lower priority (docs/decisions/0026), and fewer runs at once in a worker,"
        " which slows the draining and nothing else",
    ),
    "R9": Line("Histories of every release replayed", "all: 0 breaks"),
    "R10": Line("The machine in a seeded world", "100,000 seeds a night, no known failure open"),
    "R11": Line("Every time zone, five years", "0 wrong"),
    "R12": Line("API fuzzed", "100,000 requests: 0 answers of 5xx, 0 against the schema"),
    "R13": Line("Every route as every role", "0 wrong answers"),
    "R14": Line("Corpora: SSRF, XSS, templates, conditions, files", "≥ 60, ≥ 200, ≥ 200: 0 hits"),
    "R15": Line("Canaries searched", "0 hits before and after erasure"),
    "R16": Line("OWASP ASVS 5.0", "L1 100 %, L2 ≥ 95 % of what applies, each with its test"),
    "R18": Line(
        "Killed while staff claim, decide and wait",
        "0 cases lost, 0 decisions applied twice, no deadline missed by more than the outage and a minute",
    ),
    "R17": Line("Two hours under load", "memory and database per open run flat"),
}


def keep(line: str, figures: Mapping[str, Any], *, met: bool, why: str = "") -> None:
    """Print the figures of a line, and keep them where CLEW_SCORECARD is set.

    `why` says what is not met, by how much and what was tried. Raises: `KeyError` for an unknown line.
    """
    told = {**figures, "met": met, **({"why": why} if why else {})}
    _told(line, told)
    if KEEPS:
        _write(line, lambda _: told)


def keep_part(line: str, figures: Mapping[str, Any], *, hits: int) -> None:
    """The same for one of the tests that a line is made of: what the others found stays beside it.

    `hits`: what got through here, 0 where the bar is met. Raises: `KeyError` for an unknown line.
    """
    [name] = figures
    _told(line, {**figures, "hits": hits})
    if not KEEPS:
        return

    def joined(kept: Mapping[str, Any]) -> dict[str, Any]:
        through = f"hits of {name}"
        parts = {k: v for k, v in kept.items() if k not in (*TOLD, "hits", through)}
        parts |= {**figures, **({through: hits} if hits else {})}
        total = sum(v for k, v in parts.items() if k.startswith("hits of "))
        return {**dict(sorted(parts.items())), "hits": total, "met": total == 0}

    _write(line, joined)


def _told(line: str, told: Mapping[str, Any]) -> None:
    print(f"\n{line} {LINES[line].title}: {json.dumps(told)}", flush=True)


def _write(line: str, told: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    stamp = {"date": datetime.now(UTC).date().isoformat(), "commit": _commit()}
    KEPT.touch()
    with KEPT.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        kept = json.loads(file.read() or "{}")
        kept[line] = told(kept.get(line, {})) | stamp
        file.seek(0)
        file.truncate()
        json.dump({each: kept[each] for each in LINES if each in kept}, file, indent=1)
        file.write("\n")


def page(kept: Mapping[str, Mapping[str, Any]]) -> str:
    """The scorecard in Markdown."""
    return "\n".join(_page(kept)) + "\n"


def _page(kept: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "# Reliability, measured"
    yield ""
    yield "What was broken on purpose, and what was counted then. `make faults` and `make security` write"
    yield "[reliability.json](reliability.json) anew; seeds and commits stand in it, so that each line can be"
    yield "played again. One machine, two cores, everything on loopback."
    yield ""
    yield "| | what is done | bar | met | when |"
    yield "| --- | --- | --- | --- | --- |"
    for name, line in LINES.items():
        told = kept.get(name)
        met, when = ("not measured yet", "") if told is None else (_met(told), _when(told))
        yield f"| {name} | {line.title} | {line.bar} | {met} | {when} |"
    for name, line in LINES.items():
        if name in kept:
            yield from _found(f"{name}: {line.title}", kept[name], line.tried)


def _found(title: str, told: Mapping[str, Any], tried: str) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    if told.get("why"):
        yield f"{'Met' if told['met'] else 'Not met'}: {told['why']}."
        yield ""
    if tried and not told["met"]:
        yield f"{tried}."
        yield ""
    yield "| found | |"
    yield "| --- | ---: |"
    for name, value in told.items():
        if name not in TOLD:
            yield f"| {_words(name)} | {_shown(value)} |"


def _met(told: Mapping[str, Any]) -> str:
    if told["met"]:
        return "yes"
    return f"**no**: {told['why']}" if told.get("why") else "**no**"


def _when(told: Mapping[str, Any]) -> str:
    return f"{told['date']}, {told['commit']}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value).items()
        return ", ".join(f"{_words(each)} {_shown(n)}" for each, n in pairs)
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in cast("list[Any]", value))
    return str(value)


def _commit() -> str:
    git = ["git", "-C", str(CLONE), "rev-parse", "--short", "HEAD"]
    return subprocess.run(git, check=False, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(KEPT.read_text()) if KEPT.is_file() else {}))
