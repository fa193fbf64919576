"""What a backtest made is written so that the readers of real runs understand it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.evidence import Outside
from contracts.made_records import BacktestRecordsError, MadeCase
from insight.backtest import last_entry, play_together, tasks_of
from insight.backtest_figures import Figures
from insight.backtest_processes import Order, play_apart
from insight.backtest_world import RecordedWorld, StaffRule
from insight.invariants import check
from insight.sorted_recording import KnownCustomer, SortedRecording, our_id
from journey.publication import Publishable
from stores.backtest_room import make_room
from stores.backtest_runs import OpenBacktestRuns
from stores.cases import CaseStore
from stores.customers import CustomerStore
from stores.database import Pool
from stores.definitions import DefinitionStore
from stores.evidence import EvidenceStore
from stores.runs import RunStore
from tests.integration.stores.conftest import CART, Shop, added
from tests.unit.insight.recordings import NOON, TEA, bounds, came, guests, journey
from tests.unit.insight.test_backtest import VAN

GOLD = KnownCustomer(
    customer="ann", traits={"tier": "gold", "name": "Ann"}, zone="America/New_York"
)


def briefly(case: MadeCase) -> str:
    return case.brief.replace("{{ customer.name }}", str(case.values["customer"]["name"]))  # type: ignore[index]


def recorded(folder: Path, many: int = 60) -> SortedRecording:
    recording = SortedRecording(folder, "Tea Bought")
    recording.know(GOLD)
    for each in [*guests(many), came("ann", "Tea Bought", timedelta(0), price=3.0)]:
        recording.take(each)
    recording.close()
    return recording


async def written(
    url: str,
    tea: Publishable,
    recording: SortedRecording,
    *,
    processes: int = 1,
    add: bool = False,
) -> Figures:
    """A backtest into a database, as the command does it."""
    within = replace(bounds(recording), ends=NOON + timedelta(days=9))
    numbers = await make_room(
        url,
        tea,
        begins=within.begins,
        ends=within.ends,
        entries=last_entry(tea.program, recording),
        touchpoints=recording.taken,
        add=add,
    )
    opened = OpenBacktestRuns(
        url=url,
        journey=tea.journey,
        version=tea.version,
        touchpoints=numbers.touchpoints,
        shared=add,
        brief=briefly,
    )
    staff = {"hosts": StaffRule(decision="came")}
    order = Order(canonical=tea.canonical, bounds=within, staff=staff, taker=opened)
    tasks = tasks_of(tea.program, recording, numbers.entries)
    return play_apart(order, tasks, processes, pays_from=0)


@pytest.mark.parametrize("processes", [1, 2])
async def test_the_readers_of_runs_find_what_was_made(
    database: str, pool: Pool, tmp_path: Path, processes: int
):
    tea = journey()
    figures = await written(database, tea, recorded(tmp_path), processes=processes)
    runs = await RunStore(pool).runs(journey="tea", most=1_000)
    standing = await RunStore(pool).standing("tea")

    assert len(runs) == figures.runs
    assert {(each.outcome, each.runs) for each in standing if each.outcome} == {
        (outcome, sum(n for (name, _, _), n in figures.outcomes.items() if name == outcome))
        for outcome, _, _ in figures.outcomes
        if outcome != "goes on"
    }
    still = [run for run in runs if run.state == "open"]
    assert still
    assert all(run.waits_for and run.wakes_at and run.stage == "tasting" for run in still)
    assert await DefinitionStore(pool).live("tea") == tea.version


async def test_one_run_tells_its_whole_story(database: str, pool: Pool, tmp_path: Path):
    await written(database, journey(), recorded(tmp_path))
    ann = await CustomerStore(pool).find("ann")
    assert ann is not None
    [found] = await RunStore(pool).runs(customer=ann.customer)
    story = await RunStore(pool).run(found.entry)
    [case] = await CaseStore(pool).cases(customer=ann.customer)

    assert ann.customer == our_id("ann")
    assert (ann.traits, ann.zone) == ({"tier": "gold", "name": "Ann"}, "America/New_York")
    assert story is not None
    assert [entry.kind for entry in story.trace][:2] == ["entered", "stage"]
    assert story.run.outcome == "again"
    assert (case.brief, case.state, case.decision) == ("Call Ann", "resolved", "came")
    assert list(case.decisions) == ["came", "no"]


async def test_nothing_is_twice_and_nobody_is_stuck(database: str, pool: Pool, tmp_path: Path):
    """The rules for real installations hold, but for those of a server that there was not."""
    await written(database, journey(), recorded(tmp_path))
    seen = await EvidenceStore(pool).seen()

    broken = check(seen, [], Outside(), run_now=NOON, late=timedelta(days=60))

    assert len(seen.touchpoints) == 81
    assert [told for told in broken.stuck if "history is not there" not in told] == []
    assert (broken.twice, broken.left, broken.unknown) == ([], [], [])


async def test_numbers_go_on_behind_what_was_made(
    database: str, pool: Pool, shop: Shop, tmp_path: Path
):
    await written(database, journey(), recorded(tmp_path))
    highest = (await shop.rows("select max(entry) as entry from runs"))[0]["entry"]
    await shop.publish(CART)
    customer = await shop.known("somebody")
    entered = await shop.enters(shop.order("cart", customer, added()))

    assert entered.entry > highest


async def test_where_runs_are_already_nothing_is_written_unless_one_says_so(
    database: str, pool: Pool, tmp_path: Path
):
    tea, recording = journey(), recorded(tmp_path)
    coffee = journey(TEA.replace("journey: tea", "journey: coffee"))
    first = await written(database, tea, recording)

    with pytest.raises(BacktestRecordsError, match="holds runs already"):
        await written(database, coffee, recording)
    second = await written(database, coffee, recording, add=True)
    with pytest.raises(BacktestRecordsError, match="a backtest of this version of coffee already"):
        await written(database, coffee, recording, add=True)

    runs = await RunStore(pool).runs(most=1_000)
    assert len(runs) == first.runs + second.runs
    assert len((await EvidenceStore(pool).seen()).touchpoints) == 81


async def test_a_customer_whom_the_database_knows_as_somebody_is_not_made_anew(
    database: str, shop: Shop, tmp_path: Path
):
    await shop.known("guest-7")

    with pytest.raises(BacktestRecordsError, match="guest-7 of the recording is known here"):
        await written(database, journey(), recorded(tmp_path), add=True)


async def test_runs_that_listen_to_subjects_are_found_by_them(
    database: str, pool: Pool, tmp_path: Path
):
    van = journey(VAN)
    recording = SortedRecording(tmp_path, "Paid")
    recording.take(came("ann", "Paid", timedelta(0), van="v1"))
    recording.take(came(None, "Van Moved", timedelta(hours=1), subject={"kind": "van", "id": "v1"}))
    recording.close()
    within = bounds(recording)
    await make_room(
        database, van, begins=within.begins, ends=within.ends, entries=1, touchpoints=2, add=False
    )
    opened = OpenBacktestRuns(
        url=database, journey="van", version=van.version, touchpoints=1, shared=False, brief=briefly
    )
    with opened() as taker:
        play_together(
            van.program, recording, within, RecordedWorld({"email"}, {}), entries=1, taker=taker
        )

    [listening] = await RunStore(pool).listening_to("van", "v1")
    assert listening.customer == our_id("ann")


async def test_touchpoints_lie_in_the_partition_of_their_month(
    database: str, shop: Shop, tmp_path: Path
):
    await written(database, journey(), recorded(tmp_path))
    [found] = await shop.rows("select count(*) as there from touchpoints_2026_03")

    assert found["there"] == 81
