"""What is read from a customer's touchpoints before their journeys see them: feelings, personas, signs of a problem."""

from collections.abc import Callable, Sequence
from datetime import datetime

from contracts.routing import PendingTouchpoint
from journey.house_files import House
from journey.landscape import Persona
from journey.touchpoint import TRAITS_CHANGED, Touchpoint
from stores.database import Pool
from stores.feelings import FeelingStore
from stores.house import HouseStore
from stores.personas import PersonaStore, with_evidence
from stores.problem_signs import ProblemSigns


class CustomerReadings:
    """Reads what came. Nothing is asked of the database where nothing that came is of interest.

    Each part may be done again: whoever was interrupted reads the same batch once more.
    """

    def __init__(
        self,
        pool: Pool,
        ring: Callable[[], None] | None = None,
        now: Callable[[], datetime] | None = None,
        house: HouseStore | None = None,
    ) -> None:
        self._house = house or HouseStore(pool)
        self._feelings = FeelingStore(pool, self._house, ring, now)
        self._personas = PersonaStore(pool, ring, now)
        self._signs = ProblemSigns(pool, ring, now)

    async def read(self, customer: str, came: Sequence[PendingTouchpoint]) -> None:
        """Read a batch of touchpoints of one customer."""
        if not came:
            return
        house = await self._house.house()
        touchpoints = [each.as_touchpoint() for each in came]
        if house.feelings is not None:
            await self._feelings.read_rules(customer, house.feelings.rules, touchpoints)
        if (personas := _to_look_at(house, touchpoints)) is not None:
            await self._personas.keep(customer, personas, touchpoints[-1].message_id)
        rules = house.problems.problems if house.problems is not None else ()
        await self._signs.see(customer, rules, touchpoints)

    async def fade(self) -> bool:
        """Look at customers of whom a feeling has faded; whether there may be more."""
        return await self._feelings.fade()


def _to_look_at(house: House, touchpoints: Sequence[Touchpoint]) -> list[Persona] | None:
    """The personas with evidence, where anything came that may change who fits."""
    personas = with_evidence(house.personas.personas) if house.personas is not None else []
    if not personas:
        return None
    counted = {each.on for persona in personas for each in persona.counts.values()}
    if {touchpoint.event for touchpoint in touchpoints} & {TRAITS_CHANGED, *counted}:
        return personas
    return None
