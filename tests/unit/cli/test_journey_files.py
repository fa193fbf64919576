"""Which files are meant, and what is wrong with them, each with its place."""

from pathlib import Path

import pytest

from cli.house_files import said_by
from cli.journey_files import Published, check_files, find_files
from cli.output import CommandError
from journey.identity_rules import IdentityRules

JOURNEY = """
language: 1
journey: hello
title: Say hello
owner: growth
enter: {on: Signed Up}
stages:
  - stage: new
    steps:
      - send: {message: welcome, via: [email], purpose: service}
      - finish: told
"""
MESSAGE = '---\nsubject: "Hello"\n---\nHello.\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of journeys. The folder above it is this test's own too, and read as it is by what is tested."""
    journeys = tmp_path / "journeys"
    (journeys / "messages").mkdir(parents=True)
    (journeys / "journey.yaml").write_text(JOURNEY)
    (journeys / "other.journey.yaml").write_text(JOURNEY.replace("hello", "other"))
    (journeys / "unrelated.yaml").write_text("a: b")
    (journeys / "messages" / "welcome.md").write_text(MESSAGE)
    return journeys


def test_a_folder_means_its_journeys_and_its_messages(folder: Path) -> None:
    checked = check_files(find_files([folder]), None)

    assert checked.problems == []
    assert [found.journey for found in checked.journeys] == ["hello", "other"]
    assert list(checked.messages) == ["welcome"]


def test_a_journey_by_itself_is_held_to_the_messages_beside_it(folder: Path) -> None:
    (folder / "messages" / "welcome.md").rename(folder / "messages" / "bye.md")

    checked = check_files(find_files([folder / "journey.yaml"]), None)

    [problem] = checked.problems
    assert problem.line == 10
    assert "there is no message 'welcome'" in problem.message
    assert problem.remedy == "the messages are bye"
    assert checked.messages == {}


def test_without_any_message_in_sight_nothing_is_said_of_messages(tmp_path: Path) -> None:
    (tmp_path / "journey.yaml").write_text(JOURNEY)

    assert check_files(find_files([tmp_path]), None).problems == []


def test_to_publish_the_message_must_be_live_or_come_along(tmp_path: Path) -> None:
    (tmp_path / "journey.yaml").write_text(JOURNEY)
    found = find_files([tmp_path])

    assert [problem.line for problem in check_files(found, Published(messages=[])).problems] == [10]
    assert check_files(found, Published(messages=["welcome"])).problems == []


def test_every_problem_of_every_file_is_told(folder: Path) -> None:
    (folder / "journey.yaml").write_text(JOURNEY.replace("finish: told", "go: nowhere"))
    (folder / "messages" / "welcome.md").write_text("Hello")

    problems = check_files(find_files([folder]), None).problems

    assert {Path(problem.file).name for problem in problems} == {"journey.yaml", "welcome.md"}
    assert all(problem.remedy for problem in problems)


SHOWN = """      - show:
          at: [web]
          say: |
            Hello.
            Your plan is {{ customer.plan | shout }}
