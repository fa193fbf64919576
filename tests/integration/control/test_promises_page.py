"""Whoever runs journeys sees which promises are kept, late and broken, and who waits longest for one."""

import re
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from stores.promise_looks import MOST_PEOPLE, PromiseLooks, Standing
from tests.integration.control import asked_rows as rows
from tests.integration.control.asked_rows import DAY
from tests.integration.control.conftest import Control
from tests.integration.control.control_house import THEN
from tests.integration.inbox.staff_house import HOSTILE, said

PAGE = "/control/promises"
POT = "A fresh pot, if it was cold"


@pytest_asyncio.fixture
async def entries(control: Control) -> list[int]:
    """Runs of the journey that promises."""
    version = await rows.furnished(control.house)
    return await rows.several_ran(control.house, 12, THEN - 9 * DAY, version)


async def told(control: Control, path: str = PAGE) -> str:
    answer = await control.lead.goes(path)
    assert answer.status_code == 200, answer.text[:400]
    return said(answer)


async def test_promises_that_were_due_are_counted_by_what_became_of_them(
    control: Control, entries: list[int]
) -> None:
    house = control.house
    await rows.promised(house, THEN - DAY, "kept", entries=entries[:6])
    await rows.promised(house, THEN - DAY, "kept_late", entries=entries[6:7])
    await rows.promised(house, THEN - DAY, "broken", entries=entries[7:8])
    await rows.promised(house, THEN - DAY, "late", entries=entries[8:9])
    await rows.promised(house, THEN - DAY, "open", entries=entries[9:10])
    await rows.promised(house, THEN - DAY, "dropped", entries=entries[10:11], reason="left")
    await rows.promised(house, THEN + DAY, "open", entries=entries[11:12])

    words = await told(control)

    assert (
        "Overdue now ! 2 overdue Open now 1 open Kept in time 60 % 31 % to 83 % of 10 that were due"
        in words
    )
    assert (
        f"{POT} fresh_pot, second-cup 60 % 31 % to 83 % of 10 ! 2 overdue: {POT} 1 open: {POT} 6 kept: {POT}"
        in words
    )
    assert "Kept late 1 kept late Broken 1 broken Dropped 1 dropped" in words


async def test_who_waits_longest_for_what_is_overdue_stands_first(
    control: Control, entries: list[int]
) -> None:
    house = control.house
    anna = await house.known("anna", first_name="Anna")
    [mine, *others] = entries
    async with house.pool.connection() as connection:
        await connection.execute("update runs set customer = %s where entry = %s", [anna, mine])
    await rows.promised(house, THEN - timedelta(hours=1), "open", entries=others[:1])
    await rows.promised(house, THEN - 400 * DAY, "late", entries=[mine], reason=HOSTILE)
    await rows.promised(house, THEN + timedelta(hours=1), "open", entries=others[1:2])

    page = await control.lead.goes(PAGE)

    who = re.findall(r'href="/control/customer/([^"]+)"', page.text)
    assert who == [anna, "c_1"]
    assert "400 d" in said(page)
    assert HOSTILE in said(page)
    assert "<script>document" not in page.text
    assert (await control.lead.goes(f"/control/customer/{anna}")).status_code == 200


async def test_each_number_leads_to_whose_promises_they_are(
    control: Control, entries: list[int]
) -> None:
    states: tuple[tuple[str, datetime, Standing], ...] = (
        ("late", THEN - DAY, "overdue"), ("open", THEN + DAY, "open"), ("kept", THEN - DAY, "kept"),
        ("kept_late", THEN - DAY, "kept_late"), ("broken", THEN - DAY, "broken"), ("dropped", THEN - DAY, "dropped"),
    )  # fmt: skip
    for n, (state, by, _) in enumerate(states):
        await rows.promised(control.house, by, state, entries=entries[n : n + 1])
    page = await control.lead.goes(PAGE)

    for n, (_, _, standing) in enumerate(states):
        links = re.findall(rf'href="([^"]*standing={standing}[&#][^"]*)"', page.text)
        assert len(links) == 2  # of all, and of this promise
        for link in links:
            followed = await control.lead.goes(link.replace("&amp;", "&"))
            assert re.findall(r"/control/customer/(c_\d+)", followed.text) == [f"c_{n}"], link
    elsewhere = await told(control, f"{PAGE}?standing=kept&journey=tea")
    assert "Nobody." in elsewhere
    other = await told(control, f"{PAGE}?standing=kept&name=other")
    assert "Nobody." in other


async def test_up_and_down_are_told_only_where_chance_would_hardly_make_it_so(
    control: Control, entries: list[int]
) -> None:
    for _ in range(10):
        await rows.promised(control.house, THEN - DAY, "kept", entries=entries)
        await rows.promised(control.house, THEN - 30 * DAY, "broken", entries=entries)
    await rows.promised(control.house, THEN - DAY, "kept", entries=entries[:2], name="cup")
    await rows.promised(control.house, THEN - 30 * DAY, "broken", entries=entries[:2], name="cup")

    words = await told(control)

    assert "that were due; 0 % the time before up" in words
    assert re.search(r"cup cup, second-cup 100 % 34 % to 100 % of 2; 0 % the time before 0", words)


