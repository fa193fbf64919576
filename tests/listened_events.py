"""What the runs of an installation listen to, for who judges it."""

from contracts.evidence import Seen
from journey.programs import Programs
from stores.definitions import DefinitionStore


async def listened_events(definitions: DefinitionStore, seen: Seen) -> dict[str, frozenset[str]]:
    """The events of each version that a run was seen under."""
    programs = Programs()
    events: dict[str, frozenset[str]] = {}
    for version in {run.version for run in seen.runs}:
        canonical = await definitions.load(version)
        assert canonical is not None, f"version {version} is gone"
        events[version] = programs.add(canonical).listens
    return events
