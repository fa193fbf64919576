"""What customers of the tea shop answered, were promised and were given, as the records hold it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from journey.publication import read_definition
from stores.definitions import DefinitionStore
from stores.published import Kind, PublishedStore
from tests.integration.control.control_house import ControlHouse

ASKING = """
language: 1
journey: second-cup
title: How the second cup was
owner: shop
zone: Europe/Prague
enter: {on: Tea Drunk, again: after 7d}
goal: {outcome: told}
stages:
  - stage: asking
    steps:
      - promise: {as: fresh_pot, text: 'A fresh pot, if it was cold', by: 2d, kept_by: {on: Pot Brought}}
      - ask:
          survey: would-you-tell
          type: nps
          as: told
          purpose: service
          until: 5d
      - offer: {coupon: cake, expires: 14d, redeemed_by: {on: Cake Eaten}}
      - finish: told
"""

SURVEYS: dict[str, dict[str, Any]] = {
    "would-you-tell": {
        "type": "nps", "question": "Would you tell a friend about our tea?", "low": "not at all", "high": "surely",
    },
    "was-it-good": {"type": "csat", "question": "Was the tea good?"},
    "was-it-easy": {"type": "ces", "question": "Was it easy to find a table?"},
    "what-else": {
        "type": "choice", "question": "What else would you like?",
        "choices": {"cakes": "Cakes", "music": "Music", "silence": "Silence"},
    },
    "in-words": {"type": "text", "question": "What should we know?"},
}  # fmt: skip


async def published(house: ControlHouse, kind: Kind, name: str, /, **source: Any) -> None:
    """Words under a name, as `clew publish` keeps them."""
    words = {kind: name, "owner": "Tea masters", **source}
    await PublishedStore(house.pool).publish(kind, name, words)


async def furnished(house: ControlHouse) -> str:
    """Surveys of each kind, and a journey that asks, promises and gives; its version."""
    for name, words in SURVEYS.items():
        await published(house, "survey", name, **words)
    asking = read_definition(ASKING, "second-cup.yaml")
    await DefinitionStore(house.pool).publish(asking)
    return asking.version


async def ran(house: ControlHouse, customer: str, at: datetime, version: str) -> int:
    """A run that went through the journey that asks; its entry."""
    [row] = await house.rows(
        "insert into runs (workflow_id, first_run_id, journey, version, customer, engine, state, entered_at, began_at,"
        " finished_at) values (gen_random_uuid(), gen_random_uuid(), 'second-cup', %s, %s, 1, 'finished', %s, %s, %s)"
        " returning entry",
        version, customer, at, at, at,
    )  # fmt: skip
    return row["entry"]


async def answered(
    house: ControlHouse,
    survey: str,
    at: datetime,
    *,
    customer: str = "c_guest",
    entry: int = 0,
    score: float | None = None,
    choice: str | None = None,
    words: str = "",
    times: int = 1,
) -> None:
    """So many answers alike, a second apart, the newest at that time."""
    async with house.pool.connection() as connection:
        await connection.execute(
            "insert into answers (ask, survey, customer, entry, score, choice, words, answer_group, at)"
            " select gen_random_uuid(), %s, %s, %s, %s, %s, %s, 'x', %s::timestamptz - n * interval '1 s'"
            "   from generate_series(0, %s - 1) n",
            [survey, customer, entry, score, choice, words, at, times],
        )


async def noted(
    house: ControlHouse, entry: int, sequence: int, kind: str, at: datetime, why: str = "x"
) -> None:
    """What the step that asks noted."""
    async with house.pool.connection() as connection:
        await connection.execute(
            "insert into trace (entry, sequence, at, address, kind, why) values (%s, %s, %s, 'asking/told', %s, %s)",
            [entry, sequence, at, kind, why],
        )


async def promised(
    house: ControlHouse,
    by: datetime | None,
    state: str,
    *,
    entries: Sequence[int],
    name: str = "fresh_pot",
    reason: str = "",
) -> None:
    """A promise to each of these runs."""
    async with house.pool.connection() as connection:
        await connection.execute(
            "insert into promises (entry, n, name, by, state, at, reason, sequence)"
            " select e, (select count(*) from promises p where p.entry = e), %s, %s, %s, %s, %s, 1"
            "   from unnest(%s::bigint[]) e",
            [name, by, state, by or house.clock(), reason, list(entries)],
        )


async def several_ran(house: ControlHouse, many: int, at: datetime, version: str) -> list[int]:
    """So many runs, of `c_0` and so on."""
    return [await ran(house, f"c_{n}", at, version) for n in range(many)]


async def given(
    house: ControlHouse,
    at: datetime,
    *,
    offer: str = "cake",
    state: str = "open",
    customer: str = "c_guest",
    entry: int = 0,
    journey: str = "second-cup",
    amount: float | None = None,
    expires: datetime | None = None,
    ended: datetime | None = None,
    reason: str = "",
    times: int = 1,
) -> None:
    """So many coupons alike, each of a run of its own from `entry` on."""
    async with house.pool.connection() as connection:
        await connection.execute(
            "insert into coupons (key, offer, code, customer, entry, journey, amount, state, reason, granted_at,"
            " expires_at, settled_at)"
            " select gen_random_uuid(), %s, gen_random_uuid(), %s, %s + n, %s, %s, %s, %s, %s, %s, %s"
            "   from generate_series(0, %s - 1) n",
            [
                *(offer, customer, entry, journey, amount, state, reason, at),
                *(expires or at + 14 * DAY, ended, times),
            ],
        )


DAY = timedelta(days=1)
