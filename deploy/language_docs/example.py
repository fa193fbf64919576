"""An example of a page: a whole small journey with its scenarios, both shown as they are run."""

from functools import cached_property
from pathlib import Path

from journey.program import Program
from journey.publication import read_definition


class Example:
    """The files `NAME.journey.yaml` and `NAME.scenarios.yaml`; the journey's description is the page's prose."""

    def __init__(self, name: Path) -> None:
        self._journey = name.with_name(f"{name.name}.journey.yaml")
        self._scenarios = name.with_name(f"{name.name}.scenarios.yaml")

    @cached_property
    def program(self) -> Program:
        """The journey, past the gate."""
        return read_definition(self._source, str(self._journey)).program

    @property
    def _source(self) -> str:
        return self._journey.read_text(encoding="utf-8")

    def shown(self, up: str, heading: str = "## An example") -> str:
        """The example in Markdown. `up`: how one comes from the page to docs/language."""
        definition = self.program.definition
        name = self._journey.name
        journey = f"[{name}]({up}examples/{name})"
        scenarios = f"[{self._scenarios.name}]({up}examples/{self._scenarios.name})"
        return "\n\n".join(
            [
                heading,
                definition.description or "",
                f"{definition.title} ({journey}):",
                f"```yaml\n{self._source.strip()}\n```",
                f"What it does, as it is run with `clew test docs/language/examples/{name}` ({scenarios}):",
                f"```yaml\n{self._scenarios.read_text(encoding='utf-8').strip()}\n```",
            ]
        )
