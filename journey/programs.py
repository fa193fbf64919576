"""The compiled definitions of this process, by version. Filled ahead of use; never emptied."""

from journey.definition import version_of
from journey.program import Program, compile_program


class Programs:
    """A cache of programs by version. A version never changes, so neither does what is held here."""

    def __init__(self) -> None:
        self._held: dict[str, Program] = {}

    def get(self, version: str) -> Program | None:
        """The program of a version, if it is held."""
        return self._held.get(version)

    def add(self, canonical: bytes) -> Program:
        """Compile a definition and hold it. Raises: `pydantic.ValidationError`."""
        version = version_of(canonical)
        held = self._held.get(version)
        if held is None:
            held = self._held[version] = compile_program(canonical)
        return held


PROGRAMS = Programs()
"""Those of this process."""
