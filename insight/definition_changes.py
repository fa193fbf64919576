"""What differs between two versions of a journey, and what becomes of who stands where when moved."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal, cast

import orjson
from pydantic import BaseModel

from journey.document import Path, written
from journey.language import Step, WrittenStep
from journey.moving import only_begins, stays_at
from journey.program import Program

Kind = Literal["added", "removed", "changed"]

_WHOLE = (
    "title",
    "description",
    "owner",
    "shared_with",
    "personas",
    "goals",
    "zone",
    "enter",
    "match",
    "listen",
    "keep",
    "exit",
    "priority",
    "while_running",
    "goal",
)
WAITS = (
    "wait",
    "handoff",
    "for_each",
    "parallel",
    "promise",
    "send",
    "set",
    "ask",
    "offer",
    "show",
    "call",
    "run",
)
"""Kinds of step at which a run may stand."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Change:
    """One difference. `place`: the address of a step, with the field of it, or a part of the definition."""

    kind: Kind
    place: str
    was: str = ""
    now: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class Standing:
    """What becomes of a customer who stands at a step of the old version and is moved to the new one."""

    address: str
    step: str
    becomes: str


def changes(old: Program, new: Program) -> list[Change]:
    """Every difference in what the two versions say, in the order of the new one."""
    return list(_Comparison(old, new).changes())


def standings(old: Program, new: Program) -> list[Standing]:
    """What becomes of those who cannot stay where they stand, by the rules of moving a run."""
    found: list[Standing] = []
    for node in old.nodes.values():
        if node.step.kind not in WAITS:
            continue
        if not stays_at(new, node):
            becomes = _becomes(node.stage, new)
        elif only_begins(new.nodes[node.address].step):
            becomes = "goes on behind it: the new version does not wait for how that journey ends"
        else:
            continue
        found.append(Standing(address=node.address, step=node.step.kind, becomes=becomes))
    return found


def what_becomes(old: Program, new: Program) -> dict[str, str]:
    """The same by address, in words."""
    return {each.address: each.becomes for each in standings(old, new)}


def _becomes(stage: str | None, new: Program) -> str:
    if stage is None:
        return "the reaction is dropped"
    if stage in new.stages:
        return f"begins stage {stage} anew"
    return f"begins the journey anew, at {new.definition.stages[0].stage}"


class _Comparison:
    def __init__(self, old: Program, new: Program) -> None:
        self._old, self._new = old, new
        self._addresses = {
            id(node.step): node.address for each in (old, new) for node in each.nodes.values()
        }

    def changes(self) -> Iterator[Change]:
        old, new = self._old.definition, self._new.definition
        for name in _WHOLE:
            yield from _fields(name, getattr(old, name), getattr(new, name))
        yield from self._lists(old.on_exit, new.on_exit)
        was = {stage.stage: stage for stage in old.stages}
        now = {stage.stage: stage for stage in new.stages}
        for name in dict.fromkeys([*now, *was]):
            if name in was and name in now:
                yield from _fields(name, was[name], now[name])
                yield from self._lists(was[name].steps, now[name].steps)
            else:
                yield _only(name, "stage", new=name in now)
        for index, (before, after) in enumerate(zip_longest(old.whenever, new.whenever)):
            place = f"whenever/{index}"
            if before and after:
                yield from _fields(place, before, after)
                yield from self._lists(before.do, after.do)
            elif told := before or after:
                words = f"on {told.on}" if told.on else f"when {told.when}"
                yield _only(place, words, new=before is None)

    def _lists(self, old: Sequence[WrittenStep], new: Sequence[WrittenStep]) -> Iterator[Change]:
        """Steps that are the same stay out of it; of the others, those of one kind are held together."""
        same = SequenceMatcher(
            None, [_text(each) for each in old], [_text(each) for each in new], autojunk=False
        )
        for word, a, b, c, d in same.get_opcodes():
            if word == "equal":
                continue
            kinds = [each.step.kind for each in old[a:b]], [each.step.kind for each in new[c:d]]
            for alike, e, f, g, h in SequenceMatcher(None, *kinds, autojunk=False).get_opcodes():
                if alike == "equal":
                    for was, now in zip(old[a + e : a + f], new[c + g : c + h], strict=True):
                        yield from self._steps(was.step, now.step)
                    continue
                for gone in old[a + e : a + f]:
                    yield _only(self._address(gone.step), gone.step.kind, new=False)
                for come in new[c + g : c + h]:
                    yield _only(self._address(come.step), come.step.kind, new=True)

    def _steps(self, old: Step, new: Step) -> Iterator[Change]:
        yield from _fields(self._address(new), old, new)
        was, now = ({name: steps for name, _, steps in step.blocks()} for step in (old, new))
        for name in dict.fromkeys([*now, *was]):
            yield from self._lists(was.get(name, []), now.get(name, []))

    def _address(self, step: Step) -> str:
        return self._addresses[id(step)]


def _only(place: str, words: str, *, new: bool) -> Change:
    """Something that one of the two has only."""
    if new:
        return Change(kind="added", place=place, now=words)
    return Change(kind="removed", place=place, was=words)


def _text(step: WrittenStep) -> bytes:
    """A step with all that is in it, as text that is the same for the same step."""
    plain = step.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)


def _fields(place: str, old: object, new: object) -> Iterator[Change]:
    """Differences in what two things say themselves, leaf by leaf; steps inside are left out."""
    was, now = dict(_leaves(old)), dict(_leaves(new))
    for path in dict.fromkeys([*now, *was]):
        if was.get(path) == now.get(path):
            continue
        where = written((place, *path))
        kind: Kind = "added" if path not in was else "removed" if path not in now else "changed"
        yield Change(kind=kind, place=where, was=was.get(path, ""), now=now.get(path, ""))


def _leaves(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """What a thing says itself, by path; a part that says nothing of its own is still there."""
    inside = list(_inside(value, path))
    yield from inside
    if path and not inside and isinstance(value, BaseModel) and not isinstance(value, WrittenStep):
        yield path, "there"


def _inside(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    match value:
        case None | WrittenStep():
            return
        case BaseModel():
            for name, info in type(value).model_fields.items():
                said = getattr(value, name)
                if info.is_required() or said != info.get_default(call_default_factory=True):
                    yield from _leaves(said, (*path, info.alias or name))
        case dict() | list():
            parts = cast("dict[str, object] | list[object]", value)
            for name, part in parts.items() if isinstance(parts, dict) else enumerate(parts):
                yield from _leaves(part, (*path, name))
        case _:
            yield path, str(value)
