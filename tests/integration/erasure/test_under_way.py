"""An erasure while the world goes on: what is reported, routed, sent and killed meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from api.intake import Intake
from api.reported import Reported
from contracts.routing import customer_unit
from stores.consents import ConsentStore
from stores.erasures import NobodyToEraseError
from stores.staff_merges import MergeStore, UnknownCustomerError
from stores.touchpoints import NewTouchpoint, store_touchpoints
from tests.integration.erasure.conftest import CANARY, House

ANNA, MAIL = ("user_id", "anna"), ("email", "anna@example.com")


class Silent:
    def ring(self) -> None: ...


def reported(kind: str, *names: tuple[str, str], **properties: Any) -> Reported:
    return Reported(
        kind=kind,  # pyright: ignore[reportArgumentType] -- told by the test
        message_id=f"{kind}-{names}-{sorted(properties)}",
        event="$identify" if kind == "identify" else "Ordered",
        names=names,
        subject=None,
        occurred_at=datetime.now(UTC),
        properties=properties,
        context={},
    )


async def take(house: House, *told: Reported) -> None:
    intake = Intake(house.pool, house.customers, Silent())
    await intake.take("web", [(n, {}, one) for n, one in enumerate(told)], [])


async def test_what_is_reported_of_somebody_who_is_being_erased_is_taken_and_kept_nowhere(
    house: House,
) -> None:
    anna = await house.known(ANNA, MAIL)
    erasure = await house.erasures.begin(anna, by="eva")

    await take(
        house,
        reported("identify", ANNA, ("anonymous_id", CANARY), first_name=CANARY),
        reported("touchpoint", ANNA, value=CANARY),
    )
    await house.eraser().finish(erasure)

    assert set(await house.hits(CANARY, anna, "anna@example.com")) <= {"audit"}
    assert (await house.erasures.proof(erasure)).state == "done"


async def test_a_touchpoint_that_was_on_its_way_in_while_the_rows_went_is_found_by_the_last_look(
    house: House,
) -> None:
    anna = await house.known(ANNA)
    # As a process of the version before does, which does not ask who is erased.
    writing = await house.pool.getconn()
    await writing.execute("select pg_current_xact_id()")
    erasure = await house.erasures.begin(anna, by="eva")
    eraser = house.eraser()
    while (await house.erasures.proof(erasure)).state != "swept":
        await eraser.round(erasure)
    await writing.execute("insert into preferences (customer) values (%s)", [anna])

    await eraser.round(erasure)
    assert (await house.erasures.proof(erasure)).state == "swept", "it waits for whoever writes"
    await writing.commit()
    await house.pool.putconn(writing)
    await eraser.finish(erasure)

    assert set(await house.hits(anna)) <= {"audit"}
    assert (await house.erasures.proof(erasure)).counts["preferences"] == 1


async def test_what_is_stored_for_an_erased_id_later_is_not_kept(house: House) -> None:
    anna = await house.known(ANNA)
    await house.erased(anna)

    late = NewTouchpoint(
        message_id="late", event="Ordered", occurred_at=datetime.now(UTC), customer=anna
    )
    async with house.pool.connection() as connection:
        assert await store_touchpoints(connection, [late]) == [None]

    assert set(await house.hits(anna, "late")) <= {"audit"}


async def test_the_same_names_are_somebody_new_after_it(house: House) -> None:
    anna = await house.known(ANNA, MAIL, first_name="Anna")
    await house.erased(anna)

    again = await house.known(ANNA, MAIL)

    assert again != anna
    found = await house.customers.find("anna")
    assert found is not None
    assert found.traits == {}


async def test_whoever_is_being_erased_becomes_one_with_nobody(house: House) -> None:
    anna = await house.known(ANNA)
    ben = await house.known(("user_id", "ben"), ("anonymous_id", "shared"))
    await house.erasures.begin(anna, by="eva")

    assert await house.known(ANNA, ("anonymous_id", "shared")) == anna
    assert await house.known(("user_id", "ben"), ("anonymous_id", "shared")) == ben
    with pytest.raises(UnknownCustomerError, match="being erased"):
        await MergeStore(house.pool).merge("anna", "ben", by="eva", why="one")
    assert await house.rows("select 1 from merges") == []


async def test_all_who_became_this_customer_go_and_whoever_was_parted_stays(house: House) -> None:
    anna = await house.known(ANNA, first_name="Anna")
    other = await house.known(("user_id", "annabel"))
    parted = await house.known(("user_id", "ben"), first_name="Ben")
    merges = MergeStore(house.pool)
    mistaken = await merges.merge("anna", "ben", by="eva", why="mistaken")
    await merges.unmerge(mistaken.merge, by="eva", why="two people")
    await merges.merge("anna", "annabel", by="eva", why="one person")
    proof = await house.erasures.proof(await house.erased(anna))

    assert await house.hits(other) == {}
    assert len(proof.customers) == 2
    left = await house.customers.find("ben")
    assert left is not None
    assert (left.customer, left.traits) == (parted, {"first_name": "Ben"})


async def test_it_waits_for_the_router_that_works_the_customer_and_for_a_mail_that_is_being_sent(
    house: House,
) -> None:
    anna = await house.known(ANNA)
    await house.filled(anna)
    unit = customer_unit(anna)
    soon = datetime.now(UTC) + timedelta(hours=1)
    await house.do(
        "update routing_units set leased_by = 'router', leased_until = %s where unit = %s",
        soon,
        unit,
    )
    await house.do("update deliveries set state = 'intended', claimed_until = %s", soon)
    erasure = await house.erasures.begin(anna, by="eva")
    eraser = house.eraser()

    await eraser.round(erasure)
    assert house.executions.asked == [], "runs end when nobody starts any more"
    await house.do("update routing_units set leased_until = null")
    await eraser.round(erasure)
    assert house.executions.asked == [(anna,)]
    await eraser.round(erasure)
    assert (await house.erasures.proof(erasure)).state == "begun", "a mail is being sent"
    await house.do("update deliveries set claimed_until = null")
    await eraser.finish(erasure)

    assert set(await house.hits(anna)) <= {"audit"}


@pytest.mark.parametrize("steps", range(1, 7))
async def test_killed_after_any_step_it_is_carried_on_by_somebody_else(
    house: House, steps: int
) -> None:
    anna = await house.known(ANNA)
    await house.filled(anna)
    house.executions.left = [(f"run-{n}", uuid4().hex) for n in range(60)]
    erasure = await house.erasures.begin(anna, by="eva")
    for _ in range(steps):
        await house.eraser("killed").round(erasure)
    assert await house.erasures.hold("router") is None or steps > 5, (
        "whoever was killed still has it"
    )
    await house.do("update erasures set held_until = now() - interval '1 second'")

    router = house.eraser("router")
    while await router.round():
        pass

    proof = await house.erasures.proof(erasure)
    assert (proof.state, proof.executions) == ("done", 60)
    assert set(await house.hits(anna)) <= {"audit"}
    assert house.executions.left == []


async def test_an_execution_that_is_slow_to_go_is_counted_once_whoever_sees_it_gone(
    house: House,
) -> None:
    anna = await house.known(ANNA)
    house.executions.left = [(f"run-{n}", uuid4().hex) for n in range(3)]
    house.executions.slow = 1
    erasure = await house.erasures.begin(anna, by="eva")
    eraser = house.eraser()
    await eraser.round(erasure)
    assert len(house.executions.left) == 1
    slow_one = house.executions.left.pop()  # it goes before anybody looks again

    await eraser.finish(erasure)

    assert (await house.erasures.proof(erasure)).executions == 3
    assert slow_one[1] not in str(await house.rows("select * from erasures")), "its id is forgotten"


async def test_begun_twice_it_is_one_erasure_and_nobody_cannot_be_erased(house: House) -> None:
    anna = await house.known(ANNA)
    first, second = await asyncio.gather(
        house.erasures.begin(anna, by="eva"), house.erasures.begin(anna, by="tom")
    )

    assert first == second
    await house.eraser().finish(first)
    with pytest.raises(NobodyToEraseError):
        await house.erasures.begin(anna, by="eva")
    with pytest.raises(NobodyToEraseError):
        await house.erasures.preview("email", kind="email")


async def test_touchpoints_about_a_thing_stay_where_somebody_else_had_them_too(
    house: House,
) -> None:
    anna, ben = await house.known(ANNA), await house.known(("user_id", "ben"))
    about = [
        NewTouchpoint(
            message_id=f"about-{each}",
            event="Van Delayed",
            occurred_at=datetime.now(UTC),
            subject=("van", each),
        )
        for each in ("hers", "shared")
    ]
    async with house.pool.connection() as connection:
        hers, shared = await store_touchpoints(connection, about)
    for whose, touchpoint in ((anna, hers), (anna, shared), (ben, shared)):
        await house.do(
            "insert into arrivals (customer, number, touchpoint, received_at)"
            " select %s, touchpoint, touchpoint, received_at from touchpoints where touchpoint = %s",
            whose,
            touchpoint,
        )

    await house.erased(anna)

    left = await house.rows("select message_id from touchpoints")
    assert [row["message_id"] for row in left] == ["about-shared"]


async def test_their_address_gets_nothing_without_a_new_yes(house: House) -> None:
    anna = await house.known(ANNA, MAIL)
    await house.erased(anna)
    again = await house.known(ANNA, MAIL)

    assert await suppressed(house, again) == {"email"}
    consents = ConsentStore(house.pool)
    await consents.give(again, "marketing", "email", source="form", proof="form 7")
    assert await suppressed(house, again) == set()
    await consents.withdraw(again, "marketing", "", source="form", proof="form 8")
    await consents.withdraw(again, "marketing", "email", source="form", proof="form 8")
    assert await suppressed(house, again) == {"email"}
    other = await house.known(("user_id", "ben"), email="ben@example.com")
    assert await suppressed(house, other) == set()
    by_trait = await house.known(("user_id", "carl"), email=" Anna@Example.com")
    assert await suppressed(house, by_trait) == {"email"}


async def suppressed(house: House, customer: str) -> set[str]:
    """The channels that are shut for the customer, as the policy is told."""
    from activities.delivery_ledger import DeliveryIntent
    from contracts.journey_run import RunReference
    from journey.effects import Deliver
    from journey.house_policy import NO_POLICY
    from stores import delivery_facts

    now = datetime.now(UTC)
    run = RunReference(
        workflow_id="journey/j/c", entry=1, journey="j", version="v", customer=customer, now=now
    )
    deliver = Deliver(n=1, message="m", purpose="marketing", via=("email",), values={})
    intent = DeliveryIntent(
        key="k", run=run, deliver=deliver, now=now, channels=frozenset({"email"}), revision=None
    )
    async with house.pool.connection() as connection:
        locked = await delivery_facts.lock_customer(connection, customer)
        facts = await delivery_facts.load(
            connection, intent, locked, NO_POLICY, hashes=house.hashes
        )
    return set(facts.suppressed)
