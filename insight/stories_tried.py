"""Scenarios played on a definition that is not yet published: each green or red, where it failed, and what happened."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from insight.scenario import read_scenarios
from insight.scenario_play import Played, Say, Unsayable, play
from insight.tried import StoriesOrder, StoriesTried, Story, definition_of, fault_of
from journey.document import InvalidDocumentError

NAME = "scenarios"
MOST_HAPPENINGS = 50_000
"""Of one scenario: four weeks of a journey that does something each minute are 40,000."""

MOST_FAULTS, MOST_DECISIONS = 50, 100
"""As many are told of the file or of one scenario; the last of the decisions are nearest to what is wrong."""

MOST_TOLD = 2_000
"""Characters of one line."""


def stories_tried(
    order: StoriesOrder, say: Say, message: Unsayable, brief: Unsayable
) -> StoriesTried:
    """Play them. What cannot be read is told with its place."""
    program = definition_of(order.edited).program
    known = {each.name for each in order.messages}

    def unsayable(name: str, values: Mapping[str, JsonValue]) -> str | None:
        return message(name, values) if name in known else None

    try:
        scenarios = read_scenarios(order.stories, NAME)
    except InvalidDocumentError as error:
        return StoriesTried(faults=[fault_of(each) for each in error.problems[:MOST_FAULTS]])
    played = play(program, scenarios, say, message=unsayable, brief=brief, most=MOST_HAPPENINGS)
    return StoriesTried(stories=list(map(_story, played)))


def _story(played: Played) -> Story:
    faults = [fault_of(each) for each in played.problems[:MOST_FAULTS]]
    for each in faults:
        each.message = each.message[:MOST_TOLD]
    decisions = [] if played.passed else list(_told(played))
    left_out = 0 if played.passed else max(0, len(played.decisions) - MOST_DECISIONS)
    return Story(scenario=played.scenario, faults=faults, decisions=decisions, left_out=left_out)


def _told(played: Played) -> Iterator[str]:
    for each in played.decisions[-MOST_DECISIONS:]:
        yield each[:MOST_TOLD]
