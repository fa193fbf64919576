"""What the README prints is true: its journey passes the gate, and its scenario comes out as it says."""

import re
import textwrap
from pathlib import Path

from typer.main import get_command

from channels.message_file import parse_message
from cli.main import app
from insight.scenario import read_scenarios
from insight.scenario_play import play
from journey.policy_file import read_policy
from journey.publication import read_definition
from workers.__main__ import PROCESSES

README = Path("README.md").read_text()


def block(language: str, begins: str) -> str:
    """The code block of this language that begins like this."""
    blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", README, re.DOTALL | re.MULTILINE)
    texts = [textwrap.dedent(text) for named, text in blocks if named == language]
    [found] = [text for text in texts if text.startswith(begins)]
    return found


def test_the_journey_of_ones_own_is_one_and_its_scenario_passes() -> None:
    message = parse_message("hello", block("", "---\nsubject"))
    program = read_definition(block("yaml", "language: 1"), "README.md", {"hello": message}).program

    scenarios = read_scenarios(block("yaml", "# my-journey"), "README.md")
    [played] = play(program, scenarios, lambda template, _: template)

    assert played.problems == []


def test_the_policy_passes_the_check() -> None:
    policy = read_policy(block("yaml", "# policy.yaml"), "policy.yaml")

    assert policy.caps[0].in_words == "3 in 7d"


def test_its_processes_are_those_there_are() -> None:
    [named] = re.findall(r"`python -m workers ([a-z|]+)`", README)
    assert sorted(named.split("|")) == sorted(PROCESSES)


def test_its_commands_and_its_links_lead_somewhere() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]  # a group of commands
    named = set(re.findall(r"(?:`|^|bin/)clew ([a-z][a-z-]+)", README, flags=re.MULTILINE))
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)|src=\"([^\"]+)\"", README)

    assert named - commands == set()
    assert [link for pair in links for link in pair if link and not Path(link).exists()] == []
