"""A run that ended outside of Clew does not stay open in our record, and nobody waits for it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from contracts.run_standing import EndedOutside, OpenRecord
from routing.run_sweeper import RunSweeper
from stores.database import Connection, Pool
from stores.run_sweep import RunSweepStore

QUIET_RUNS = """
insert into runs (workflow_id, first_run_id, journey, customer, engine, state, entered_at, began_at,
                  updated_at, wakes_at)
select 'journey/cart/c_' || n, 'first-' || n, 'cart', 'c_' || n, 1, 'open', now(), now(),
       now() - interval '1 hour', now() - interval '10 minutes'
  from generate_series(1, %s) n
"""


class Server:
    """What a server knows. `there`: the numbers of the runs that are under way on it."""

    def __init__(self, there: Sequence[int] = (), terminated: Sequence[int] = ()) -> None:
        self.there = {f"journey/cart/c_{n}" for n in there}
        self.terminated = [f"journey/cart/c_{n}" for n in terminated]
        self.asked = 0

    async def ended_since(self, since: datetime | None, most: int) -> list[str]:
        return self.terminated

    async def under_way(self, workflow_ids: Sequence[str]) -> set[str]:
        return self.there & set(workflow_ids)

    async def end_of(self, run: OpenRecord) -> EndedOutside | None:
        self.asked += 1
        if run.workflow_id in self.there:
            return None
        how = "terminated" if run.workflow_id in self.terminated else "not_found"
        return EndedOutside(run=run, how=how, told="by eva, a trial" if how == "terminated" else "")


class CountedPool:
    """Counts the statements that go to the database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.statements = 0

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Any]:
        async with self._pool.connection() as connection:
            yield _Counted(connection, self)


class _Counted:
    def __init__(self, connection: Connection, counts: CountedPool) -> None:
        self._connection, self._counts = connection, counts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, *given: Any) -> Any:
        self._counts.statements += 1
        return await self._connection.execute(*given)


def sweeper(pool: Any, server: Server, **given: Any) -> RunSweeper:
    store = RunSweepStore(cast("Pool", pool), lambda: datetime.now(UTC), waits=False)
    return RunSweeper(store, server, **given)


async def rows(pool: Pool, statement: Any, *values: object) -> list[dict[str, Any]]:
    async with pool.connection() as connection:
        return await (await connection.execute(statement, values)).fetchall()


async def open_runs(pool: Pool) -> int:
    return (await rows(pool, "select count(*) as n from runs where state = 'open'"))[0]["n"]


async def test_of_a_thousand_open_runs_those_that_are_gone_are_ended_with_their_reason(
    pool: Pool,
) -> None:
    await rows_written(pool, 1_000)
    server = Server(there=range(1, 999), terminated=[999])

    await sweeper(pool, server).round()

    told = await rows(
        pool,
        "select customer, outcome, reason, detail, wakes_at from runs"
        " where state = 'finished' order by reason",
    )
    assert [(r["customer"], r["outcome"], r["reason"]) for r in told] == [
        ("c_1000", "ended-outside", "not_found"),
        ("c_999", "ended-outside", "terminated"),
    ]
    assert told[1]["detail"] == "terminated on the Temporal server: by eva, a trial"
    assert await open_runs(pool) == 998
    assert server.asked == 2, "only whom the search does not have is asked for by name"


async def test_a_thousand_open_runs_cost_two_statements(pool: Pool) -> None:
    await rows_written(pool, 1_000)
    counted = CountedPool(pool)

    await sweeper(counted, Server(there=range(1, 1_001))).round()

    assert counted.statements == 2
    assert await open_runs(pool) == 1_000


async def rows_written(pool: Pool, count: int) -> None:
    async with pool.connection() as connection:
        await connection.execute(QUIET_RUNS, [count])


async def test_the_walk_goes_round_in_portions_and_by_the_index_of_open_runs(pool: Pool) -> None:
    await rows_written(pool, 25)
    work = sweeper(pool, Server(there=range(1, 26)), portion=10)

    whole = list[bool]()
    for _ in range(4):
        await work.round()
        whole.append(work.whole)

    assert whole == [False, False, True, False]
    assert await open_runs(pool) == 25


async def test_where_the_server_has_none_of_them_nobody_is_ended_until_staff_say_so(
    pool: Pool,
) -> None:
    await rows_written(pool, 25)
    work = sweeper(pool, Server())

    await work.round()

    assert (work.missing, work.ended, await open_runs(pool)) == (25, [], 25)
    await sweeper(pool, Server(), even_if_all=True).round()
    assert await open_runs(pool) == 0


async def test_of_two_routers_one_looks(pool: Pool) -> None:
    await rows_written(pool, 3)
    one, other = (RunSweepStore(pool, lambda: datetime.now(UTC)) for _ in range(2))

    first = await one.begin(10, timedelta(minutes=1))
    second = await other.begin(10, timedelta(minutes=1))

    assert first is not None
    assert len(first.runs) == 3
    assert second is None


async def test_who_wrote_a_record_just_now_is_not_looked_for(pool: Pool) -> None:
    await rows_written(pool, 2)
    async with pool.connection() as connection:
        await connection.execute("update runs set updated_at = now() where customer = 'c_1'")

    sweep = await RunSweepStore(pool, lambda: datetime.now(UTC)).begin(10, timedelta(minutes=1))

    assert sweep is not None
    assert [run.customer for run in sweep.runs] == ["c_2"]
