"""The page of the side-by-side benchmark is built in pieces: what one run leaves out keeps its number and its day."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.side_by_side.contender import NotHereError
from benchmarks.side_by_side.page_of_gates import missed_by
from benchmarks.side_by_side.parts import turn_seconds
from benchmarks.side_by_side.peers.environment import redis_server
from benchmarks.side_by_side.results import Results, kept
from benchmarks.side_by_side.sitting import Sitting, plan
from benchmarks.side_by_side.sizes import Sizes, sitting
from benchmarks.side_by_side.turns import Turns

CARTS = {"P1": 36, "P2": 6_226, "P3": 21, "P6": 80.0, "P8": 5.0}


class Somebody:
    """A contender that has a name and nothing else."""

    name = "bare"
    title = "By hand"
    licence = "MIT"
    without = {"noise": "it keeps no history"}

    def __init__(self, missing: str | None = None) -> None:
        self._missing = missing
        self.stopped = False

    async def start(self, folder: Path) -> None:
        if self._missing:
            raise NotHereError(self._missing)

    async def stop(self) -> None:
        self.stopped = True

    def meter(self) -> None:
        return None

    def versions(self) -> dict[str, str]:
        return {"hand": "1"}


NOBODY: Any = Somebody()


def _making(somebody: Somebody) -> Any:
    return lambda _: somebody


def _written(results: Results, folder: Path) -> tuple[dict, str]:
    results.write(folder)
    return json.loads((folder / "latest.json").read_text()), (folder / "README.md").read_text()


def _before(folder: Path) -> None:
    """A page of another day, with one part of ours and one of those by hand."""
    before = Results(1, Sizes())
    before.about("clew", NOBODY)
    before.add("clew", "carts", CARTS, "0.5")
    before.add("clew", "ingest", {"P9": {"acks_a_second": 80.0}}, "0.5")
    before.about("bare", NOBODY)
    before.add("bare", "carts", {**CARTS, "P1": 28}, "0.5")
    found, _ = _written(before, folder)
    for row in found["rows"].values():
        for part in row.get("parts", {}).values():
            part["date"] = "2026-01-02"
    (folder / "latest.json").write_text(json.dumps(found))


def test_what_is_measured_again_has_a_new_day_and_the_rest_keeps_its_own(tmp_path) -> None:
    _before(tmp_path)

    now = Results(1, Sizes(), kept(tmp_path))
    now.about("clew", NOBODY)
    now.add("clew", "carts", {**CARTS, "P1": 31}, "0.2")
    found, page = _written(now, tmp_path)

    ours, by_hand = found["rows"]["clew"], found["rows"]["bare"]
    assert (ours["P1"], ours["P9"]["acks_a_second"], by_hand["P1"]) == (31, 80.0, 28)
    assert ours["parts"]["carts"]["date"] > "2026-01-02"
    assert ours["parts"]["ingest"]["date"] == by_hand["parts"]["carts"]["date"] == "2026-01-02"
    assert found["gates"]["P1"] == {
        "value": 1.107,
        "gate": 1.15,
        "met": True,
        "words": "events of cart-full, × by hand",
    }
    assert "| P1 history events | 31 | 28 |" in page


def test_a_hole_that_is_filled_later_is_no_hole_any_more(tmp_path) -> None:
    first = Results(1, Sizes())
    first.about("clew", NOBODY)
    first.failed("clew", "carts", "TimeoutError: nobody came")
    first.left_out("clew", "wave")
    _, page = _written(first, tmp_path)
    assert "TimeoutError: nobody came" in page
    assert "left out: there was no time for it" in page

    later = Results(1, Sizes(), kept(tmp_path))
    later.about("clew", NOBODY)
    later.add("clew", "carts", CARTS, "0.1")
    later.add("clew", "wave", {"P14": {"drained_a_second": 7.0}}, "0.1")
    _, page = _written(later, tmp_path)
    assert "What is missing" not in page


def test_a_number_of_several_turns_says_between_what_they_lay(tmp_path) -> None:
    results = Results(3, Sizes())
    results.about("clew", NOBODY)
    for p50 in (20, 26, 23):
        results.add("clew", "answers", {"P7": {"quiet": {"p50": p50}}}, "0.1")
        results.add("clew", "carts", CARTS, "0.1")

    _, page = _written(results, tmp_path)

    assert "| P7 p50 at 5/s, ms | 23 (20–26) |" in page
    assert "| P1 history events | 36 |" in page


async def test_an_engine_that_is_not_here_has_a_row_that_says_so(tmp_path) -> None:
    somebody = Somebody("there is no redis-server on PATH: apt-get install redis-server")
    results = Results(1, sizes := Sizes())
    here = {"bare": _making(somebody)}
    turns = Turns(results, sizes, Sitting(None, sizes), tmp_path, keep=False, contenders=here)

    await turns.all(plan(["bare"], ["noise"], 1))

    assert somebody.stopped
    page = (tmp_path / "README.md").read_text()
    assert "| bare | start | not run here: there is no redis-server on PATH" in page


async def test_what_means_nothing_to_an_engine_is_said_with_the_reason(tmp_path) -> None:
    results = Results(1, sizes := Sizes())
    here = {"bare": _making(Somebody())}
    turns = Turns(results, sizes, Sitting(None, sizes), tmp_path, keep=False, contenders=here)

    await turns.all(plan(["bare"], ["noise"], 1))

    assert "| bare | noise: P5 | it keeps no history |" in (tmp_path / "README.md").read_text()


def test_a_program_that_is_missing_is_named_with_its_remedy(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotHereError, match="apt-get install redis-server"):
        redis_server()


def test_only_what_varies_is_measured_in_every_round() -> None:
    turns = plan(["clew", "celery"], ["carts", "noise", "eta"], 2)

    assert turns == [
        (1, "clew", ["carts", "noise"]),
        (1, "celery", ["carts", "noise", "eta"]),
        (2, "clew", ["carts"]),
        (2, "celery", ["carts"]),
    ]


def test_a_sitting_has_no_time_for_what_takes_longer_than_its_share() -> None:
    sizes = sitting()
    turns = [("clew", ["carts", "recovery"]), ("bare", ["carts", "recovery"])]
    needed = sum(turn_seconds(sizes, parts) for _, parts in turns)

    short, long = Sitting(needed / 2, sizes), Sitting(3 * needed, sizes)
    assert short.turn(turns)
    assert long.turn(turns)
    assert [short.has_time_for("clew", part) for part in turns[0][1]] == [True, False]
    assert [long.has_time_for("clew", part) for part in turns[0][1]] == [True, True]
    short.took("clew", "recovery", 1)
    assert short.has_time_for("clew", "recovery")
    assert not Sitting(10, sizes).turn(turns)


def test_a_missed_gate_says_by_how_much() -> None:
    assert missed_by({"value": 1.44, "gate": 1.2}) == "by 20%"
    assert missed_by({"value": 0.6, "gate": 0.8}) == "by 25%"
    assert missed_by({"value": 2.0, "gate": 0}) == "by 2"
