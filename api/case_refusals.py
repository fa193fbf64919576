"""What is wrong with what somebody wanted of a case, told with the remedy."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from activities.staff_cases import UnknownCaseError
from api.refusals import RefusedRequestError
from api.told_object import bad_request
from journey.decisions import AuthorityExceededError, UnknownDecisionError, WrongFieldError
from stores.case_decisions import (
    ApprovalRefusedError,
    CaseAlreadyClaimedError,
    CaseAlreadyDecidedError,
    CaseClosedError,
    NotYoursError,
)
from stores.case_messages import TooLateError, UnknownMessageError
from stores.case_rows import Case
from stores.customers import NameOfNobodyError
from stores.feelings import UnknownFeelingError
from stores.members import UnknownMemberError
from stores.staff_opened_cases import UnknownCallerError

HOW_TO_ASK = 'send it again with "ask": "why it should be granted", and somebody who may is asked'

_CONFLICTS: dict[type[Exception], str] = {
    CaseAlreadyClaimedError: "claimed",
    CaseAlreadyDecidedError: "not_open",
    CaseClosedError: "not_open",
    NotYoursError: "not_yours",
    ApprovalRefusedError: "nothing_to_approve",
    TooLateError: "too_late",
}
_WRONG = (NameOfNobodyError, UnknownDecisionError, UnknownFeelingError, WrongFieldError)
_UNKNOWN: dict[type[Exception], str] = {
    UnknownCaseError: "unknown_case",
    UnknownMemberError: "unknown_member",
    UnknownCallerError: "unknown_customer",
    UnknownMessageError: "unknown_message",
}


class NamedCases(Protocol):
    """Where cases are found by name."""

    async def named(self, name: str) -> Case | None: ...


async def present_case(cases: NamedCases, request: Request) -> Case:
    """The case that a path names. Raises: `RefusedRequestError` 404."""
    name = request.path_params["case"]
    case = await cases.named(name)
    if case is None:
        raise RefusedRequestError(404, "unknown_case", f"there is no case {name[:200]!r}")
    return case


def in_words(
    door: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """The same door; what it refuses has a status and a word for programs."""

    @wraps(door)
    async def answer(request: Request) -> Response:
        try:
            return await door(request)
        except AuthorityExceededError as error:
            said = f"{error}; {HOW_TO_ASK}"
            raise RefusedRequestError(403, "authority_exceeded", said) from None
        except _WRONG as error:
            raise bad_request(str(error)) from None
        except tuple(_UNKNOWN) as error:
            raise RefusedRequestError(404, _UNKNOWN[type(error)], str(error)) from None
        except tuple(_CONFLICTS) as error:
            raise RefusedRequestError(409, _CONFLICTS[type(error)], str(error)) from None

    return answer
