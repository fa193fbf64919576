"""Whoever runs journeys finds customers by what is known of them and where they stand, and how many there are."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest

from stores.database import jsonb
from stores.run_search import RunSearch, TooWideError
from stores.wanted_runs import ValueNotComparedError, WantedRuns
from tests.integration.control.conftest import Control
from tests.integration.inbox.staff_house import HOSTILE, Browser, said
from tests.unit.insight.recordings import NOON

SEARCH = "/control/search"


async def counted(control: Control, condition: Any, *values: Any) -> int:
    [row] = await control.house.rows(
        "select count(*) as n from runs r join customers c using (customer) where r.state <> 'not_admitted' and "
        + condition,
        *values,
    )
    return row["n"]


async def searched(browser: Browser, **fields: str) -> httpx.Response:
    await browser.goes(SEARCH)
    return await browser.sends(SEARCH, **fields)


async def give(control: Control, n: int, **traits: Any) -> list[str]:
    """So many of those who went through it have these traits."""
    rows = await control.house.rows("select distinct customer from runs order by 1 limit %s", n)
    async with control.house.pool.connection() as connection:
        for row in rows:
            await control.house.customers.merge_traits(connection, row["customer"], traits)
    return [row["customer"] for row in rows]


def rows_of(answer: httpx.Response) -> list[str]:
    table = answer.text.partition('aria-label="Who is found"')[2].partition("</table>")[0]
    return re.findall(r'<th scope="row"><a href="/control/customer/([^"]+)"', table)


async def test_all_that_is_filled_in_must_hold(control: Control) -> None:
    await give(control, 30, plan="gold")
    under_way = await counted(control, "r.state = 'open' and c.traits ->> 'plan' = 'gold'")

    answer = await searched(
        control.lead, journey="tea", state="under_way", trait="plan", comparison="is", value="gold"
    )

    assert answer.status_code == 200
    assert under_way > 1
    assert f"{under_way} are found" in said(answer)
    assert len(rows_of(answer)) == min(50, under_way)


async def test_who_is_found_stands_with_where_since_when_and_what_they_wait_for(
    control: Control,
) -> None:
    answer = await searched(
        control.lead, journey="tea", stage="tasting", step="tasting/2", state="under_way"
    )
    words = said(answer)
    n = await counted(control, "r.state = 'open' and r.stands ? 'tasting/2'")
    assert f"{n} are found" in words
    assert "tea: tasting" in words
    [first] = await control.house.rows(
        "select customer, waits_for, wakes_at from runs where state = 'open' and stands ? 'tasting/2'"
        " order by entry desc limit 1"
    )
    assert rows_of(answer)[0] == first["customer"]
    assert first["waits_for"][0] in words
    assert f"{first['wakes_at']:%Y-%m-%d %H:%M} UTC" in words


@pytest.mark.parametrize(
    ("state", "condition"),
    [
        ("under_way", "r.state = 'open'"),
        ("ended", "r.state = 'finished'"),
        ("goal", "r.goal"),
        ("stuck", "r.needs_attention is not null and r.state = 'open'"),
    ],
)
async def test_how_the_run_stands(control: Control, state: str, condition: str) -> None:
    async with control.house.pool.connection() as connection:
        await connection.execute(
            "update runs set needs_attention = 'a message that is not there'"
            " where entry in (select entry from runs where state = 'open' order by entry limit 2)"
        )
    answer = await searched(control.lead, state=state)
    n = await counted(control, condition)
    assert n > 1
    assert f"{n} are found" in said(answer)


@pytest.mark.parametrize(
    ("comparison", "value", "found"),
    [
        ("is", "80", {"a", "b"}), ("is", "gold", {"c", "d"}), ("is", "true", {"e"}), ("is", "007", {"f"}),
        ("is", "7", set()),
        ("is_not", "80", {"c", "d", "e", "f", "g", "h", "i"}),
        ("is_there", "", {"a", "b", "c", "d", "e", "f", "g", "h"}),
        ("at_least", "80", {"a", "h"}), ("at_most", "80", {"a"}), ("at_least", "80.5", {"h"}),
        ("at_least", "2026-11-28", {"g"}), ("at_most", "2026-11-28", {"g"}), ("at_most", "2026-11-27", set()),
    ],
)  # fmt: skip
async def test_a_trait_is_compared_as_what_it_is(
    control: Control, comparison: Any, value: str, found: set[str]
) -> None:
    values: dict[str, Any] = {
        "a": 80, "b": "80", "c": "gold", "d": ["gold", "blue"], "e": True, "f": "007", "g": "2026-11-28T10:00:00Z",
        "h": 1000,
    }  # fmt: skip
    people = await give(control, 9, other=1)
    names = dict(zip(people, "abcdefghi", strict=True))
    async with control.house.pool.connection() as connection:
        for customer, name in names.items():
            traits = {"mine": values[name]} if name in values else {}
            await connection.execute(
                "update customers set traits = %s where customer = %s",
                [jsonb(traits), customer],
            )
    search = RunSearch(control.house.pool)

    people_found: set[str] = set()
    before = None
    while page := await search.page(
        WantedRuns(trait="mine", comparison=comparison, value=value), before
    ):
        people_found |= {names[each.customer] for each in page if each.customer in names}
        before = page[-1].entry

    assert people_found == found


def test_what_cannot_be_compared_is_refused_with_the_remedy() -> None:
    for value in ("", "gold", "2026-13-01", "1e5", "NaN"):
        with pytest.raises(ValueNotComparedError, match="a number or a day"):
            WantedRuns(trait="price", comparison="at_least", value=value)


async def test_since_and_until_are_when_they_entered(control: Control) -> None:
    since, until = NOON + timedelta(hours=5), NOON + timedelta(hours=9)
    n = await counted(control, "r.entered_at >= %s and r.entered_at < %s", since, until)
    answer = await searched(
        control.lead, since=f"{since:%Y-%m-%dT%H:%M}", until=f"{until:%Y-%m-%dT%H:%M}"
    )
    assert n > 1
    assert f"{n} are found" in said(answer)


async def test_an_identity_and_a_value_stand_in_no_address(control: Control) -> None:
    [row] = await control.house.rows(
        "select i.value, r.customer from identities i join runs r using (customer) limit 1"
    )
    await give(control, 5, email="anna@shop.example")
    for fields in (
        {"identity": row["value"], "journey": "tea"},
        {"trait": "email", "comparison": "is", "value": "anna@shop.example"},
    ):
        answer = await searched(control.lead, **fields)
        assert rows_of(answer)
        address = urlsplit(str(answer.url))
        assert set(parse_qs(address.query)) <= {"journey", "trait", "comparison", "sought"}
        assert row["value"] not in address.query
        assert "anna" not in address.query
        again = await control.lead.goes(f"{address.path}?{address.query}")
        assert rows_of(again) == rows_of(answer)


async def test_an_address_that_another_browser_has_says_what_it_lacks(control: Control) -> None:
    await give(control, 5, email="anna@shop.example")
    answer = await searched(control.lead, trait="email", comparison="is", value="anna@shop.example")
    control.lead.client.cookies.delete(
        next(each for each in control.lead.client.cookies if "-sought-" in each)
    )

    elsewhere = await control.lead.goes(str(answer.url))

    assert elsewhere.status_code == 400
    assert "stands in no address" in said(elsewhere)
    assert rows_of(elsewhere) == []


async def test_pages_leaf_through_all_without_a_gap(control: Control) -> None:
    n = await counted(control, "r.journey = 'tea'")
    seen: list[str] = []
    path = f"{SEARCH}?journey=tea"
    entered = await control.house.rows("select entry from runs where state <> 'not_admitted'")
    while path:
        answer = await control.lead.goes(path)
        seen += rows_of(answer)
        more = re.search(r'class="button" href="(/control/search\?[^"]*before[^"]*)"', answer.text)
        path = more[1].replace("&amp;", "&") if more else ""
    assert len(seen) == n == len(entered)


async def test_more_than_are_counted_is_said_and_not_guessed(control: Control) -> None:
    search = RunSearch(control.house.pool, most_counted=10)
    spread = await search.spread(WantedRuns(journey="tea"))
    assert (spread.counted, spread.more) == (10, True)


async def test_a_search_that_takes_too_long_says_how_to_narrow_it(control: Control) -> None:
    search = RunSearch(control.house.pool, seconds=0.001)
    async with control.house.pool.connection() as connection:
        await connection.execute(
            "insert into customers (customer, traits) select 'c_wide' || n, jsonb_build_object('word', repeat('x', 50))"
            " from generate_series(1, 20000) n"
        )
    with pytest.raises(TooWideError, match="Narrow it"):
        await search.page(WantedRuns(trait="nobody-has-it", comparison="is_there"))
    assert await RunSearch(control.house.pool).page(WantedRuns(journey="tea")), "and goes on"


async def test_nobody_is_found_by_a_name_of_nobody(control: Control) -> None:
    answer = await searched(control.lead, identity="nobody-at-all")
    assert "Nobody is found" in said(answer)


async def test_nonsense_is_refused_with_the_remedy_and_searches_for_nothing(
    control: Control,
) -> None:
    for query, words in (
        ("journey=nope", "no such journey"),
        ("stage=tasting", "Choose a journey"),
        ("journey=tea&state=dancing", "how the run stands"),
        ("trait=plan&comparison=like", "A trait is, is not"),
        ("trait=plan", "compared with"),
        ("since=yesterday", "Write since as"),
        ("journey=tea&step=" + "x" * 201, "at most 200 letters"),
        ("sought=../../etc", "stands in no address"),
    ):
        answer = await control.lead.goes(f"{SEARCH}?{query}")
        assert answer.status_code == 400, query
        assert words in said(answer)
        assert rows_of(answer) == []
    assert (await control.lead.goes(f"{SEARCH}?saved=nope")).status_code == 404
    assert (await control.lead.goes(f"{SEARCH}?journey=tea&before=-1")).status_code == 200


async def test_hostile_names_traits_and_long_values_are_text(control: Control) -> None:
    people = await give(control, 2, **{HOSTILE: HOSTILE, "long": "x" * 100_000})
    async with control.house.pool.connection() as connection:
        await connection.execute(
            "update runs set key = %s, needs_attention = %s, waits_for = %s where customer = any(%s)",
            [HOSTILE, HOSTILE * 1_000, jsonb([HOSTILE]), people],
        )
        await connection.execute(
            "insert into trait_types (trait) values (%s) on conflict do nothing", [HOSTILE]
        )
    for fields in (
        {"trait": HOSTILE, "comparison": "is", "value": HOSTILE},
        {"trait": "long", "comparison": "is_there"},
        {"identity": HOSTILE},
        {"trait": "a\0b", "comparison": "is", "value": "\0"},
        {"trait": "plan", "comparison": "is", "value": "x" * 100_000},
    ):
        answer = await searched(control.lead, **fields)
        assert answer.status_code in (200, 400)
        assert "<script>document" not in answer.text
        assert "<img src=x" not in answer.text
        assert len(answer.content) < 60_000
    found = await searched(control.lead, trait=HOSTILE, comparison="is", value=HOSTILE)
    assert HOSTILE in said(found)
    assert set(rows_of(found)) == set(people)


async def test_an_agent_is_told_whom_it_is_for(control: Control) -> None:
    answer = await control.agent.goes(SEARCH)
    assert answer.status_code == 403
    assert "Your cases are in the inbox" in said(answer)


async def test_no_page_has_a_style_or_a_script_of_its_own(control: Control) -> None:
    answer = await control.lead.goes(f"{SEARCH}?journey=tea")
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert re.findall(r"<script(?! defer src=)", answer.text) == []


def test_nothing_given_is_nothing_asked_for() -> None:
    assert not WantedRuns().anything
    assert not WantedRuns(comparison="is_not").anything
    assert replace(WantedRuns(), state="ended").anything
