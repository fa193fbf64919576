"""What becomes of two customers who turn out to be one, and of one who turns out to be two."""

from typing import Any

import pytest

from journey.identity_rules import IdentityRules, KindRule
from stores.consents import ConsentStore
from stores.moved_rows import TABLES
from stores.staff_merges import SameCustomerError, UnknownCustomerError
from stores.unmerges import CannotBePartedError
from tests.integration.identity.conftest import People

ANNA, MAIL = ("user_id", "anna"), ("email", "anna@example.com")
DEVICE = ("anonymous_id", "device-1")


async def whole(people: People, *, but: tuple[str, ...] = ()) -> dict[str, list[dict[str, Any]]]:
    """All that is held of customers, to be compared."""
    tables = [table for table in TABLES if table not in but]
    found: dict[str, list[dict[str, Any]]] = {}
    for table in tables:
        rows = await people.rows(f"select to_jsonb(t) as row from {table} t")
        found[table] = sorted((row["row"] for row in rows), key=str)
    return found


async def test_every_table_with_a_customer_says_what_a_merge_does_with_it(people: People) -> None:
    """A table that nobody named would keep rows of somebody who is no more: name it in stores/moved_rows.py."""
    rows = await people.rows(
        """
        select c.table_name from information_schema.columns c
          join pg_class p on p.relname = c.table_name and p.relnamespace = 'public'::regnamespace
         where c.table_schema = 'public' and c.column_name = 'customer'
           and p.relkind in ('r', 'p') and not p.relispartition
        """
    )

    assert {row["table_name"] for row in rows} == set(TABLES)


async def test_an_e_mail_that_two_user_ids_share_does_not_make_them_one(people: People) -> None:
    anna = await people.named(ANNA, MAIL)
    bert = await people.named(("user_id", "bert"))

    for _ in range(3):
        assert await people.named(("user_id", "bert"), MAIL) == bert

    assert await people.named(MAIL) == anna
    [told] = await people.merges.refused(bert)
    assert (told.kind, told.leads_to) == ("email", anna)
    assert told.why == "one customer has at most 1 user_id"
    assert told.times == 1, "asked again it costs a read, and is not told again"


async def test_a_name_over_the_limit_is_left_alone_and_told(people: People) -> None:
    people.rules = IdentityRules(identities={"email": KindRule(limit=2)})
    anna = await people.named(ANNA, ("email", "a@example.com"))
    await people.named(ANNA, ("email", "b@example.com"))

    for _ in range(2):
        assert await people.named(ANNA, ("email", "c@example.com")) == anna

    assert await people.customers.find("c@example.com") is None
    assert [told.value for told in await people.merges.refused(anna)] == ["c@example.com"]


@pytest.mark.parametrize("value", ["null", "Undefined", "-1", "test@example.com", "n/a"])
async def test_what_clients_send_for_nobody_makes_nobody(people: People, value: str) -> None:
    with pytest.raises(ValueError, match="not a name of nobody"):
        await people.named(("user_id", value))
    anna = await people.named(ANNA, ("anonymous_id", value))

    assert await people.named(("user_id", "bert"), ("anonymous_id", value)) != anna


async def test_what_somebody_said_is_one_is_one_whatever_the_limits(people: People) -> None:
    old = await people.named(ANNA)
    await people.named(("user_id", "anna-2"))

    async with people.pool.connection() as connection:
        now = await people.customers.alias(connection, "anna-2", "anna")

    assert now == old, "the older stays"
    assert await people.named(ANNA) == await people.named(("user_id", "anna-2")) == old


async def test_who_has_a_user_id_stays_and_then_the_older(people: People) -> None:
    visitor, anna = await people.named(DEVICE), await people.named(ANNA)
    await people.has(visitor, city="Brno", tier="new")
    await people.has(anna, tier="gold")

    assert await people.named(ANNA, DEVICE) == anna

    found = await people.customers.find(visitor)
    assert found is not None
    assert (found.customer, found.traits) == (anna, {"tier": "gold", "city": "Brno"})
    [told] = await people.rows("select * from touchpoints where event = '$identify'")
    assert (told["customer"], told["properties"]) == (anna, {"tier": "gold", "city": "Brno"})


