"""What erasing a customer takes out of the database, and what an export gives of it."""

from stores.held_data import HeldDataStore
from stores.held_rules import Changes, Goes, unquoted
from stores.held_tables import TABLES
from tests.integration.erasure.conftest import CANARY, House

ANNA = ("user_id", f"{CANARY}-anna")
MAIL = ("email", f"{CANARY}@example.com")

# Of all whom they are about; in a proof the names of journeys and queues, which are marked here as all is.
_OF_ALL = {
    "erasures",
    "problems",
    "groups",
    "coupons",
    "coupon_pool",
    "entry_scans",
    "figure_moves",
    "kept_figures",
    "send_rates",
    "trait_types",
}


async def test_every_table_and_column_says_what_erasure_and_export_do_with_it(house: House) -> None:
    """What is made later and named nowhere would be kept: name it in stores/held_tables.py."""
    rows = await house.rows(
        """
        select p.relname as table, a.attname as column from pg_class p
          join pg_attribute a on a.attrelid = p.oid and a.attnum > 0 and not a.attisdropped
         where p.relnamespace = 'public'::regnamespace and p.relkind in ('r', 'p')
           and not p.relispartition
        """
    )
    held = {(row["table"], row["column"]) for row in rows}
    tables = {table for table, _ in held}
    told = [(t, unquoted(c)) for t, rules in TABLES.items() for c in rules.columns]

    assert held - set(told) == set(), "without a rule"
    assert len(told) == len(set(told)), "with two"
    assert {each for each in set(told) - held if each[0] in tables} == set(), "no longer there"
    changed = [
        (t, c) for t, r in TABLES.items() if isinstance(r.erase, Changes) for c in r.erase.columns
    ]
    assert set(changed) <= held
    assert all(r.whose for r in TABLES.values() if isinstance(r.erase, Goes | Changes))


async def test_a_customer_of_whom_every_table_holds_something_is_found_nowhere_afterwards(
    house: House,
) -> None:
    anna = await house.known(ANNA, MAIL, first_name=CANARY)
    await house.filled(anna)
    before = await house.hits(CANARY, anna)
    assert set(before) >= {t for t, r in TABLES.items() if isinstance(r.erase, Goes | Changes)}

    erasure = await house.erased(anna)

    left = await house.hits(anna)
    assert set(left) == {"audit"}, "our id of them stands nowhere but where staff did something"
    assert set(await house.hits(CANARY)) <= _OF_ALL
    proof = await house.erasures.proof(erasure)
    assert proof.state == "done"
    assert set(proof.counts) == {
        t for t, r in TABLES.items() if isinstance(r.erase, Goes | Changes)
    }
    assert set(before) <= set(proof.counts) | {"groups", "figure_moves"}
    assert anna in house.destroyed


async def test_an_export_gives_something_of_every_table_that_is_to_be_given(house: House) -> None:
    anna = await house.known(ANNA, MAIL, first_name=CANARY)
    await house.filled(anna)

    given = await HeldDataStore(house.pool).export(anna, None)

    assert given is not None
    lists = {held.called: held for held in TABLES.values() if held.called}
    assert {name for name in lists if not given[name]} == set()
    for name, held in lists.items():
        columns = [unquoted(each) for each in (*held.given, *held.more)]
        assert list(given[name][0]) == columns
    assert given["journeys"][0]["journey"]
    assert given["decisions"][0]["why"], "in words"
    assert given["cut"] == []
    assert await HeldDataStore(house.pool).export("nobody") is None
