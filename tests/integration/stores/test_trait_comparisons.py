"""What a trait is at least or at most: numbers as numbers, days as days, and nothing else."""

import json

import pytest
from pydantic import JsonValue

from stores.database import Pool, open_pool
from stores.run_search import RunSearch
from stores.wanted_runs import Comparison, WantedRuns

VALUES: dict[str, JsonValue] = {
    "small": -5, "zero": 0, "half": 0.5, "eighty": 80, "large": 12345678901234567890123, "as text": "80",
    "as list": [80, 81], "as object": {"n": 80}, "yes": True, "null": None, "june": "2026-06-30",
    "june noon": "2026-06-30T12:00:00+02:00", "july": "2026-07-01", "silvester": "2026-12-31T23:59:59Z",
    "next year": "2027-01-01", "words": "2026 was good", "early": "0999-01-01", "late": "9999-12-31 23:00",
    "face": "😀",
}  # fmt: skip
NUMBERS = {"small", "zero", "half", "eighty", "large"}
DAYS = {"june", "june noon", "july", "silvester", "next year", "early", "late"}

ASKED: list[tuple[Comparison, str, set[str]]] = [
    ("at_least", "80", {"eighty", "large"}),
    ("at_least", "80.00", {"eighty", "large"}),
    ("at_least", "80.5", {"large"}),
    ("at_most", "0", {"small", "zero"}),
    ("at_most", "-5", {"small"}),
    ("at_most", "-5.1", set()),
    ("at_least", "12345678901234567890123", {"large"}),
    ("at_least", "12345678901234567890124", set()),
    ("at_least", "-999", NUMBERS),
    ("at_least", "2026-07-01", DAYS - {"june", "june noon", "early"}),
    ("at_most", "2026-06-30", {"june", "june noon", "early"}),
    ("at_most", "2026-06-29", {"early"}),
    ("at_most", "2026-12-31", DAYS - {"next year", "late"}),
    ("at_most", "9999-12-31", DAYS),
    ("at_least", "9999-12-31", {"late"}),
    ("at_least", "0001-01-01", DAYS),
]
NAMES = [
    "n",
    "a b",
    'quo"ted',
    "back\\slash",
    "$",
    "$.n",
    "*",
    "ključ",
    "😀",
    "line\nbreak",
    "%s",
    "'",
]


async def found(pool: Pool, wanted: WantedRuns, *, of_few: bool) -> set[str]:
    condition = wanted.trait_condition(of_few=of_few)
    async with pool.connection() as connection:
        cursor = await connection.execute(
            f"select c.customer from customers c where {condition}", wanted.values()
        )
        return {row["customer"] for row in await cursor.fetchall()}


@pytest.mark.parametrize("of_few", [True, False])
async def test_numbers_and_days_are_compared_and_nothing_else(database: str, of_few: bool) -> None:
    pool = await open_pool(database, most=2)
    async with pool.connection() as connection:
        for name, value in VALUES.items():
            await connection.execute(
                "insert into customers (customer, traits) values (%s, jsonb_build_object('n', %s::jsonb))",
                [name, json.dumps(value)],
            )
        await connection.execute("insert into customers (customer) values ('without')")
    for comparison, value, expected in ASKED:
        wanted = WantedRuns(trait="n", comparison=comparison, value=value)
        assert await found(pool, wanted, of_few=of_few) == expected, (comparison, value)
    await pool.close()


async def test_a_trait_may_be_called_anything(database: str) -> None:
    pool = await open_pool(database, most=2)
    async with pool.connection() as connection:
        for name in NAMES:
            await connection.execute(
                "insert into customers (customer, traits) values (%s, %s::jsonb)",
                [name, json.dumps({name: 7})],
            )
    for name in NAMES:
        wanted = WantedRuns(trait=name, comparison="at_least", value="7")
        assert await found(pool, wanted, of_few=True) == {name}
        assert await RunSearch(pool).page(wanted) == []
    await pool.close()
