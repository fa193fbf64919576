"""Which cases a request asks for: its filters, where its page begins, and how long it is."""

import base64
import binascii
from datetime import datetime
from typing import Any, get_args

import orjson
from starlette.requests import Request

from api.told_object import bad_request
from journey.case_clock import OVER, CaseState
from stores.case_lists import CaseFilter, CasePlace
from stores.database import dump_json

STATES: tuple[str, ...] = get_args(CaseState)
MOST, USUAL = 500, 100
GROUPS: dict[str, tuple[str, ...] | None] = {
    "all": None,
    "under-way": tuple(each for each in STATES if each not in OVER),
    "over": tuple(each for each in STATES if each in OVER),
}
"""What may be asked for besides one state."""

FILTERS = ("state", "queue", "assignee", "customer", "place", "overdue", "most", "after")


def filter_of(request: Request, customer: str | None, now: datetime) -> CaseFilter:
    """`?state=` one state (open, where unsaid), `under-way`, `over` or `all`; `queue`, `assignee`, `customer`,
    `place`; `overdue=true`: those late now, of all under way where no state is said.

    Raises: `RefusedRequestError` 400.
    """  # noqa: D205 -- one sentence
    asked = request.query_params
    for name in asked:
        if name not in FILTERS:
            raise bad_request(f"{name[:60]}: is not known here; known are {', '.join(FILTERS)}")
    late = asked.get("overdue", "false")
    if late not in ("true", "false"):
        raise bad_request("overdue: expected true or false")
    return CaseFilter(
        states=_states(asked.get("state", "under-way" if late == "true" else "open")),
        queue=asked.get("queue"),
        assignee=asked.get("assignee"),
        customer=customer,
        place=asked.get("place"),
        overdue=now if late == "true" else None,
    )


def most_of(request: Request, usual: int = USUAL, most: int = MOST) -> int:
    """How many are asked for. Raises: `RefusedRequestError` 400."""
    said = request.query_params.get("most", str(usual))
    if not said.isdecimal() or len(said) > 6 or not 1 <= int(said) <= most:
        raise bad_request(f"most: expected a number from 1 to {most}")
    return int(said)


def place_of(request: Request) -> CasePlace | None:
    """Where the page begins. Raises: `RefusedRequestError` 400."""
    said = request.query_params.get("after")
    if said is None:
        return None
    try:
        due, opened, case = orjson.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))
        place: Any = CasePlace(
            due=datetime.fromisoformat(due) if due is not None else None,
            opened_wall=datetime.fromisoformat(opened),
            case=case,
        )
        if not isinstance(case, str) or "\0" in case:
            raise ValueError(case)
        if place.opened_wall.tzinfo is None or (place.due is not None and not place.due.tzinfo):
            raise ValueError(opened)
    except (binascii.Error, ValueError, TypeError):
        raise bad_request("after: expected the `next` of the page before") from None
    return place


def written_place(place: CasePlace | None) -> str | None:
    """The same for whoever asks for the next page."""
    if place is None:
        return None
    told = dump_json([place.due, place.opened_wall, place.case])
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def _states(said: str) -> tuple[str, ...] | None:
    if said in GROUPS:
        return GROUPS[said]
    if said not in STATES:
        raise bad_request(f"state: expected one of {', '.join((*STATES, *GROUPS))}")
    return (said,)
