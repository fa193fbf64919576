"""What clients say of who somebody is: aliases, groups, types of traits, names of nobody."""

from typing import Any

import httpx2
import pytest

from api.app import create_app
from api.merges import merges_router
from api.staff_key import StaffKeyCheck
from stores.customers import CustomerStore
from stores.database import Pool
from stores.house_rules import forget_rules
from stores.published import HOUSE, PublishedStore
from stores.staff_merges import MergeStore
from stores.trait_types import FIRST, TraitTypeStore
from tests.integration.api.conftest import Stored
from tests.integration.conftest import STAFF_TOKEN, staff_client

Client = httpx2.AsyncClient


async def say(client: Client, kind: str, **message: Any) -> dict[str, Any]:
    answer = await client.post("/v1/batch", json={"batch": [{"type": kind, **message}]})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def publish(pool: Pool, **rules: Any) -> None:
    await PublishedStore(pool).publish("identities", HOUSE, rules)
    async with pool.connection() as connection:
        forget_rules(connection)


async def traits(pool: Pool, name: str) -> dict[str, Any]:
    found = await CustomerStore(pool).find(name)
    assert found is not None
    return found.traits


async def test_an_anonymous_visitor_who_identifies_is_one_with_who_they_are(
    client: Client, pool: Pool, stored: Stored
) -> None:
    await say(client, "track", event="Looked", anonymousId="d1")
    await say(client, "identify", userId="anna", traits={"tier": "gold"})
    await say(client, "identify", userId="anna", anonymousId="d1", traits={})
    await say(client, "track", event="Bought", anonymousId="d1")

    customers = CustomerStore(pool)
    one, other = await customers.find("d1"), await customers.find("anna")
    assert one == other
    assert len(await stored.rows("select 1 from merges")) == 1


@pytest.mark.parametrize("before", ["old-user", "old-device"])
async def test_an_alias_makes_one_of_two_also_of_two_user_ids(
    client: Client, pool: Pool, before: str
) -> None:
    await say(client, "identify", userId="old-user", traits={"city": "Brno"})
    await say(client, "track", event="Looked", anonymousId="old-device")
    await say(client, "identify", userId="new-user", traits={})

    await say(client, "alias", userId="new-user", previousId=before)

    customers = CustomerStore(pool)
    assert await customers.find("new-user") == await customers.find(before)


async def test_a_group_is_on_the_profile_with_its_traits(client: Client, pool: Pool) -> None:
    message = {"messageId": "m1", "userId": "anna", "groupId": "acme"}
    for _ in range(2):
        await say(client, "group", **message, traits={"plan": "team"})
    await say(client, "group", userId="anna", groupId="club", traits={})
    await say(client, "group", userId="anna", groupId="acme", traits={"seats": 5})

    assert await traits(pool, "anna") == {
        "groups": ["acme", "club"],
        "group": {"plan": "team", "seats": 5, "id": "acme"},
    }


async def test_a_name_of_nobody_is_refused_and_told(client: Client, stored: Stored) -> None:
    answer = await say(client, "track", event="Looked", userId="undefined")

    assert "is a name of nobody" in answer["refused"][0]["reason"]
    await say(client, "track", event="Looked", userId="null", anonymousId="d1")
    rows = await stored.rows("select kind, value from identities")
    assert rows == [{"kind": "anonymous_id", "value": "d1"}]


async def test_a_pinned_trait_is_turned_where_that_is_exact_and_refused_where_not(
    client: Client, pool: Pool, stored: Stored
) -> None:
    await publish(pool, traits={"age": "integer", "vip": "boolean"})

    await say(client, "identify", userId="anna", traits={"age": "12", "vip": "true", "x": 1})
    await say(client, "identify", userId="anna", traits={"age": "about forty", "x": 2})

    assert await traits(pool, "anna") == {"age": 12, "vip": True, "x": 2}
    [reason] = await stored.refused()
    assert reason == (
        "traits.age: expected a whole number, got 'about forty'; identities.yaml pins it"
    )


