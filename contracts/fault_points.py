"""Named points in our code at which tests kill a process, to see that nothing is lost there and nothing comes twice.

Nothing is ever done at them but under `CLEW_FAULT_POINTS`, which only tests set: `name:nth` (and
`:times`, `:stall`), comma between several. At its nth time the process is killed as `kill -9`
would, or stalls for so many seconds with all that it does; so often in all, counted over every
process by files in the folder `CLEW_FAULT_MARKS`, so that who is started again goes on.
"""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FAULT_POINTS: Final[Mapping[str, str]] = {
    "ingest.before_commit": "touchpoints are inserted, and not committed",
    "ingest.after_commit": "touchpoints are committed, and the client has no answer",
    "router.after_lease": "a customer's unit is leased, and nothing is done",
    "router.after_numbering": "touchpoints have their numbers, and no run was told",
    "router.after_start": "a run is started, and nobody wrote it down",
    "router.between_signals": "one run was told, and the next was not",
    "router.after_signals": "every run was told, and the outbox does not know",
    "router.after_fan_out": "a subject's touchpoints are with its customers",
    "admission.before_commit": "an admission is decided, and not committed",
    "admission.after_commit": "an admission is committed, and the run does not know",
    "record.before_write": "a run is to be written down",
    "record.after_write": "a run is written down, and does not know",
    "record.before_end": "a run's end is to be written down within its last task",
    "record.after_end": "a run's end is written down, and the server does not know that it ended",
    "delivery.before_intent": "the intent is inserted with what the run told, and not committed",
    "delivery.after_intent": "the intent is committed, and nothing has left",
    "delivery.before_call": "the message is put into words, and about to leave",
    "delivery.after_envelope": "the relay knows who it is for, and not yet what",
    "delivery.after_reply": "the relay has it and said so, and the channel did not say it yet",
    "delivery.after_call": "the channel said that it left, and the ledger does not know",
    "delivery.after_settle": "the ledger knows, and the run does not",
    "delivery.after_doubt": "the ledger knows that nobody can tell",
    "delivery.after_resend": "the ledger says that it may come twice, and it is about to",
    "delivery.after_release": "the relay was busy, and the claim is given back",
    "case.before_commit": "a case is inserted, and not committed",
    "case.after_commit": "a case is open, and its run does not know",
    "case.after_decision": "a case is decided, and the member of staff has no answer",
    "case.minded": "something that was due on a case is done, and not committed",
    "case.after_ring": "the clock of a case was told of a change, and its bell still rings",
    "offer.before_commit": "a coupon is taken, and not committed",
    "offer.after_commit": "a coupon is given, and its run does not know",
    "offer.after_settling": "a coupon has ended, and its run does not know",
    "traits.after_commit": "a trait is changed, and the run that changed it does not know",
    "feedback.before_commit": "what a provider reports is inserted, and not committed",
    "feedback.after_commit": "what a provider reports is kept, and it has no answer",
    "inbound.before_commit": "a customer's mail is inserted, and not committed",
    "inbound.after_commit": "a customer's mail is kept, and the relay has no answer",
    "merge.before_commit": "two customers are one, and it is not committed",
    "merge.after_commit": "two customers are one, and who asked for it has no answer",
}
"""Every point by name, and what is so at that moment."""


@dataclass(slots=True)
class _Armed:
    """What happens at one point at its `nth` time, in `times` processes or rounds in all."""

    nth: int
    times: int
    stall_seconds: float | None
    marks: Path
    passed: int = 0


_armed: dict[str, _Armed] = {}


def reach(name: str) -> None:
    """The process is at a fault point. Costs one look at an empty dict where none is armed."""
    if _armed and name in _armed:
        _strike(name, _armed[name])


def arm(environment: Mapping[str, str]) -> None:
    """Arm the points that an environment names. Raises: `ValueError` for one that does not exist."""
    _armed.clear()
    for told in filter(None, environment.get("CLEW_FAULT_POINTS", "").split(",")):
        name, nth, *more = told.strip().split(":")
        if name not in FAULT_POINTS:
            raise ValueError(f"CLEW_FAULT_POINTS: there is no fault point {name!r}")
        _armed[name] = _Armed(
            nth=int(nth),
            times=int(more[0]) if more else 1,
            stall_seconds=float(more[1]) if len(more) > 1 else None,
            marks=Path(environment["CLEW_FAULT_MARKS"]),
        )


def _strike(name: str, point: _Armed) -> None:
    point.passed += 1
    if point.passed < point.nth:
        return
    if not _marked(name, point):
        del _armed[name]
        return
    point.passed = 0
    if point.stall_seconds is None:
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        time.sleep(point.stall_seconds)


def _marked(name: str, point: _Armed) -> bool:
    """Take one of the marks that are left; False where all were taken."""
    for number in range(1, point.times + 1):
        try:
            (point.marks / f"{name}.{number}").touch(exist_ok=False)
        except FileExistsError:
            continue
        return True
    return False
