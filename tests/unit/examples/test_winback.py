"""The purchases of CDNOW, where they are installed, are all read, and go through winback."""

from pathlib import Path

import pytest

from insight.backtest import PartBacktest, tasks_of
from insight.backtest_customers import Bounds
from insight.backtest_figures import Figures
from insight.backtest_world import RecordedWorld
from insight.recorded_touchpoints import Recorded, RecordingMissingError, cdnow_file, read_cdnow
from insight.sorted_recording import SortedRecording
from journey.publication import read_definition

JOURNEY = Path(__file__).parents[3] / "examples" / "winback" / "journey.yaml"


@pytest.fixture
def purchases() -> list[Recorded]:
    try:
        path = cdnow_file()
    except RecordingMissingError as error:
        pytest.skip(str(error))
    return [each for each in read_cdnow(path) if isinstance(each, Recorded)]


def test_every_purchase_is_read(purchases: list[Recorded]):
    assert len(purchases) == 69_659
    assert len({each.customer for each in purchases}) == 23_570


def test_a_hundred_customers_drift_and_some_come_back(purchases: list[Recorded], tmp_path: Path):
    program = read_definition(JOURNEY.read_text(), JOURNEY.name).program
    recording = SortedRecording(tmp_path, "Order Completed")
    for each in purchases:
        recording.take(each)
    recording.close(100)
    assert recording.begins is not None
    assert recording.ends is not None
    within = Bounds(begins=recording.begins, ends=recording.ends, highest_lot=recording.highest_lot)
    player, figures = (
        PartBacktest(program, within, lambda: RecordedWorld({"email"}, {})),
        Figures(),
    )
    for task in tasks_of(program, recording):
        figures.add(player.play(task), 0)
    outcomes = {outcome for outcome, _, _ in figures.outcomes}

    assert figures.entered == figures.customers == 100
    assert {"lost", "won-back", "goes on"} <= outcomes
    assert figures.standing.keys() <= {"in-rhythm", "drifting", "back"}
    assert not any("stopped" in what or "failed" in what for what, _ in figures.why_not)
