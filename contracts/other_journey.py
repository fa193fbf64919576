"""Letting a customer enter another journey."""

from dataclasses import dataclass

from contracts.journey_run import RunReference
from journey.effects import SentRecord, StartRun

ASKED_BY = "asked_by"
"""The property of an entering touchpoint that holds the key of the asking, where a run asked for it."""

NOT_ADMITTED = "not_admitted"
"""The outcome told of a run that was asked for and never began."""


@dataclass(slots=True, frozen=True, kw_only=True)
class StartOtherRun:
    """Ask that the customer enter another journey, under `effect_key(run.workflow_id, run.entry, start.n)`.

    The answer comes as the touchpoint `Run Ended`, whose `run` is that key.
    """

    run: RunReference
    start: StartRun
    record: SentRecord | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class OtherRunAsked:
    """It was asked for: asking twice is asking once."""

    asked: bool = True
