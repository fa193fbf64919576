"""A run that began under any released engine goes on as it was under this build."""

import json
from pathlib import Path

import pytest

from cli.output import CommandError
from cli.replay_check import replay_check
from tests.replay.stories import STORIES
from tests.scorecard import keep
from workers.replaying import replay_recorded

HISTORIES = Path(__file__).parent / "histories"
RECORDED = sorted(HISTORIES.glob("engine-*/*.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_recorded_run_replays(path: Path) -> None:
    assert (await replay_recorded(path)).differs == ""


async def test_no_history_of_any_release_breaks() -> None:
    broken = [path.stem for path in RECORDED if (await replay_recorded(path)).differs]

    engines = {path.parent.name for path in RECORDED}
    figures = {"histories": len(RECORDED), "engines": len(engines), "breaks": len(broken)}
    keep("R9", figures, met=not broken)
    assert broken == []


def test_every_story_is_recorded() -> None:
    assert {path.stem for path in RECORDED} >= {
        story.__name__.replace("_", "-") for story in STORIES
    }


def test_a_build_that_would_do_something_else_is_named_with_the_command_that_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written is changed here in place of the build: a case was opened where a message is sent now."""
    monkeypatch.setenv("CLEW_DATABASE_URL", "")
    recorded = HISTORIES / "engine-1" / "reminded-and-let-go.json"
    folder = tmp_path / "engine-1"
    folder.mkdir()
    written = recorded.read_text().replace('"deliver_message"', '"open_case"')
    (folder / "otherwise.json").write_text(written)

    with pytest.raises(CommandError, match=r"engine-1/otherwise would not go on"):
        replay_check(runs=0, recorded=tmp_path, state=tmp_path)

    told = capsys.readouterr().out
    assert "engine-1/otherwise" in told
    assert "open_case" in told
    assert "deliver_message" in told
    assert json.loads(written)["history"] != json.loads(recorded.read_text())["history"]
