"""`clew graph` draws what runs, and refuses the rest as `clew check` does."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer

from cli.graph import Format, graph
from cli.output import CommandError

JOURNEY = """
language: 1
journey: hello
title: Say hello
owner: growth
enter: {on: Signed Up}
stages:
  - stage: new
    steps:
      - send: {message: welcome, purpose: service}
      - finish: told
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "messages").mkdir()
    (tmp_path / "journey.yaml").write_text(JOURNEY)
    (tmp_path / "messages" / "welcome.md").write_text('---\nsubject: "Hello"\n---\nHello.\n')
    return tmp_path


def test_a_journey_is_drawn_to_the_screen_as_svg(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph(folder)

    assert ElementTree.fromstring(capsys.readouterr().out).tag.endswith("}svg")


def test_a_file_and_its_folder_are_drawn_alike(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph(folder, Format.MERMAID)
    graph(folder / "journey.yaml", Format.MERMAID)

    whole = capsys.readouterr().out
    assert whole.startswith("flowchart TD\n")
    assert whole[: len(whole) // 2] == whole[len(whole) // 2 :]


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.svg", "<svg"), ("a.SVG", "<svg"), ("a.mmd", "flowchart"), ("a.mermaid", "flowchart")],
)
def test_the_ending_of_the_file_says_how_it_is_drawn(folder: Path, name: str, begins: str) -> None:
    graph(folder, output=folder / name)

    assert (folder / name).read_text().startswith(begins)


def test_what_is_asked_for_goes_before_the_ending(folder: Path) -> None:
    graph(folder, Format.MERMAID, folder / "a.txt")

    assert (folder / "a.txt").read_text().startswith("flowchart")


def test_an_unknown_ending_is_refused_with_those_that_are_known(folder: Path) -> None:
    with pytest.raises(CommandError) as refused:
        graph(folder, output=folder / "a.png")

    assert refused.value.code == 2
    assert ".svg, .mmd, .mermaid" in str(refused.value)
    assert not (folder / "a.png").exists()


def test_a_file_that_cannot_be_written_is_told(folder: Path) -> None:
    with pytest.raises(CommandError) as refused:
        graph(folder, output=folder / "nowhere" / "a.svg")

    assert "cannot be written: No such file or directory" in str(refused.value)


def test_a_wrong_journey_is_told_with_its_place_and_remedy_and_not_drawn(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "journey.yaml").write_text(JOURNEY.replace("finish: told", "go: nowhere"))

    with pytest.raises(typer.Exit) as ended:
        graph(folder, output=folder / "a.svg")

    said = capsys.readouterr()
    assert ended.value.exit_code == 1
    assert "journey.yaml:11:9: " in said.err
    assert "→ the stages are new" in said.err
    assert said.out == ""
    assert not (folder / "a.svg").exists()


def test_two_journeys_in_one_folder_are_too_many(folder: Path) -> None:
    (folder / "other.journey.yaml").write_text(JOURNEY.replace("hello", "other"))

    with pytest.raises(CommandError, match=r"name one journey; here are 2\."):
        graph(folder)
