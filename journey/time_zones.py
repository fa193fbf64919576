"""Time zones as authors name them."""

from functools import lru_cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known(name: str) -> str:
    if name not in _zones():
        raise PydanticCustomError("zone", "not an IANA time zone; write one such as Europe/Prague")
    return name


ZoneName = Annotated[str, AfterValidator(_known)]
"""An IANA time zone."""
