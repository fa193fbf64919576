"""The page's part about who was measured: versions, licences, when, how much, and what is missing."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.side_by_side.parts import PARTS

Row = Mapping[str, Any]


def contenders_in_words(rows: Mapping[str, Row]) -> Iterator[str]:
    """Who they are, when what was measured, and each hole with its reason."""
    measured = {name: row for name, row in rows.items() if "quoted" not in row}
    yield "## Who was measured"
    yield ""
    yield "| | what it is | versions | licence |"
    yield "| --- | --- | --- | --- |"
    for name, row in measured.items():
        versions = ", ".join(f"{what} {which}" for what, which in row.get("versions", {}).items())
        yield f"| {name} | {row['title']} | {versions} | {row.get('licence', '')} |"
    yield ""
    yield "## What was measured when"
    yield ""
    yield "| | what | date | commit | turns | of | load |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name, row in measured.items():
        for part, one in _in_order(row["parts"]):
            what = f"{part}: {PARTS[part].metrics}" if part in PARTS else f"{part}: P16"
            told = [one["date"], one["commit"], str(one["turns"]), one["size"]]
            yield f"| {name} | {what} | {' | '.join(told)} | {' '.join(one['load'])} |"
    yield ""
    yield from _holes(measured)


def _in_order(parts: Mapping[str, Any]) -> list[tuple[str, Any]]:
    order = [*PARTS]
    return sorted(parts.items(), key=lambda each: order.index(each[0]) if each[0] in order else 99)


def _holes(rows: Mapping[str, Row]) -> Iterator[str]:
    holes = [
        (name, part, words)
        for name, row in rows.items()
        for part, words in [
            *row.get("failed", {}).items(),
            *((part, "left out: there was no time for it") for part in row.get("left_out", [])),
            *row.get("without", {}).items(),
        ]
    ]
    if holes:
        yield "## What is missing"
        yield ""
        yield "| | what | why |"
        yield "| --- | --- | --- |"
        for name, part, words in holes:
            what = f"{part}: {PARTS[part].metrics}" if part in PARTS else part
            yield f"| {name} | {what} | {' '.join(words.split()).replace('|', '/')} |"
        yield ""
