"""Everybody who takes part, by name. A further one is a module that fulfils `Contender` and one line here."""

from collections.abc import Callable

from benchmarks.side_by_side.bare import Bare
from benchmarks.side_by_side.clew import Clew
from benchmarks.side_by_side.contender import Contender
from benchmarks.side_by_side.peers.celery_on_redis import Celery
from benchmarks.side_by_side.peers.on_postgres import Dbos, Procrastinate
from benchmarks.side_by_side.peers.restate import Restate
from benchmarks.side_by_side.scenario import Scenario

CONTENDERS: dict[str, Callable[[Scenario], Contender]] = {
    "clew": Clew,
    "bare": Bare,
    "clew-encrypted": lambda scenario: Clew(scenario, encrypted=True),
    "bare-unsandboxed": lambda scenario: Bare(scenario, sandboxed=False),
    "dbos": Dbos,
    "procrastinate": Procrastinate,
    "celery": Celery,
    "restate": Restate,
}
