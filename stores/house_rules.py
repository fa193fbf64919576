"""The rules of the house on identities, read now and then: publishing them takes effect within seconds."""

import time
from dataclasses import dataclass

import structlog
from pydantic import ValidationError

from journey.identity_rules import DEFAULT_RULES, IdentityRules
from stores.database import Connection
from stores.published import HOUSE, live_source

READ_EACH_SECONDS = 5.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Held:
    rules: IdentityRules
    read_at: float


_held: dict[str, _Held] = {}


class HouseRules:
    """The rules as this process knows them. `fixed`: these, whatever is published."""

    def __init__(self, fixed: IdentityRules | None = None) -> None:
        self._fixed = fixed

    async def read(self, connection: Connection) -> IdentityRules:
        """What holds now, at most a few seconds old; where nothing was published, what is usual."""
        return self._fixed or await house_rules(connection)


async def house_rules(connection: Connection) -> IdentityRules:
    """The rules that hold in a database, read once in a few seconds for the whole process."""
    database, now = _name(connection), time.monotonic()
    held = _held.get(database)
    if held is None or now - held.read_at > READ_EACH_SECONDS:
        source = await live_source(connection, "identities", HOUSE)
        rules = held.rules if held is not None else DEFAULT_RULES
        try:
            rules = DEFAULT_RULES if source is None else IdentityRules.model_validate(source)
        except (
            ValidationError
        ) as error:  # published by a later version of ours: nobody is lost for it
            _log.warning("identities_unreadable", error=str(error).split("\n", 1)[0])
        held = _held[database] = _Held(rules, now)
    return held.rules


def forget_rules(connection: Connection) -> None:
    """Read the rules anew when they are asked for next: they were published by this process."""
    _held.pop(_name(connection), None)


def _name(connection: Connection) -> str:
    info = connection.info
    return f"{info.host}:{info.port}/{info.dbname}"