async def fill(people: People, anna: str, visitor: str) -> None:
    """A row of every kind for both, such as one has after some weeks."""
    consents = ConsentStore(people.pool)
    await consents.withdraw(anna, "marketing", "", source="page", proof="1")
    await consents.give(visitor, "marketing", "", source="page", proof="2")
    await consents.give(visitor, "marketing", "sms", source="page", proof="3")
    for index, who in enumerate((anna, visitor)):
        await people.do(
            "insert into deliveries (key, entry, n, journey, customer, message, purpose, state,"
            " run_time) values (%s, 1, 1, 'j', %s, 'm', 'marketing', 'accepted', now())",
            *(f"d{index}", who),
        )
        await people.do(
            "insert into preferences (customer, topics_off, paused_until, locale)"
            " values (%s, %s, %s, %s)",
            *(who, [f"topic-{index}"], None, None if who == anna else "cs"),
        )
        await people.do(
            "insert into conversations values (%s, 'sms', %s, now() + %s * interval '1 minute')",
            *(who, f"+42060{index}", index),
        )
        await people.do(
            "insert into entry_looks (journey, customer, looked_to) values ('j', %s, now())", who
        )
    await people.do(
        "insert into devices (channel, token, customer) values ('push', 't', %s)", visitor
    )


async def test_all_that_was_of_either_is_of_the_one_and_goes_back_when_they_are_parted(
    people: People,
) -> None:
    visitor, anna = await people.named(DEVICE), await people.named(ANNA, MAIL)
    await people.has(visitor, city="Brno", marketing_consent=False)
    await people.has(anna, tier="gold", marketing_consent=True)
    await fill(people, anna, visitor)
    left_out = ("touchpoints", "arrivals")
    before = await whole(people, but=left_out)

    merge = await people.merges.merge("device-1", "anna", by="eva", why="she told us")

    assert (merge.stays, merge.goes, merge.by) == (anna, visitor, "eva")
    deliveries = await people.rows("select customer from deliveries")
    assert [row["customer"] for row in deliveries] == [anna, anna], "caps count all of them"
    said = {(each.channel, each.given) for each in await ConsentStore(people.pool).of(visitor)}
    assert said == {("", False), ("sms", True)}, "a no is never lost"
    [wants] = await people.rows("select * from preferences")
    assert (wants["topics_off"], wants["locale"]) == (["topic-0", "topic-1"], "cs")
    [talk] = await people.rows("select * from conversations")
    assert talk["address"] == "+420601"
    assert (await people.customers.profile(anna))["marketing_consent"] is False

    parted = await people.merges.unmerge(merge.merge, by="eva", why="it was her sister")

    assert parted.undone_by == "eva"
    assert await whole(people, but=left_out) == before
    assert await people.named(DEVICE, ANNA) == anna, "staff have parted them: they stay two"
    assert await people.named(DEVICE) == visitor
    deeds = await people.rows("select who, did from audit order by audit")
    assert [(deed["who"], deed["did"]) for deed in deeds] == [("eva", "merged"), ("eva", "parted")]


async def test_what_happened_since_stays_with_whom_it_happened_to(people: People) -> None:
    visitor, anna = await people.named(DEVICE), await people.named(ANNA)
    merge = await people.merges.merge(anna, visitor, by="eva", why="one")
    await people.has(visitor, city="Praha")
    await people.named(ANNA, ("email", "new@example.com"))

    await people.merges.unmerge(merge.merge, by="eva", why="two")

    assert (await people.customers.profile(anna))["city"] == "Praha"
    assert (await people.customers.profile(visitor)) == {"id": visitor, "zone": None}
    assert await people.named(("email", "new@example.com")) == anna


async def test_merges_are_undone_from_the_last(people: People) -> None:
    names = [("anonymous_id", f"device-{index}") for index in range(3)]
    one, two, three = [await people.named(name) for name in names]
    first = await people.merges.merge(two, three, by="eva", why="1")
    second = await people.merges.merge(one, two, by="eva", why="2")
    assert [await people.named(name) for name in names] == [one, one, one]

    with pytest.raises(CannotBePartedError, match=f"undo merge {second.merge} first"):
        await people.merges.unmerge(first.merge, by="eva", why="3")
    await people.merges.unmerge(second.merge, by="eva", why="4")
    assert [await people.named(name) for name in names] == [one, two, two]
    await people.merges.unmerge(first.merge, by="eva", why="5")
    assert [await people.named(name) for name in names] == [one, two, three]


async def test_who_is_one_already_or_nobody_cannot_be_merged(people: People) -> None:
    await people.named(ANNA, MAIL)

    with pytest.raises(SameCustomerError):
        await people.merges.merge("anna", "anna@example.com", by="eva", why="")
    with pytest.raises(UnknownCustomerError, match="'bert'"):
        await people.merges.merge("anna", "bert", by="eva", why="")
