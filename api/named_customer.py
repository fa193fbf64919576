"""Whom a door is about: by a name in the path, or by an address or a number in a header.

Logs keep the addresses of requests, and a customer's e-mail address or telephone number is not to stand in them.
"""

from urllib.parse import unquote

from starlette.requests import Request

from api.refusals import RefusedRequestError

HEADER = "X-Customer"
IN_HEADER = "-"
"""What stands in the path where the header says who."""

LONGEST = 1_000


def named_customer(request: Request) -> str:
    """The name by which the customer of this door is looked up. Raises: `RefusedRequestError` 400."""
    told = request.path_params["identity"]
    if told.strip() == IN_HEADER:
        told = _in_header(request)
        if not told:
            said = f"{HEADER}: say there whom {IN_HEADER} in the path stands for"
            raise RefusedRequestError(400, "bad_request", said)
        return told
    return not_personal(told, f"{IN_HEADER} in its place")


def sought_customer(request: Request) -> str | None:
    """Whose rows are asked for by `?customer=` or by the header; None: everybody's. Raises: as above."""
    told = _in_header(request)
    if told:
        return told
    asked = request.query_params.get("customer")
    return not_personal(asked, "no customer in the query") if asked else None


def not_personal(told: str, instead: str) -> str:
    """A name that may stand in an address. Raises: `RefusedRequestError` 400."""
    if is_personal(told):
        said = f"an e-mail address or a number is not sent in an address: {HEADER} says it, with {instead}"
        raise RefusedRequestError(400, "personal_address", said)
    return told


def is_personal(told: str) -> bool:
    """Whether it is an e-mail address, or a telephone number with its country."""
    return "@" in told or told.strip().startswith("+")


def _in_header(request: Request) -> str:
    """Percent-encoded, where it holds what a header cannot."""
    return unquote(request.headers.get(HEADER, "")[:LONGEST]).strip()
