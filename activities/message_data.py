"""What a message is told by services right before it leaves: a gate, what is in stock."""

import asyncio
from collections.abc import Sequence

import structlog
from pydantic import JsonValue

from activities.message_text import DataRead
from activities.service_call import CallRefusedError, ServiceBusyError, ServiceCaller
from journey import conditions
from journey.conditions import ConditionError

_NAMES = frozenset({"status", "body"})
_log = structlog.get_logger(__name__)


class DataMissingError(Exception):
    """There was no answer, and the message says nothing in place of one; it can be tried again."""


async def read_data(
    reads: Sequence[DataRead], key: str, caller: ServiceCaller
) -> dict[str, JsonValue]:
    """What is taken of each answer, all asked at once. `key` tells a service a second try by.

    Raises: `DataMissingError`, after all have answered or their time is over.
    """
    told = await asyncio.gather(*(_read(each, key, caller) for each in reads))
    missing = [words for _, words in told if words]
    if missing:
        raise DataMissingError("; ".join(missing))
    return {each.name: value for each, (value, _) in zip(reads, told, strict=True)}


async def _read(each: DataRead, key: str, caller: ServiceCaller) -> tuple[JsonValue, str]:
    """What it says, and why it says nothing, in words."""
    try:
        async with asyncio.timeout(each.within.total_seconds()):
            said = await caller.call(f"{key}:{each.name}", "GET", each.url, {}, {})
        names: dict[str, object] = {"status": said.status, "body": said.body}
        found = conditions.json_value(each.take, names, _NAMES)
        why = f"{each.take} is not in the answer" if found is None else ""
    except TimeoutError:
        found, why = None, f"no answer within {each.within.total_seconds():g} seconds"
    except (CallRefusedError, ServiceBusyError, ConditionError) as error:
        found, why = None, str(error)
    if not why:
        return found, ""
    _log.warning("data of a message", key=key, data=each.name, why=why, told=each.otherwise)
    if each.otherwise is not None:
        return each.otherwise, ""
    return None, f"data.{each.name}: {why}"
