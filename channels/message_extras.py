"""What a message has beside its words: data, an entry in a calendar, an approved text, where a tap leads."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from pydantic import JsonValue

from channels.calendar_entry import Method
from channels.message_matter import Matter
from journey import conditions
from journey.conditions import ConditionError
from journey.spans import SpanError, read_span

MOST_READS = 5
LONGEST_READ = timedelta(seconds=5)
"""What a message may wait for its data: a claim in the ledger is held meanwhile."""

READ_NAMES = frozenset({"status", "body"})
"""What `take` may name of an answer."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_APPROVED = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
_LINK = re.compile(r"(https?://|[a-z][a-z0-9+.-]*://|\{\{).{0,2000}")
_ADDRESS = re.compile(r"https?://[^/\s{}@]+(/.*)?")
_READ_FIELDS = ("url", "take", "within", "or")
_ENTRY_FIELDS = ("title", "starts", "ends", "lasts", "place", "words", "uid", "method")
_METHODS: Mapping[object, Method] = {
    None: "publish",
    "publish": "publish",
    "request": "request",
    "cancel": "cancel",
}


@dataclass(slots=True, frozen=True, kw_only=True)
class DataTemplate:
    """One `data:` of a message; `url` is a template."""

    name: str
    line: int
    url: str
    take: str
    within: timedelta
    otherwise: JsonValue


@dataclass(slots=True, frozen=True, kw_only=True)
class EntryTemplate:
    """The `calendar:` of a message; all but `lasts` and `method` are templates."""

    line: int
    title: str
    starts: str
    ends: str | None
    lasts: timedelta
    place: str
    words: str
    uid: str
    method: Method

    def templates(self) -> Iterator[str]:
        """What is to be filled in."""
        yield from filter(
            None, (self.title, self.starts, self.ends, self.place, self.words, self.uid)
        )


@dataclass(slots=True, frozen=True, kw_only=True)
class ApprovedText:
    """The `template:` of a message: a text that the provider approved; what fills its places are templates."""

    line: int
    id: str
    values: Mapping[str, str]


def read_approved(matter: Matter) -> ApprovedText | None:
    """The approved text. Raises: `MessageFileError`."""
    said = matter.fields.get("template")
    if said is None:
        return None
    fields = _mapping(matter, "template", said, ("id", "values"))
    named, values = fields.get("id"), fields.get("values", {})
    filled = cast("dict[object, object]", values) if isinstance(values, dict) else None
    if not isinstance(named, str) or not _APPROVED.fullmatch(named) or filled is None:
        remedy = 'Write template: {id: HX…, values: {1: "{{ customer.first_name }}"}}.'
        raise matter.fault("template", "template: has no id, or values that are none", remedy)
    for place, text in filled.items():
        if not isinstance(text, str) or len(text) > 1_000:
            remedy = "Put each value in double quotes."
            raise matter.fault("template", f"template: {place} is not a short text", remedy)
    return ApprovedText(
        line=matter.line("template"),
        id=named,
        values={str(place): str(text) for place, text in filled.items()},
    )


def read_link(matter: Matter) -> str | None:
    """Where a tap on the message leads. Raises: `MessageFileError`."""
    said = matter.fields.get("link")
    if said is None or (isinstance(said, str) and _LINK.fullmatch(said.strip())):
        return said.strip() if isinstance(said, str) else None
    remedy = (
        "Write https://… (values may stand in it), or a link of ours such as {{ status.link }}."
    )
    raise matter.fault("link", "link: is no address", remedy)


def read_data(matter: Matter) -> tuple[DataTemplate, ...]:
    """What a message reads. Raises: `MessageFileError`."""
    said = matter.fields.get("data")
    if said is None:
        return ()
    if not isinstance(said, dict) or len(cast("dict[object, object]", said)) > MOST_READS:
        remedy = f"Write data: {{gate: {{url: …, take: body.gate}}}}, {MOST_READS} at most."
        raise matter.fault("data", "data: is not names and what each is read from", remedy)
    return tuple(
        _read(matter, name, fields) for name, fields in cast("dict[object, object]", said).items()
    )


def _read(matter: Matter, name: object, said: object) -> DataTemplate:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise matter.fault("data", f"{name!r} is no name", "Write one such as gate.")
    fields = _mapping(matter, name, said, _READ_FIELDS)
    url, take = fields.get("url"), fields.get("take", "body")
    if not isinstance(url, str) or not _ADDRESS.fullmatch(url):
        remedy = "Write https://host/path; only behind the host may values stand."
        raise matter.fault(name, f"{name}: url is no address", remedy)
    try:
        conditions.compiled(str(take), READ_NAMES)
        within = read_span(str(fields.get("within", "2s"))).exact()
    except (ConditionError, SpanError) as error:
        remedy = "take: is CEL over body and status; within: is a length such as 2s."
        raise matter.fault(name, f"{name}: {error}", remedy) from error
    if not timedelta() < within <= LONGEST_READ:
        raise matter.fault(name, f"{name}: within is too long", "5s at most: a customer waits.")
    return DataTemplate(
        name=name,
        line=matter.line(name),
        url=url,
        take=str(take),
        within=within,
        otherwise=cast("JsonValue", fields.get("or")),
    )


def read_entry(matter: Matter) -> EntryTemplate | None:
    """The entry in a calendar. Raises: `MessageFileError`."""
    said = matter.fields.get("calendar")
    if said is None:
        return None
    fields = _mapping(matter, "calendar", said, _ENTRY_FIELDS)
    text = _texts(matter, fields)
    method = fields.get("method")
    if method not in _METHODS:
        remedy = "It is publish, request or cancel."
        raise matter.fault("method", f"method: {method!r}", remedy)
    try:
        lasts = read_span(text("lasts") or "1h").exact()
    except SpanError as error:
        raise matter.fault("lasts", f"lasts: {error}", "Write a length such as 90m.") from error
    if not text("title") or not text("starts"):
        remedy = 'Write calendar: {title: "…", starts: "{{ run.departs }}"}.'
        raise matter.fault("calendar", "calendar: needs title and starts", remedy)
    return EntryTemplate(
        line=matter.line("calendar"),
        title=text("title"),
        starts=text("starts"),
        ends=text("ends") or None,
        lasts=lasts,
        place=text("place"),
        words=text("words"),
        uid=text("uid"),
        method=_METHODS[method],
    )


def _texts(matter: Matter, fields: Mapping[str, object]) -> Callable[[str], str]:
    def text(field: str) -> str:
        value = fields.get(field, "")
        if not isinstance(value, str):
            raise matter.fault(field, f"{field}: is not text", "Put it in double quotes.")
        return value

    return text


def _mapping(
    matter: Matter, field: str, said: object, known: tuple[str, ...]
) -> Mapping[str, object]:
    if not isinstance(said, dict):
        raise matter.fault(field, f"{field}: has no fields", f"Known: {', '.join(known)}.")
    fields = cast("dict[str, object]", said)
    for key in fields:
        if key not in known:
            remedy = f"Known: {', '.join(known)}."
            raise matter.fault(str(key), f"unknown field {key!r}", remedy)
    return fields