async def test_the_time_is_chosen_and_what_is_waited_for_is_of_all_times(
    control: Control, entries: list[int]
) -> None:
    await rows.promised(control.house, THEN - 60 * DAY, "kept", entries=entries[:3])
    await rows.promised(control.house, THEN - 60 * DAY, "late", entries=entries[3:4])

    week = await told(control, f"{PAGE}?since=7d")
    ever = await told(control, f"{PAGE}?since=10y")

    assert "Kept in time – of 0 that were due" in week
    assert "Overdue now ! 1" in week
    assert "Kept in time 75 % 30 % to 95 % of 4 that were due" in ever
    assert "time before" not in ever


async def test_one_leafs_through_those_who_wait_also_where_all_are_due_at_once(
    control: Control, entries: list[int]
) -> None:
    version = await rows.furnished(control.house)
    many = await rows.several_ran(control.house, MOST_PEOPLE + 5, THEN - DAY, version)
    await rows.promised(control.house, THEN - DAY, "late", entries=many)
    await rows.promised(control.house, THEN - DAY, "kept", entries=many)

    for path in (PAGE, f"{PAGE}?standing=kept", f"{PAGE}?standing=kept&journey=second-cup"):
        first = await control.lead.goes(path)
        [more] = re.findall(r'<a class="button" href="([^"]*after=[^"]*)"', first.text)
        second = await control.lead.goes(more.replace("&amp;", "&"))
        met = [re.findall(r"/control/customer/(c_\d+)", page.text) for page in (first, second)]
        assert [len(each) for each in met] == [MOST_PEOPLE, 5]
        assert len({*met[0], *met[1]}) == MOST_PEOPLE + 5


async def test_only_so_many_are_counted_and_the_page_says_so(
    control: Control, entries: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await rows.promised(control.house, THEN - 3 * DAY, "broken", entries=entries)
    await rows.promised(control.house, THEN - DAY, "kept", entries=entries)
    await rows.promised(control.house, THEN + DAY, "open", entries=entries)
    looks = PromiseLooks(control.house.pool)

    due = await looks.due(THEN - 14 * DAY, THEN - 7 * DAY, THEN, 15)
    waited = await looks.waited_for(THEN, 5)

    assert {each.standing: each.n for each in due} == {"kept": 12, "broken": 3}
    assert [each.n for each in waited] == [5]
    monkeypatch.setattr("console.control_promises.MOST_PROMISES", 12)
    words = await told(control)
    assert "The 12 that were due last are counted, of each time; there are more" in words
    assert "the 12 due first are counted" in words


async def test_agents_are_told_whom_it_is_for(control: Control) -> None:
    answer = await control.agent.goes(PAGE)
    assert answer.status_code == 403
    assert "Your cases are in the inbox" in said(answer)


async def test_nonsense_is_answered(control: Control) -> None:
    for query in (
        "since=never", "standing=perhaps", f"journey={HOSTILE}&name={HOSTILE}", "after=x",
        "name=%00&journey=%00", "after=2026-01-01|x|y",
        "after=0001-01-01T00:00%2B14:00|1|1", "after=9999-12-31|999999999999999999|1",
    ):  # fmt: skip
        answer = await control.lead.goes(f"{PAGE}?{query}")
        assert answer.status_code == 200, query
        assert "<script>document" not in answer.text
    assert "Nothing was promised in this time" in await told(control)


async def test_what_is_read_is_found_by_an_index(control: Control, entries: list[int]) -> None:
    async with control.house.pool.connection() as connection:
        await connection.execute(
            "insert into promises (entry, n, name, by, state, at, sequence)"
            " select n, 0, 'pot', %s::timestamptz - n * interval '1 min',"
            "        (array['kept', 'late', 'broken', 'kept_late', 'dropped'])[1 + n %% 5], %s, 1"
            "   from generate_series(1, 30000) n",
            [THEN, THEN],
        )
        await connection.execute("analyze promises")
    looks, since = PromiseLooks(control.house.pool), THEN - timedelta(hours=9)
    before = await _scans(control)

    await looks.due(since - timedelta(hours=9), since, THEN)
    await looks.waited_for(THEN, 100)
    for standing in ("overdue", "open", "kept", "kept_late", "broken", "dropped"):
        await looks.who(standing, since, THEN)

    assert await _scans(control) == before


async def _scans(control: Control) -> int:
    """How often all promises were read through so far."""
    async with control.house.pool.connection() as connection:
        await connection.execute("select pg_stat_force_next_flush()")
    [row] = await control.house.rows(
        "select seq_scan from pg_stat_user_tables where relname = 'promises'"
    )
    return row["seq_scan"]
