"""Definitions reach a worker beside the history, not in it.

A payload marked with a version makes the codec load that definition into the process's cache when
it is decoded: on the first task of a run, after continue-as-new, and on every replay. No event is spent.
"""

from collections.abc import Sequence
from typing import Protocol

import structlog
from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from contracts.converter import DEFINITION_KEY
from journey.programs import PROGRAMS

log = structlog.get_logger(__name__)


class Definitions(Protocol):
    """Where definitions are kept, by version, for ever."""

    async def load(self, version: str) -> bytes | None:
        """The canonical JSON of a definition. Raises only where the store cannot be reached."""
        ...


class DefinitionCodec(PayloadCodec):
    """Loads the definitions that payloads name. Changes no payload.

    It raises only where the store cannot be reached, which is retried as a task; a definition that
    is missing or cannot be compiled is left to the run, which says so and waits for it.
    """

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they are."""
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they are, with the definitions they name at hand."""
        for payload in payloads:
            version = payload.metadata.get(DEFINITION_KEY)
            if version is not None:
                await self._fetch(version.decode("ascii", "replace"))
        return list(payloads)

    async def _fetch(self, version: str) -> None:
        if PROGRAMS.get(version) is not None:
            return
        canonical = await self._definitions.load(version)
        if canonical is None:
            log.warning("definition_missing", version=version)
            return
        try:
            PROGRAMS.add(canonical)
        except ValidationError as error:
            log.warning("definition_unreadable", version=version, problems=error.error_count())
