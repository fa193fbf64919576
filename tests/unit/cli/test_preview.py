"""A message is looked at as one customer would read it, with values that are true to life."""

import json
from pathlib import Path

import pytest

from cli import page_picture
from cli.message_links import links
from cli.output import CommandError
from cli.preview import preview

LATE = Path("examples/flight/messages/flight-delayed.md")


def test_values_come_from_a_scenario_that_sends_it(capsys: pytest.CaptureFixture[str]) -> None:
    preview(str(LATE), locale="de-AT", feeling="angry")

    said = capsys.readouterr()
    assert "Minuten zu spät, um 17:00" in said.out
    assert "flight-delayed.de-upset.md" in said.err
    assert "With it: invite.ics" in said.err


def test_a_text_message_is_counted_as_networks_do(capsys: pytest.CaptureFixture[str]) -> None:
    preview(str(LATE), channel="sms")

    assert "1 text message: " in capsys.readouterr().err


def test_every_variant_is_shown_for_whom_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    preview(str(LATE), every=True, as_json=True)

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["chosen"].split(" ")[0] for each in told] == [
        "flight-delayed.md",
        "flight-delayed.de-upset.md",
        "flight-delayed.de.md",
        "flight-delayed.sms.de.md",
        "flight-delayed.sms.md",
        "flight-delayed.upset.md",
    ]


def test_values_of_its_example_come_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "late.md").write_text("---\nsubject: Late\n---\n{{ run.gate }} {{ data.x }}\n")
    with pytest.raises(CommandError, match=r"late, line 4.*late.example.yaml"):
        preview(str(tmp_path / "late.md"))
    (tmp_path / "late.example.yaml").write_text("run: {gate: B4}\ndata: {x: known}\n")

    preview(str(tmp_path / "late.md"), html=tmp_path / "late.html")

    assert "B4 known" in (tmp_path / "late.html").read_text()
    preview(str(tmp_path / "late.md"), text=True)
    assert capsys.readouterr().out == "B4 known\n"


def test_without_a_browser_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CommandError, match=r"apt-get install chromium.*--html needs none"):
        page_picture.take_picture("<p>", 100, tmp_path / "a.png")


def test_links_are_listed_with_the_messages_that_they_are_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "messages"
    folder.mkdir()
    (folder / "a.md").write_text(
        "---\nsubject: A\nhtml: |\n  <a href='https://a.example/x?y=1&amp;z=2'>\n---\nhttps://b.example/.\n"
    )
    (folder / "b.md").write_text("---\nsubject: A\n---\n{{ run.x }} https://b.example/\n")

    links([tmp_path], offline=True, as_json=True)

    told = json.loads(capsys.readouterr().out)
    assert {each["url"]: len(each["files"]) for each in told} == {
        "https://a.example/x?y=1&z=2": 1,
        "https://b.example/": 2,
    }
