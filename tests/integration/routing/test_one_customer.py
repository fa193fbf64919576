"""What the router does with one customer's touchpoints."""

from datetime import UTC, datetime

from contracts.ids import workflow_id
from stores.database import Pool
from stores.rerouting import route_again
from tests.integration.routing.conftest import PARCEL, Happens, MakeRouter, Publish
from tests.integration.routing.town import Town, admit, finish


async def test_an_entering_touchpoint_starts_a_run_and_what_follows_reaches_it_in_order(
    publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    version = await publish(PARCEL)
    town = Town()
    ordered = await happens("Ordered", "c_anna", order="7")
    asked = await happens("Asked", "c_anna")
    delivered = await happens("Delivered", "c_anna")

    await router(town).drain()

    [run] = town.runs
    assert run.workflow_id == workflow_id("parcel", "c_anna", "7")
    assert (run.start.version, run.start.customer, run.start.key) == (version, "c_anna", "7")
    assert run.ids == [ordered, asked, delivered]
    assert run.numbers == [1, 2, 3]
    assert town.signals == 1, "what follows the start goes in one signal"
    assert await happens.fates(ordered) == [
        {"fate": "entered", "run": run.workflow_id, "journey": "parcel"}
    ]
    assert await happens.fates(asked) == [{"fate": "signalled", "run": run.workflow_id}]


async def test_what_nobody_listens_to_is_never_signalled(
    publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    await publish(PARCEL)
    town = Town()
    await happens("Ordered", "c_anna", order="7")
    sneezed = await happens("Sneezed", "c_anna")

    await router(town).drain()

    assert town.signals == 0
    assert await happens.fates(sneezed) == [{"fate": "ignored"}]


async def test_an_admitted_run_is_not_told_again_what_it_had(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    await publish(PARCEL)
    town = Town()
    await happens("Ordered", "c_anna", order="7")
    await happens("Asked", "c_anna")
    await router(town).drain()

    await admit(pool, town.runs[0])
    await router(town).drain()

    assert len(town.runs[0].told) == 2


async def test_a_run_that_a_foreign_client_started_gets_what_came_since(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    """Nobody told the router of it: admission does, and the numbers keep their order."""
    version = await publish(PARCEL | {"enter": {"on": "Never Sent"}})
    town = Town()
    first = await happens("Asked", "c_anna")
    second = await happens("Delivered", "c_anna")
    await router(town).drain()
    run = await town.started_by_another(version, "c_anna", first)

    await admit(pool, run)
    third = await happens("Asked", "c_anna")
    await router(town).drain()

    assert run.ids == [second, third], "it has what it was started with"
    assert [fate["fate"] for fate in await happens.fates(first)][-1] == "entered"


async def test_an_ended_run_makes_room_for_the_next_and_nothing_is_lost(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    """The run's record still says open, but the run has ended when the signal comes."""
    await publish(PARCEL)
    town = Town()
    await happens("Ordered", "c_anna", order="7")
    await router(town).drain()
    await admit(pool, town.runs[0])
    town.runs[0].open = False

    late = await happens("Asked", "c_anna")
    await router(town).drain()

    assert [fate["fate"] for fate in await happens.fates(late)] == ["too_late"]


async def test_a_starting_run_that_ends_is_followed_by_a_new_entry_of_the_same_batch(
    publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    await publish(PARCEL)
    town = Town()
    await happens("Ordered", "c_anna", order="7")
    await router(town).drain()
    town.runs[0].open = False

    asked = await happens("Asked", "c_anna")
    again = await happens("Ordered", "c_anna", order="7")
    after = await happens("Delivered", "c_anna")
    await router(town).drain()

    assert [fate["fate"] for fate in await happens.fates(asked)] == ["too_late"]
    assert town.runs[1].ids == [again, after]


async def test_a_second_entering_touchpoint_reaches_the_run_that_is_just_starting(
    publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    await publish(PARCEL)
    town = Town()
    first = await happens("Ordered", "c_anna", order="7")
    between = await happens("Asked", "c_anna")
    await router(town).drain()
    second = await happens("Ordered", "c_anna", order="7")
    await router(town).drain()

    [run] = town.runs
    assert run.ids == [first, between, second]


async def test_each_key_has_a_run_of_its_own(
    publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    await publish(PARCEL)
    town = Town()
    await happens("Ordered", "c_anna", order="7")
    await happens("Ordered", "c_anna", order="8")
    both = await happens("Asked", "c_anna")

    await router(town).drain()

    assert {run.start.key for run in town.runs} == {"7", "8"}
    assert {fate["run"] for fate in await happens.fates(both)} == set(town.by_id)


async def test_a_condition_that_cannot_be_told_refuses_the_entry_in_words(
    publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    await publish(PARCEL)
    town = Town()
    ordered = await happens("Ordered", "c_anna", message_id="no-order-number")

    await router(town).drain()

    assert town.runs == []
    [fate] = await happens.fates(ordered)
    assert (fate["fate"], fate["journey"]) == ("not_entered", "parcel")
    assert "order" in fate["reason"]


async def test_a_message_id_is_stored_once(pool: Pool, happens: Happens) -> None:
    one = happens.one("Asked", "c_anna", "m-1")
    other = happens.one("Asked", "c_anna", "m-2")

    stored = await happens.together(one, one, other)
    again = await happens.together(other, one)

    assert [number is not None for number in stored] == [True, False, True]
    assert again == [None, None]


async def test_a_key_that_makes_too_long_an_id_is_refused_in_words(
    publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    await publish(PARCEL)
    town = Town()
    ordered = await happens("Ordered", "c_anna", order="7" * 2_000)

    await router(town).drain()

    assert town.runs == []
    assert "too long" in (await happens.fates(ordered))[0]["reason"]


async def test_a_moved_run_gets_what_it_ignored_before_under_numbers_it_takes(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    """A run drops what is numbered below what it had, so such touchpoints are numbered anew."""
    wait = {"wait": {"any": [{"on": "Asked"}], "until": "1d"}}
    await publish(PARCEL | {"stages": [{"stage": "deaf", "steps": [wait, {"finish": "done"}]}]})
    town = Town()
    await happens("Ordered", "c_anna", order="7")
    delivered = await happens("Delivered", "c_anna")
    asked = await happens("Asked", "c_anna")
    await router(town).drain()
    [run] = town.runs
    await admit(pool, run)
    await router(town).drain()
    assert run.ids[1:] == [asked]

    hearing = await publish(PARCEL)
    await move(pool, run.workflow_id, hearing, "c_anna")
    await router(town).drain()

    assert run.ids[1:] == [asked, delivered]
    assert not run.missed
    await finish(pool, run)


async def move(pool: Pool, run: str, version: str, customer: str) -> None:
    """Move a run as admission does."""
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    async with pool.connection() as connection:
        await connection.execute(
            "update runs set version = %s where workflow_id = %s", [version, run]
        )
        await route_again(connection, customer=customer, run=run, since=long_ago)
