"""What a call gives back, as far as it is kept."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import JsonValue

from journey import conditions
from journey.conditions import ConditionError
from journey.effects import Values

_NAMES = frozenset({"response"})


def taken(take: Mapping[str, str], status: int, body: JsonValue) -> Values:
    """The values that a call keeps of a response; one that is not there is null. `status` is always kept."""
    kept: Values = {"status": status}
    names: dict[str, object] = {"response": {"status": status, "body": body}}
    for name, source in take.items():
        try:
            kept[name] = conditions.json_value(source, names, _NAMES)
        except ConditionError:
            kept[name] = None
    return kept


def host_of(url: str) -> str:
    """The host that an address names."""
    return urlsplit(url).hostname or url
