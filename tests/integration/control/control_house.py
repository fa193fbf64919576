"""A house with staff and a journey that many have gone through, and its pages as they are wired for production."""

from datetime import datetime, timedelta
from pathlib import Path

from fastapi import FastAPI

from api.app import create_app
from contracts.clock import RunClock
from insight.backtest_figures import Figures
from insight.sorted_recording import SortedRecording
from stores.database import Pool
from stores.engines import NEEDED
from stores.figure_looks import FigureLooks
from stores.figures_ear import FiguresEar
from stores.journey_figures import JourneyFiguresStore
from tests.integration.inbox.staff_house import StaffHouse
from tests.integration.stores.test_backtest_runs import written
from tests.unit.insight.recordings import NOON, TEA, guests, journey
from workers.control import mission_control
from workers.inbox import staff_inbox

THEN = NOON + timedelta(days=9)
"""The end of what was played: where everybody stands."""


class ControlHouse(StaffHouse):
    """The inbox and mission control on one database."""

    def __init__(self, pool: Pool, url: str, address: str = "http://clew.test") -> None:
        super().__init__(pool, address)
        self.ear, self.url = FiguresEar(url), url
        self.figures, self.folded = FigureLooks(pool), JourneyFiguresStore(pool)
        self.version = ""

    def app(self) -> FastAPI:
        """The API with nothing but the pages of staff."""
        inbox = staff_inbox(
            self.pool, lambda: None, self.told, stopping=self.stopping, now=self.clock, every_seconds=0.1
        )  # fmt: skip
        wall = self.clock()
        clock = RunClock(wall_epoch=wall, run_epoch=THEN, factor=1)
        control = mission_control(
            self.pool, self.ear, lambda: None, url=self.url, https=False, stopping=self.stopping, run_clock=clock,
            now=self.clock,
        )  # fmt: skip
        return create_app(inbox, control)

    async def lived(self, url: str, folder: Path, many: int = 400, source: str = TEA) -> Figures:
        """So many guests of a tea shop went through its journey, as a backtest plays it."""
        recording = SortedRecording(folder, "Tea Bought")
        for each in guests(many):
            recording.take(each)
        recording.close()
        tea = journey(source)
        self.version = tea.version
        played = await written(url, tea, recording)
        await self.fold()
        async with self.pool.connection() as connection:
            await connection.execute(
                "insert into messages (name, revision, source, live) values ('how-was-it', 1, 'x', true)"
            )
            # They tell of themselves every ten seconds; here once for as long as any test takes.
            await connection.execute(
                "insert into processes (process, kind, build, engines, seen_at)"
                " select kind, kind, 'x', '{4}', now() + interval '1 day' from unnest(%s::text[]) kind",
                [list(NEEDED)],
            )
        return played

    async def fold(self) -> None:
        """Until the figures are what moved."""
        while await self.folded.fold():
            pass

    def at(self, after: timedelta) -> datetime:
        """An instant of run time, so long after the first guest."""
        return NOON + after
