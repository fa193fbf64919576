"""What the README prints is true: its journey passes the gate, and its scenario comes out as it says."""

import re
import textwrap
from pathlib import Path

from channels.message_file import parse_message
from insight.scenario import read_scenarios
from insight.scenario_play import play
from journey.publication import read_definition

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