async def test_types_are_learned_from_what_comes_first_and_only_told(
    client: Client, pool: Pool
) -> None:
    for number in range(FIRST + 1):
        await say(client, "identify", userId=f"u{number}", traits={"age": number, "name": "A"})
    await say(client, "identify", userId="anna", traits={"age": "old"})

    known = {each.trait: each for each in await TraitTypeStore(pool).traits()}
    assert (known["age"].type, known["age"].how, known["age"].differ) == ("integer", "learned", 1)
    assert known["age"].example == "old"
    assert (await traits(pool, "anna"))["age"] == "old"


async def test_a_computed_trait_counts_each_message_once_also_of_before_it_was_published(
    client: Client, pool: Pool, stored: Stored
) -> None:
    await say(client, "track", event="Bought", userId="anna", properties={"total": 10, "of": "a"})
    await publish(
        pool,
        computed={
            "orders": {"count": "Bought"},
            "spent": {"sum": "Bought", "of": "total", "when": "event.properties.total > 5.0"},
            "likes": {"most_frequent": "Bought", "of": "of"},
            "lately": {"count": "Bought", "within": "30d"},
        },
    )
    message = {"event": "Bought", "userId": "anna", "properties": {"total": 20.5, "of": "b"}}
    for _ in range(3):
        await say(client, "track", messageId="m2", **message)
    await say(client, "track", event="Bought", anonymousId="d1", properties={"total": 1, "of": "b"})
    assert await traits(pool, "anna") == {"orders": 2, "spent": 30.5, "likes": "b", "lately": 2}

    await say(client, "identify", userId="anna", anonymousId="d1", traits={})

    assert await traits(pool, "anna") == {"orders": 3, "spent": 30.5, "likes": "b", "lately": 3}
    told = await stored.rows("select properties from touchpoints where event = '$identify'")
    assert {"orders": 3, "lately": 3}.items() <= told[-2]["properties"].items()


async def test_staff_merge_list_and_undo_over_http(pool: Pool, client: Client) -> None:
    await say(client, "identify", userId="anna", traits={})
    await say(client, "identify", userId="hana", traits={})
    app = create_app(merges_router(MergeStore(pool), StaffKeyCheck(STAFF_TOKEN)))
    order = {"one": "anna", "other": "hana", "by": "eva", "why": "one person, two accounts"}

    async with staff_client(app) as staff:
        made = await staff.post("/v1/merges", json=order)
        again = await staff.post("/v1/merges", json=order)
        listed = await staff.get("/v1/customers/hana/merges")
        number = made.json()["merge"]
        undone = await staff.post(f"/v1/merges/{number}/undo", json={"by": "eva", "why": "no"})
        twice = await staff.post(f"/v1/merges/{number}/undo", json={"by": "eva", "why": "no"})
        nobody = await staff.post("/v1/merges", json={**order, "one": "x"})
        wrong = await staff.post("/v1/merges", json={"one": "anna"})
        unknown = await staff.post("/v1/merges/9999/undo", json={"by": "eva", "why": "no"})

    assert [each.status_code for each in (made, again, listed, undone)] == [201, 409, 200, 200]
    assert [each.status_code for each in (twice, nobody, wrong, unknown)] == [409, 404, 400, 404]
    assert listed.json()["merges"][0]["why"] == "one person, two accounts"
    assert undone.json()["undone_by"] == "eva"


async def test_nobody_outside_says_what_a_customer_feels(
    client: Client, pool: Pool, stored: Stored
) -> None:
    await say(client, "identify", userId="anna", traits={"feeling": "upset", "tier": "gold"})

    assert await traits(pool, "anna") == {"tier": "gold"}
    [why] = await stored.refused()
    assert why.startswith("a feeling is read from evidence")
