"""What docs/messages.md prints is true: its files pass the check, and each variant is put into words."""

import re
from pathlib import Path
from typing import Any

import pytest

from activities.message_text import RenderFor
from channels.message_variants import each_variant
from cli.journey_files import check_files, find_files
from cli.message_sources import message_beside
from cli.message_values import in_words, looked_up

PAGE = Path("docs/messages.md").read_text()
FILES = dict(re.findall(r"^`(messages/[^`]+)`:\n\n```\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
JOURNEY = """
language: 1
journey: flight
title: A flight
owner: operations
enter: {on: Flight Booked}
keep: {departs: event.properties.departs, page: event.properties.page, flight: event.properties.flight}
stages:
  - stage: booked
    steps:
      - send: {message: late, via: [email, sms], purpose: service}
      - send: {message: boarding, purpose: service}
      - send: {message: welcome, purpose: marketing}
      - finish: told
"""
VALUES = (
    'run: {flight: UA1, departs: "2026-03-02T09:10:00Z", page: "https://meridian.example/f/1"}\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path = tmp_path / "docs" / "flight"
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "messages" / "boarding.example.yaml").write_text(VALUES)
    (tmp_path / "journey.yaml").write_text(JOURNEY)
    return tmp_path


def test_its_files_pass_the_check_and_nothing_is_to_be_looked_at(folder: Path) -> None:
    checked = check_files(find_files([folder]), None)

    assert checked.problems == []
    assert [str(each) for each in checked.warnings if "touchpoints" not in each.message] == []
    assert sorted(checked.messages) == ["boarding", "late", "welcome"]


@pytest.mark.parametrize("name", ["late", "boarding", "welcome"])
def test_each_file_is_put_into_words(folder: Path, name: str) -> None:
    path = folder / "messages" / f"{name}.md"
    message, given, _ = looked_up(str(path), folder, customer=None, journey=None, values=None)

    for whom, file in each_variant(message_beside(path)):
        told = in_words(message, given, whom)
        assert told.chosen.startswith(f"{file.name}.md ")
        assert told.text.strip()
        assert told.html or whom.channel != "email"


def test_its_order_of_choice_is_the_true_one(folder: Path) -> None:
    path = folder / "messages" / "late.md"
    message, given, _ = looked_up(str(path), folder, customer=None, journey=None, values=None)

    def chosen(**whom: Any) -> str:
        return in_words(message, given, RenderFor(**whom)).chosen.split(" ")[0]

    assert chosen(locale="de", feeling="upset") == "late.de.md"
    assert chosen(locale="fr", feeling="angry") == "late.upset.md"
    assert chosen(channel="sms", locale="de-AT") == "late.sms.de.md"
    assert chosen(channel="slack") == "late.md"
