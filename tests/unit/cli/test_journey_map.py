"""`clew map` draws what runs with what lies beside it, and refuses the rest as `clew check` does."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer

from cli.journey_map import Format, draw_map
from cli.output import CommandError
from tests.unit.insight.mapped import GOALS, JOURNEY, PERSONAS, TOUCHPOINTS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "cart"
    folder.mkdir()
    known = TOUCHPOINTS + "  - {touchpoint: Undescribed Thing, interface: [web], intent: none}\n"
    known = known.replace("{revenue: number}", "{revenue: number, cart: text}")
    known = known.replace("{words: text}", "{words: text, cart: text}")
    (folder / "journey.yaml").write_text(JOURNEY)
    (folder / "touchpoints.yaml").write_text(known)
    (tmp_path / "personas.yaml").write_text(PERSONAS)
    (tmp_path / "goals.yaml").write_text(GOALS)
    return folder


def test_the_map_of_a_folder_goes_to_the_screen_as_svg(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_map(folder)

    told = capsys.readouterr().out
    assert ElementTree.fromstring(told).tag.endswith("}svg")
    assert "The planner" in told
    assert "Fewer are lost" in told


def test_a_file_and_its_folder_have_the_same_map(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_map(folder, Format.MARKDOWN)
    draw_map(folder / "journey.yaml", Format.MARKDOWN)

    whole = capsys.readouterr().out
    assert whole.startswith("# Help who hesitates\n")
    assert whole[: len(whole) // 2] == whole[len(whole) // 2 :]


@pytest.mark.parametrize(("name", "begins"), [("a.svg", "<svg"), ("a.md", "# "), ("a.MD", "# ")])
def test_the_ending_of_the_file_says_how_it_is_written(
    folder: Path, name: str, begins: str
) -> None:
    draw_map(folder, output=folder / name)

    assert (folder / name).read_text().startswith(begins)


def test_another_ending_is_wrong_use(folder: Path) -> None:
    with pytest.raises(CommandError, match=r"end it in .svg or .md") as refused:
        draw_map(folder, output=folder / "map.png")

    assert refused.value.code == 2


def test_a_place_that_cannot_be_written_is_named(folder: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        draw_map(folder, output=folder / "nowhere" / "map.svg")


def test_a_journey_with_a_problem_has_no_map(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "touchpoints.yaml").write_text(TOUCHPOINTS)

    with pytest.raises(typer.Exit):
        draw_map(folder)

    told = capsys.readouterr()
    assert told.out == ""
    assert "touchpoint 'Undescribed Thing' is not described" in told.err
