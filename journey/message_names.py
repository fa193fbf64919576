"""What a journey gives to each message that it sends, held against what the message names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from journey.known_events import met
from journey.landscape import Landscape
from journey.program import IN_PLACES, Program
from journey.steps.ask import Ask
from journey.steps.send import Send
from journey.steps.set import Set

ALWAYS = frozenset({"customer", "now"})
"""What every message may name: who reads it, and when."""

_EVENT_FIELDS = frozenset({"name", "timestamp", "properties", "context"})
_SURVEY_FIELDS = frozenset({"link", "name"})


@dataclass(slots=True, frozen=True, kw_only=True)
class Given:
    """What one step gives to its message. `event`: its touchpoint, and `properties` what that tells, if known."""

    message: str
    address: str
    roots: frozenset[str]
    kept: frozenset[str]
    event: str | None = None
    properties: frozenset[str] | None = None


def given_to(program: Program, landscape: Landscape | None = None) -> Iterator[Given]:
    """What each step that sends gives to its message."""
    sets = [node.step for node in program.nodes.values() if isinstance(node.step, Set)]
    kept = {name.partition(".")[2] for step in sets for name in step.values if name[:4] == "run."}
    kept |= {*program.definition.keep, "key"}
    items = frozenset[str]().union(*(node.scope for node in program.nodes.values()))
    events = {path: event for step, path, event in met(program) if isinstance(step, Send | Ask)}
    for node in program.nodes.values():
        step = node.step
        if not isinstance(step, Send | Ask):
            continue
        event = events.get(node.path)
        described = landscape.touchpoints.get(event) if landscape and event else None
        properties = described.properties if described else None
        roots = (program.names - items - IN_PLACES.keys() | node.scope) | ALWAYS
        yield Given(
            message=step.message if isinstance(step, Send) else step.invitation,
            address=node.address,
            roots=roots | {"survey"} if isinstance(step, Ask) else roots,
            kept=frozenset(kept),
            event=event,
            properties=None if properties is None else frozenset(properties),
        )


def not_given(given: Given, name: str) -> tuple[str, str] | None:
    """Why a step does not give a variable, and the remedy; None where it gives it, or may."""
    root, *rest = name.split(".")
    first = rest[0] if rest else None
    if root not in given.roots:
        remedy = f"there are {_listed(given.roots | {'house', 'data'})}"
        if root == "survey":
            remedy = "an ask gives it; a send does not"
        return f"there is no {root!r} here", remedy
    if root == "run" and first is not None and first not in given.kept:
        return f"run.{first} is never kept", f"add {first}: under keep:, or set it; or correct it"
    if root == "survey" and first is not None and first not in _SURVEY_FIELDS:
        return f"survey.{first} is not given", "there are survey.link and survey.name"
    if root == "event" and first is not None and first not in _EVENT_FIELDS:
        return f"event.{first} is not part of a touchpoint", f"write event.properties.{first}"
    told = given.properties
    tells = told is None or root != "event" or rest[:1] != ["properties"] or not rest[1:]
    if not tells and told is not None and rest[1] not in told:
        words = f"{given.event!r} does not tell {rest[1]!r}"
        return words, f"it tells {_listed(told)}; describe it in touchpoints.yaml if it does"
    return None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
