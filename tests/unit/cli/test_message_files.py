"""Messages as files: every variant is checked, against what it shares and what the journey gives."""

from collections.abc import Callable
from pathlib import Path

import pytest

from channels.shared_words import SharedWords
from cli.journey_files import CheckedFiles, Published, check_files, find_files
from journey.house_voice import HouseVoice

JOURNEY = """
language: 1
journey: flight
title: A flight
owner: operations
enter: {on: Flight Booked}
keep: {gate: event.properties.gate}
stages:
  - stage: booked
    steps:
      - send: {message: late, purpose: service}
      - finish: told
"""
LATE = '---\nsubject: "Late"\n---\nGate {{ run.gate }}.\n'
HOUSE = "name: Meridian\npostal_address: Runway Road\nnever: [valued customer]\ncolours: {main: '#123'}\n"
TOUCHPOINTS = """
touchpoints:
  - {touchpoint: Flight Booked, interface: [web], intent: to go away, owner: sales, properties: {gate: text}}
"""

Check = Callable[..., CheckedFiles]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Write files into `messages`, and check the folder with its journey."""

    def checked(files: dict[str, str], journey: str = JOURNEY) -> CheckedFiles:
        (tmp_path / "journey.yaml").write_text(journey)
        (tmp_path / "touchpoints.yaml").write_text(TOUCHPOINTS)
        for name, text in files.items():
            path = tmp_path / "messages" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check_files(find_files([tmp_path]), None)

    return checked


def told(found: CheckedFiles) -> list[tuple[str, int, str]]:
    return [(Path(each.file).name, each.line, each.message) for each in found.problems]


def test_all_files_of_a_message_are_one_whichever_is_named(check: Check, tmp_path: Path) -> None:
    de = LATE.replace("---\nGate", "locale: de\n---\nTor")
    check({"late.md": LATE, "late.de.md": de})

    for named in ("late.md", "late.de.md"):
        found = check_files(find_files([tmp_path / "messages" / named]), None)
        message, source = found.messages["late"]
        assert [file.name for file in message.files] == ["late", "late.de"]
        assert "late.de.md" in source


def test_a_variant_is_held_against_the_journey_as_its_base_is(check: Check) -> None:
    de = "---\nsubject: Tor\nlocale: de\n---\nTor {{ run.gat }}, {{ survey.link }}.\n{{ run.when | default: 1 }}\n"

    found = check({"late.md": LATE, "late.de.md": de})

    assert told(found) == [
        ("late.de.md", 5, "run.gat is never kept (booked/0 of flight sends it)"),
        ("late.de.md", 5, "there is no 'survey' here (booked/0 of flight sends it)"),
    ]
    [warning] = [each for each in found.warnings if "run.when" in each.message]
    assert (Path(warning.file).name, warning.line) == ("late.de.md", 6)


def test_a_touchpoint_tells_only_what_is_described(check: Check) -> None:
    journey = JOURNEY.replace(
        "      - finish",
        "      - wait:\n          any: [{on: Flight Booked, do: [{send: {message: again, purpose: service}}]}]\n"
        "          until: 2d\n          late: []\n      - finish",
    )
    again = "---\nsubject: Again\n---\n{{ event.properties.gate }} {{ event.properties.gaet }} {{ event.gate }}\n"

    found = check({"late.md": LATE, "again.md": again}, journey)

    assert [words.split(" (")[0] for _, _, words in told(found)] == [
        "event.gate is not part of a touchpoint",
        "'Flight Booked' does not tell 'gaet'",
    ]


@pytest.mark.parametrize(
    ("text", "files", "problem"),
    [
        ('{% render "bye" %}', {}, ("late.md", 4, "there is no block 'bye'")),
        ("{{ house.name }}", {}, ("late.md", 4, "house.name is not known")),
        ("{{ house.nme }}", {"house.yaml": HOUSE}, ("late.md", 4, "there is no house.nme")),
        (
            "{{ house.colours.red }}",
            {"house.yaml": HOUSE},
            ("late.md", 4, "house.yaml has no colour 'red'"),
        ),
        ("{{ data.gate }}", {}, ("late.md", 4, "data.gate is not read")),
        (
            '{% render "a" %}',
            {"blocks/a.liquid": '{% render "b" %}', "blocks/b.liquid": 'x\n{% render "a" %}'},
            ("a.liquid", 1, "block 'a' puts itself in"),
        ),
        (
            '{% render "a" %}',
            {"blocks/a.liquid": "x\n{{ | }}"},
            ("a.liquid", 2, None),
        ),
        ('{% render "a" %}', {"blocks/A.liquid": "x"}, ("A.liquid", 1, "'A' is no name for a block")),
        ("a", {"house.yaml": "name: M\nlocale: English\n"}, ("house.yaml", 2, None)),
    ],
)  # fmt: skip
def test_what_is_shared_must_be_there(
    check: Check, text: str, files: dict[str, str], problem: tuple[str, int, str | None]
) -> None:
    first = told(check({"late.md": f"---\nsubject: Late\n---\n{text}\n", **files}))[0]

    assert first[:2] == problem[:2]
    assert problem[2] in (None, first[2])


def test_what_is_live_counts_where_that_is_known(check: Check, tmp_path: Path) -> None:
    check({"late.md": '---\nsubject: Late\n---\n{% render "bye" %} {{ house.name }}\n'})
    shared = SharedWords(blocks={"bye": "Bye"}, voice=HouseVoice(name="Meridian"))

    found = check_files(find_files([tmp_path]), Published(messages=[], shared=shared))

    assert found.problems == []


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("---\nsubject: Hi\n---\nDear\nValued  customer\n", None, ""),
        ("---\nsubject: Hi\n---\nDear\nvalued customer,\n", 5, "the house never says"),
        ("---\nsubject: READ THIS NOW\n---\nA.\n", 2, "all capitals"),
        ("---\nsubject: Now!\n---\nA!\n", 2, "2 exclamation marks"),
        ("---\nsubject: Hi\nhtml: |\n  <p>\n  <img src='a.png'></p>\n---\n", 5, "no alt text"),
        ("---\nsubject: Hi\npurpose: marketing\n---\nBuy.\n", 2, "postal address"),
        (
            "---\nsubject: Hi\npurpose: marketing\n---\nBuy. {{ house.postal_address }}\n",
            None,
            "",
        ),
    ],
)
def test_what_should_be_looked_at_is_told_with_its_line(
    check: Check, source: str, line: int | None, words: str
) -> None:
    found = check({"late.md": source, "house.yaml": HOUSE})

    assert found.problems == []
    assert [each.line for each in found.warnings] == ([] if line is None else [line])
    assert all(words in each.message for each in found.warnings)


def test_a_dear_text_message_is_told_and_a_language_that_it_lacks(check: Check) -> None:
    files = {
        "late.md": LATE,
        "late.de.md": LATE.replace("---\nGate", "locale: de\n---\nTor"),
        "late.sms.md": f"---\nchannel: sms\n---\n{'Přijďte včas. ' * 8}\n",
    }

    words = [each.message for each in check(files).warnings]

    assert "ř ď č makes a text message hold 70 letters, not 160" in words[0]
    assert "2 text messages each time" in words[1]
    assert "who reads de gets it in the language of the base" in words[2]
