"""What somebody chose to search for: read from an address or a form, and said in an address again.

An identity and the value of a trait may be where a customer is reached: they stand in no address. The browser
keeps them under a number, as what staff search for in the inbox, and the address has the number.
"""

import base64
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from console.control_door import instant_of
from console.inbox_door import Form, InboxDoor
from console.inbox_search import keep, new_number, sought
from stores.wanted_runs import (
    COMPARISONS,
    STATES,
    WantedRuns,
)

IN_ADDRESSES = (
    "journey", "version", "stage", "step", "state", "trait", "comparison", "since", "until",
    "wakes_before",
)  # fmt: skip
KEPT = ("identity", "value")
"""What stands in no address."""

MOST = 200
_COOKIE = 3_000
LOST = (
    "A part of this search stands in no address, because it may be where a customer is reached, and this"
    " browser does not have it. Fill in the identity or the value of the trait again."
)


@dataclass(slots=True, frozen=True, kw_only=True)
class Choice:
    """What was chosen. `fields`: as it was filled in. `wrong`: why nothing is searched for, in words.

    `number`: under which the browser keeps what stands in no address; `saved`: of a search that is kept.
    """

    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    number: str = ""
    saved: str = ""
    wanted: WantedRuns = field(default_factory=WantedRuns)
    wrong: str = ""

    @property
    def in_address(self) -> dict[str, str]:
        """What an address may have of it."""
        if self.saved:
            return {"saved": self.saved}
        said = {name: self.fields[name] for name in IN_ADDRESSES if self.fields.get(name)}
        if not said.get("trait"):
            said.pop("comparison", None)
        return {**said, **({"sought": self.number} if self.number else {})}

    def query(self, **other: str | None) -> str:
        """The same with something else, as an address has it."""
        return urlencode({name: v for name, v in {**self.in_address, **other}.items() if v})


def choice_of(fields: Mapping[str, str], journeys: Collection[str], number: str = "") -> Choice:
    """What is chosen by fields that were filled in."""
    filled = {name: value for name, value in fields.items() if value}
    try:
        wanted = _wanted(filled, journeys)
    except ValueError as wrong:
        return Choice(fields=filled, number=number, wrong=str(wrong))
    return Choice(fields=filled, number=number, wanted=wanted)


def in_address(door: InboxDoor, request: Request, journeys: Collection[str]) -> Choice:
    """What the address says, with what this browser keeps of it."""
    query = request.query_params
    fields = {name: _line(query.get(name, "")) for name in IN_ADDRESSES}
    number = query.get("sought", "")[:MOST]
    return _with_kept(door, request, fields, number, journeys)


def in_form(door: InboxDoor, request: Request, form: Form, journeys: Collection[str]) -> Choice:
    """What a form says that goes on from a search: it has what the address had."""
    fields = {name: form.line(name, MOST + 1) for name in IN_ADDRESSES}
    return _with_kept(door, request, fields, form.line("sought"), journeys)


def filled_in(form: Form, journeys: Collection[str]) -> Choice:
    """What somebody filled in."""
    fields = {name: form.line(name, MOST + 1) for name in (*IN_ADDRESSES, *KEPT)}
    return choice_of(fields, journeys)


def of_wanted(saved: str, wanted: WantedRuns) -> Choice:
    """The choice of a search that is kept."""
    told = {name: str(value) for name in (*IN_ADDRESSES, *KEPT) if (value := getattr(wanted, name))}
    return Choice(fields=told, saved=saved, wanted=wanted)


def kept_by_browser(
    door: InboxDoor, request: Request, choice: Choice, leads_to: Callable[[str], Response]
) -> Response:
    """The answer that leads to the search; what stands in no address is kept by the browser."""
    kept = {name: choice.fields[name] for name in KEPT if choice.fields.get(name)}
    if not kept:
        return leads_to(choice.query())
    number = new_number()
    answer = leads_to(choice.query(sought=number))
    said = base64.urlsafe_b64encode(orjson.dumps(kept)).decode()
    keep(door, request, answer, number, said)
    return answer


def _with_kept(
    door: InboxDoor,
    request: Request,
    fields: dict[str, str],
    number: str,
    journeys: Collection[str],
) -> Choice:
    if not number:
        return choice_of(fields, journeys)
    kept = _read(sought(door, request, number, _COOKIE))
    if not kept:
        return Choice(fields={n: v for n, v in fields.items() if v}, wrong=LOST)
    return choice_of({**fields, **kept}, journeys, number)


def _read(said: str) -> dict[str, str]:
    """What the browser kept; nothing where it is not as we wrote it."""
    try:
        told = orjson.loads(base64.urlsafe_b64decode(said))
    except ValueError:
        return {}
    if not isinstance(told, dict):
        return {}
    told = cast("dict[str, object]", told)
    return {name: _line(value) for name in KEPT if isinstance(value := told.get(name), str)}


def _line(text: str) -> str:
    """As `Form.line`, with one letter more than there may be: so that what is too long is seen."""
    return Form({"it": [text]}).line("it", MOST + 1)


def _wanted(filled: Mapping[str, str], journeys: Collection[str]) -> WantedRuns:
    """Raises: `ValueError` with the remedy."""
    for name, value in filled.items():
        if len(value) > MOST:
            raise ValueError(f"What is searched for has at most {MOST} letters: shorten {name}.")
    journey, trait = filled.get("journey", ""), filled.get("trait", "")
    if journey and journey not in journeys:
        raise ValueError("There is no such journey: choose one of the list.")
    if not journey and any(filled.get(name) for name in ("version", "stage", "step")):
        raise ValueError("Choose a journey: versions, stages and steps are of one.")
    comparison, value = filled.get("comparison", "is"), filled.get("value", "")
    if comparison not in COMPARISONS:
        raise ValueError("A trait is, is not, is at least, is at most, or is there.")
    if trait and comparison != "is_there" and not value:
        raise ValueError("Say what the trait is compared with, or choose: is there.")
    if value and not trait:
        raise ValueError("Say which trait has this value.")
    state = filled.get("state")
    if state is not None and state not in STATES:
        raise ValueError("Choose of the list how the run stands.")
    return WantedRuns(
        identity=filled.get("identity", ""),
        trait=trait,
        comparison=comparison,
        value=value,
        journey=journey,
        version=filled.get("version", ""),
        stage=filled.get("stage", ""),
        step=filled.get("step", ""),
        state=state,
        since=_instant(filled, "since"),
        until=_instant(filled, "until"),
        wakes_before=_instant(filled, "wakes_before"),
    )


def _instant(filled: Mapping[str, str], name: str) -> datetime | None:
    if name not in filled:
        return None
    at = instant_of(filled[name])
    if at is None:
        raise ValueError(
            f"Write {name.replace('_', ' ')} as 2026-11-28T09:00; it is UTC unless it says otherwise."
        )
    return at
