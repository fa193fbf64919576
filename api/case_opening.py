"""`POST /v1/cases`: somebody called, stands at the counter, or wrote of us in public."""

from collections.abc import Mapping
from typing import Any, Protocol, cast

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.acting_staff import ActingStaff
from api.case_told import told
from api.refusals import json_response
from api.told_object import bad_request, object_of, read_object_of, text_of
from journey.effects import OfferedDecision
from journey.language import Slug
from stores.case_rows import Case
from stores.staff_opened_cases import CaseOrigin, NewCase

FIELDS = ("customer", "queue", "brief", "by", "title", "place", "origin", "decisions")
ORIGINS: tuple[CaseOrigin, ...] = ("staff", "mention")
KINDS = ("text", "number", "integer", "boolean")
MOST_DECISIONS = 20

_SLUG = TypeAdapter(Slug)


class OpenedCases(Protocol):
    """Where staff open cases."""

    async def open_by_staff(self, new: NewCase, *, by: str) -> tuple[Case, bool]: ...


class CaseOpening:
    """Opens cases for staff."""

    def __init__(self, opened: OpenedCases, acting: ActingStaff) -> None:
        self._opened, self._acting = opened, acting

    async def open(self, request: Request) -> Response:
        """201 with the case, or 200 with the one that this customer has under way in this queue."""
        said = await read_object_of(request, FIELDS)
        new = _new(said)
        actor = await self._acting.actor(request, said)
        case, is_new = await self._opened.open_by_staff(new, by=actor.by)
        return json_response(told(case), 201 if is_new else 200)


def _new(said: dict[str, Any]) -> NewCase:
    origin = text_of(said, "origin", most=20, default="staff")
    if origin not in ORIGINS:
        raise bad_request(f"origin: expected one of {', '.join(ORIGINS)}")
    place = text_of(said, "place", most=64, default="")
    return NewCase(
        customer=text_of(said, "customer", most=320),
        queue=_slug(text_of(said, "queue", most=64), "queue"),
        brief=text_of(said, "brief", most=8_000),
        title=text_of(said, "title", most=200, default=""),
        place=_slug(place, "place") if place else None,
        origin=origin,
        decisions=_decisions(object_of(said, "decisions")) or None,
    )


def _decisions(said: Mapping[str, Any]) -> dict[str, OfferedDecision]:
    if len(said) > MOST_DECISIONS:
        raise bad_request(f"decisions: at most {MOST_DECISIONS}")
    return {_slug(name, "decisions"): _decision(name, each) for name, each in said.items()}


def _decision(name: str, said: object) -> OfferedDecision:
    place = f"decisions.{name[:60]}"
    if not isinstance(said, dict):
        raise bad_request(f'{place}: expected {{"title", "fields", "authority"}}')
    offered = cast("dict[str, Any]", said)
    for each in offered:
        if each not in ("title", "fields", "authority"):
            raise bad_request(f"{place}.{each[:60]}: is not known here")
    fields = object_of(offered, "fields")
    for field, kind in fields.items():
        if kind not in KINDS:
            raise bad_request(f"{place}.fields.{field[:60]}: expected one of {', '.join(KINDS)}")
    authority = text_of(offered, "authority", most=64, default="") or None
    if authority is not None and fields.get(authority) not in ("number", "integer"):
        raise bad_request(f"{place}.authority: expected the name of one of its numbers")
    title = text_of(offered, "title", most=200, default="") or None
    return OfferedDecision(title=title, fields=fields, authority=authority)


def _slug(text: str, place: str) -> str:
    try:
        return _SLUG.validate_python(text)
    except ValidationError:
        said = f"{place}: expected a name in lower case with dashes, such as front-desk"
        raise bad_request(said) from None
