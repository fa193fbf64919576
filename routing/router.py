"""The router: takes units of routing by lease and works them, as many at once as it is told to.

As many routers may run as one likes. A unit is one router's at a time; no transaction stays open
across a call; whatever ends a router, its units are another's when their leases run out, and are
worked again under the same numbers.

Why a run sees its customer's touchpoints in the order of their numbers. Each batch goes: number
what waits and commit, then read the open runs, then read the numbered rows. Admission opens a run
and puts the customer's arrivals back, aimed at it, in one transaction that excludes numbering. So
a batch that sees the run also sees everything aimed at it, which is numbered lower than what
arrives later and goes out first; and a batch that does not see the run had its touchpoints
numbered before, so admission put them back. What the router started itself it tells at once,
without waiting for admission.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from contracts.fault_points import reach
from contracts.routing import LeaseLostError, PendingBatch, StartingRun, customer_of
from journey.entry_looks import events_looked_at
from journey.program import Program
from routing.customer_batch import CustomerBatch
from routing.router_parts import OpenRun, Pace, RouterParts
from routing.told_run import ToldRun

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Router:
    """Works pending units until it is told to stop. `name` must be its own among all routers."""

    parts: RouterParts
    name: str
    pace: Pace = field(default_factory=Pace)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    _failures: dict[str, int] = field(default_factory=dict[str, int])
    _work: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what was begun. `heard` wakes it; so does time."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set() and not _cancelled():
                self.heard.clear()
                if not await self._take():
                    await self._wait(stopping)
        finally:
            stopping.cancel()
            await self._end()

    async def drain(self) -> None:
        """Work until nothing is pending anywhere. For tests and short commands."""
        while True:
            await self._take()
            if self._work:
                await asyncio.wait(self._work, return_when=asyncio.FIRST_COMPLETED)
            elif await self.parts.outbox.empty():
                return
            else:
                await asyncio.sleep(0.02)

    # -- taking and waiting

    async def _take(self) -> bool:
        """Lease as many units as there is room for; whether there may be more to take at once."""
        room = self.pace.units - len(self._work)
        if room <= 0:
            return False
        try:
            units = await self.parts.leases.take(self.name, room, self.pace.lease)
        except Exception as error:  # whatever it is, the next look may find it mended
            _log.warning("router_cannot_lease", router=self.name, error=repr(error))
            await asyncio.sleep(self.pace.first_rest.total_seconds())
            return False
        if units:
            reach("router.after_lease")
        for unit in units:
            task = asyncio.create_task(self._work_unit(unit), name=f"route {unit}")
            self._work.add(task)
            task.add_done_callback(self._work.discard)
        return bool(units) and len(self._work) < self.pace.units

    async def _wait(self, stopping: asyncio.Task[bool]) -> None:
        hearing = asyncio.create_task(self.heard.wait())
        full = len(self._work) >= self.pace.units
        wakers = {stopping, *self._work} if full else {stopping, hearing, *self._work}
        try:
            await asyncio.wait(
                wakers,
                timeout=self.pace.poll.total_seconds(),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            hearing.cancel()

    async def _end(self) -> None:
        if self._work:
            await asyncio.wait(self._work, timeout=self.pace.farewell.total_seconds())
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    # -- one unit

    async def _work_unit(self, unit: str) -> None:
        """Work one leased unit while its lease is kept alive; on failure let it rest."""
        customer = customer_of(unit)
        routing = self._fan_out(unit) if customer is None else self._route(unit, customer)
        try:
            await self._under_lease(unit, routing)
        except LeaseLostError:
            _log.warning("router_lost_lease", router=self.name, unit=unit)
        except Exception as error:  # nothing is lost: the unit is worked again after a rest
            await self._rest(unit, error)
        else:
            self._failures.pop(unit, None)

    async def _under_lease(self, unit: str, routing: Coroutine[Any, Any, None]) -> None:
        work = asyncio.create_task(routing, name=f"work {unit}")
        keeping = asyncio.create_task(self._keep(unit, work), name=f"keep {unit}")
        try:
            await work
        except asyncio.CancelledError:
            if keeping.done():
                raise LeaseLostError(unit) from None
            raise
        finally:
            work.cancel()
            keeping.cancel()

    async def _keep(self, unit: str, work: asyncio.Task[None]) -> None:
        """Renew the lease at each third of it; end the work when it cannot be known to hold."""
        third = self.pace.lease.total_seconds() / 3
        missed = 0
        while missed < 2:
            await asyncio.sleep(third)
            if work.done():
                return
            try:
                if not await self.parts.leases.renew(self.name, unit, self.pace.lease):
                    break
                missed = 0
            except Exception as error:  # also what a driver makes of being cancelled
                missed += 1
                _log.info("router_cannot_renew", router=self.name, unit=unit, error=repr(error))
        work.cancel()

    async def _rest(self, unit: str, error: Exception) -> None:
        failures = self._failures[unit] = self._failures.get(unit, 0) + 1
        rest = min(self.pace.first_rest * 2 ** min(failures - 1, 16), self.pace.longest_rest)
        _log.warning(
            "routing_delayed",
            router=self.name,
            unit=unit,
            failures=failures,
            rest_seconds=rest.total_seconds(),
            error=repr(error),
        )
        try:
            await self.parts.leases.release(self.name, unit, rest)
        except Exception as unreleased:  # then its lease runs out
            _log.info("router_cannot_release", unit=unit, error=repr(unreleased))

    async def _fan_out(self, unit: str) -> None:
        if await self.parts.outbox.fan_out(self.name, unit, self.pace.batch):
            reach("router.after_fan_out")
            self.heard.set()

    async def _route(self, unit: str, customer: str) -> None:
        outbox, limit = self.parts.outbox, self.pace.batch
        numbered = await outbox.number(self.name, unit, limit)
        reach("router.after_numbering")
        runs = await self._told_runs(customer, numbered.starting)
        batch = await outbox.pending(unit, limit, numbered.begun)
        await self._add_aimed_at(customer, runs, batch)
        await self._add_subjects(runs, batch)
        await self._add_put_back(unit, runs, batch)
        live = await self.parts.programs.live()
        if self.parts.readings is not None:
            # Before anybody enters: the conditions of an entry see what this batch makes the customer feel.
            await self.parts.readings.read(customer, batch.touchpoints)
        routed = await CustomerBatch(
            customer,
            runs=runs,
            live=live,
            profile=lambda: self.parts.profiles.profile(customer),
            signals=self.parts.signals,
        ).route(batch)
        # Before the batch is taken out: where this is interrupted, it is done again, and twice is once.
        await self._look_at(customer, live, {row.event for row in batch.touchpoints})
        reach("router.after_signals")
        rest = await outbox.finish(self.name, unit, routed)
        if rest:  # what came meanwhile is not left to the next look
            asyncio.get_running_loop().call_later(rest.total_seconds(), self.heard.set)

    async def _look_at(self, customer: str, live: Sequence[Program], came: set[str]) -> None:
        """Look whether what came makes the customer enter somewhere without their doing."""
        for program in live:
            if self.parts.looks is not None and events_looked_at(program) & came:
                await self.parts.looks.look(customer, program)

    # -- what is known of the customer's runs

    async def _told_runs(self, customer: str, starting: Sequence[StartingRun]) -> list[ToldRun]:
        runs = [await self._open(run) for run in await self.parts.runs.open_runs_of(customer)]
        opened = {run.workflow_id for run in runs}
        for run in starting:
            if run.workflow_id not in opened:
                program = await self.parts.programs.program(run.version)
                named = (run.workflow_id, run.journey, run.version, run.key)
                runs.append(ToldRun(*named, program, first_run_id=run.first_run_id))
        return runs

    async def _open(self, run: OpenRun, *, aimed_only: bool = False) -> ToldRun:
        return ToldRun(
            run.workflow_id,
            run.journey,
            run.version,
            run.key,
            await self.parts.programs.program(run.version),
            entry=run.entry,
            aimed_only=aimed_only or run.gives_way,
            gives_way=run.gives_way,
            entering=run.entering,
            moved=run.moved,
        )

    async def _add_aimed_at(self, customer: str, runs: list[ToldRun], batch: PendingBatch) -> None:
        """Know of the runs that were admitted between reading the runs and reading the rows."""
        aimed = {row.run for row in batch.touchpoints if row.run is not None}
        if aimed <= {run.workflow_id for run in runs if run.entry is not None}:
            return
        known = {run.workflow_id: run for run in runs}
        for run in await self.parts.runs.open_runs_of(customer):
            starting = known.get(run.workflow_id)
            if starting is not None:
                starting.entry = starting.entry or run.entry
            elif run.workflow_id in aimed:
                runs.append(await self._open(run, aimed_only=True))

    async def _add_subjects(self, runs: Sequence[ToldRun], batch: PendingBatch) -> None:
        if any(given.subject is not None for given in batch.touchpoints):
            opened = {run.entry: run for run in runs if run.entry is not None}
            for entry, subjects in (await self.parts.outbox.subjects_of([*opened])).items():
                opened[entry].subjects = subjects

    async def _add_put_back(self, unit: str, runs: Sequence[ToldRun], batch: PendingBatch) -> None:
        """Know, once all is read by which a run wants something, what was put back for it meanwhile.

        A run that wants a touchpoint since a router told it higher ones takes it under its new number only.
        """
        rows = batch.touchpoints
        if len(rows) >= self.pace.batch or any(row.run or row.subject for row in rows):
            put_back = await self.parts.outbox.put_back(unit)
            for run in runs:
                run.put_back = put_back.get(run.workflow_id, run.put_back)


def _cancelled() -> bool:
    """Whether this task was cancelled, even where a driver turned that into another error."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
