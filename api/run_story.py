"""A definition as its customer may read it: titles of stages, what promises said, what messages are called."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import orjson

_SUBJECT = re.compile(r"^subject:\s*(?P<words>\S.*?)\s*$", re.MULTILINE)
_HEAD = re.compile(r"\A---\n(?P<head>.*?)\n---\n", re.DOTALL)


@dataclass(slots=True, frozen=True)
class CustomerWords:
    """What the author wrote for customers: by the name of the stage, and of the promise."""

    title: str = ""
    stages: Mapping[str, str] = field(default_factory=dict[str, str])
    promises: Mapping[str, str] = field(default_factory=dict[str, str])

    def stage(self, name: str) -> str:
        """What a stage is called; one without a title by its name."""
        return self.stages.get(name) or plainly(name)

    def promise(self, name: str) -> str:
        """What was promised."""
        return self.promises.get(name) or plainly(name)


@lru_cache(maxsize=256)
def customer_words(canonical: bytes | None) -> CustomerWords:
    """The words of one version of a journey."""
    if canonical is None:
        return CustomerWords()
    definition = orjson.loads(canonical)
    stages = {
        stage["stage"]: stage["title"] for stage in definition["stages"] if stage.get("title")
    }
    promises = {said["as"]: said["text"] for said in _promises(definition)}
    return CustomerWords(definition["title"], stages, promises)


def _promises(part: Any) -> Iterator[dict[str, str]]:
    """Every promise step, however deep it stands."""
    if isinstance(part, list):
        for each in cast("list[Any]", part):
            yield from _promises(each)
    elif isinstance(part, dict):
        step = cast("dict[str, Any]", part)
        said = step.get("promise")
        if isinstance(said, dict) and isinstance(cast("dict[str, Any]", said).get("text"), str):
            yield cast("dict[str, str]", said)
        for each in step.values():
            yield from _promises(each)


def message_title(name: str, source: str | None) -> str:
    """What a message was about: its subject, where that is the same for everybody, else its name."""
    head = _HEAD.match(source or "")
    subject = _SUBJECT.search(head["head"]) if head else None
    words = subject["words"].strip("\"'") if subject else ""
    return words if words and "{" not in words else plainly(name)


def plainly(name: str) -> str:
    """`on-the-way` as a person writes it: On the way."""
    words = re.sub(r"[-_\s]+", " ", name).strip()
    return words[:1].upper() + words[1:]