"""


def test_words_that_could_never_be_filled_in_are_told_at_their_place(folder: Path) -> None:
    steps = "    steps:\n"
    (folder / "journey.yaml").write_text(JOURNEY.replace(steps, steps + SHOWN))

    for published in (None, Published(messages=["welcome"])):
        [problem] = check_files(find_files([folder]), published).problems

        assert str(problem) == (
            f"{folder}/journey.yaml:14:45: stages[0].steps[0].show.say: unknown filter 'shout'"
            " → correct the template and publish it again"
        )


@pytest.mark.parametrize("name", ["nothing", "nothing.yaml", "pyproject.toml"])
def test_a_path_that_holds_nothing_of_ours_is_wrong_use(tmp_path: Path, name: str) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "nothing").mkdir()

    with pytest.raises(CommandError) as refused:
        find_files([tmp_path / name])

    assert refused.value.code == 2
    assert name in str(refused.value)


TOUCHPOINTS = "touchpoints: [{touchpoint: %s, interface: [web], intent: wants to look around}]"


def test_where_nobody_described_a_touchpoint_it_is_a_warning_and_nothing_more(folder: Path) -> None:
    checked = check_files(find_files([folder / "journey.yaml"]), None)

    [warning] = checked.warnings
    assert checked.problems == []
    assert warning.file == str(folder / "journey.yaml")
    assert "describes its 1 touchpoints" in warning.message
    assert "docs/language/landscape.md" in warning.remedy


@pytest.mark.parametrize("where", [".", ".."], ids=["beside it", "in the folder above"])
def test_where_some_are_described_the_others_are_refused(folder: Path, where: str) -> None:
    described = (folder / where / "touchpoints.yaml").resolve()
    described.write_text(TOUCHPOINTS % "Signed Out")

    checked = check_files(find_files([folder / "journey.yaml"]), None)

    [problem] = checked.problems
    assert checked.warnings == []
    assert (problem.line, problem.column) == (6, 9)
    assert "touchpoint 'Signed Up' is not described" in problem.message
    described.write_text(TOUCHPOINTS % "Signed Up")
    assert check_files(find_files([folder / "journey.yaml"]), None).problems == []


def test_the_folder_above_the_one_above_is_another_business(folder: Path) -> None:
    (folder / "inner" / "journey").mkdir(parents=True)
    (folder / "touchpoints.yaml").write_text(TOUCHPOINTS % "Signed Out")
    (folder / "inner" / "journey" / "journey.yaml").write_text(JOURNEY)

    checked = check_files(find_files([folder / "inner" / "journey"]), None)

    assert checked.problems == []
    assert len(checked.warnings) == 1


def test_what_is_wrong_with_a_description_is_told_once_for_all_journeys_around_it(
    folder: Path,
) -> None:
    (folder / "goals.yaml").write_text("goals: [{goal: more, title: More}]")

    checked = check_files(find_files([folder, folder / "goals.yaml"]), None)

    [problem] = checked.problems
    assert problem.file == str(folder / "goals.yaml")
    assert problem.message == "owner is missing"


def test_descriptions_may_be_checked_by_themselves(folder: Path) -> None:
    (folder / "touchpoints.yaml").write_text(TOUCHPOINTS % "Signed Up")

    checked = check_files(find_files([folder / "touchpoints.yaml"]), None)

    assert checked.problems == []
    assert checked.landscapes == [folder / "touchpoints.yaml"]


def test_what_is_around_is_named_as_the_person_named_the_journey(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "touchpoints.yaml").write_text(TOUCHPOINTS % "Signed Out")
    (folder / "personas.yaml").write_text("personas: []")
    (folder / "inner").mkdir()
    (folder / "inner" / "journey.yaml").write_text(JOURNEY)
    monkeypatch.chdir(folder / "inner")

    [problem] = check_files(find_files([Path("journey.yaml")]), None).problems

    assert problem.file == "../personas.yaml"


def test_rules_of_the_house_are_checked_with_the_rest_and_there_is_one_file_of_them(
    folder: Path,
) -> None:
    (folder / "identities.yaml").write_text("identities:\n  email: {limit: 3}\n")
    other = folder / "elsewhere" / "identities.yaml"
    other.parent.mkdir()
    other.write_text("identities:\n  email: {limt: 3}\n")

    checked = check_files(find_files([folder]), None)
    assert checked.problems == []
    rules = said_by(checked.house, IdentityRules)
    assert rules is not None
    assert rules.limit("email") == 3

    [problem] = check_files(find_files([other]), None).problems
    assert (problem.line, problem.path) == (2, "identities.email.limt")
    [problem] = check_files(find_files([folder, other]), None).problems
    assert problem.remedy == "keep one file for the whole house"
