"""Whoever runs journeys sees all of them at a glance, one with its figures, and who stands at a step."""

import re
from datetime import timedelta

from tests.integration.control.conftest import Control
from tests.integration.control.control_house import THEN
from tests.integration.inbox.staff_house import HOSTILE, said
from tests.unit.insight.recordings import NOON

JOURNEY = "/control/journey/tea"


def under_way(control: Control) -> int:
    return sum(n for (name, _, _), n in control.played.outcomes.items() if name == "goes on")


async def test_all_journeys_at_a_glance(control: Control) -> None:
    answer = await control.lead.goes("/control")

    assert answer.status_code == 200
    words = said(answer)
    assert "From the first cup to the second" in words
    assert f"Under way {under_way(control)}" in words
    assert "tea, shop" in words


async def test_a_run_that_needs_people_leads_to_who_it_is(control: Control) -> None:
    async with control.house.pool.connection() as connection:
        await connection.execute(
            "update runs set needs_attention = %s where entry = (select max(entry) from runs where state = 'open')",
            [HOSTILE],
        )
    answer = await control.lead.goes("/control")
    found = re.search(r'href="(/control/journey/tea/people\?stuck=yes)"', answer.text)
    assert found is not None

    people = await control.lead.goes(found[1])

    assert HOSTILE in said(people)
    assert "<script>document" not in people.text


async def test_the_map_says_who_stands_where_and_how_many_went_each_way(control: Control) -> None:
    answer = await control.lead.goes(f"{JOURNEY}?since=28d")
    words = said(answer)
    played = control.played

    counted = {
        (each.address, each.kind, each.way): each.n
        for each in await control.house.figures.counted("tea", NOON, THEN + timedelta(hours=1))
    }
    green = next(n for (_, way), n in played.ways.items() if way == "green")
    assert counted["tasting/blend", "arm", "green"] == green
    black = next(n for (_, way), n in played.ways.items() if way == "black")
    assert f"green, 50 % or black, 50 % · {green} / {black}" in words
    assert f"{under_way(control)} stand here: half for" in words
    ended = sum(n for (name, _, _), n in played.outcomes.items() if name == "again")
    assert re.search(rf"again goal {ended}\b", words)


async def test_a_step_leads_to_those_who_stand_at_it(control: Control) -> None:
    answer = await control.lead.goes(JOURNEY)
    links = re.findall(r'<a href="(/control/journey/tea/people\?[^"]+)"><?', answer.text)
    [waits] = {each for each in links if "choose" not in each and "at=tasting%2F2" in each}

    people = await control.lead.goes(waits.replace("&amp;", "&"))

    assert len(re.findall(r'<th scope="row">', people.text)) == min(100, under_way(control))


async def test_at_an_earlier_time_it_is_as_it_was(control: Control) -> None:
    before = await control.lead.goes(f"{JOURNEY}?then=2026-03-01T00:00")
    assert "stand here" not in said(before)

    then = NOON + timedelta(days=2)
    answer = await control.lead.goes(f"{JOURNEY}?then={then:%Y-%m-%dT%H:%M}")
    stood = await control.house.figures.stood("tea", then)
    assert stood
    for n in stood.values():
        assert f"{n:,} stand here" in said(answer) or f"{n:,} here now" in said(answer)
    assert f"As it was on {then:%Y-%m-%d %H:%M} UTC" in said(answer)


async def test_versions_are_told_apart_and_compared(control: Control) -> None:
    version = control.house.version
    answer = await control.lead.goes(f"{JOURNEY}?version={version}&against={version}")
    assert "departs from the other version" in said(answer)
    assert f'value="{version}" selected' in answer.text


async def test_an_agent_is_told_whom_it_is_for(control: Control) -> None:
    for path in ("/control", JOURNEY, f"{JOURNEY}/people", "/control/events"):
        answer = await control.agent.goes(path)
        assert answer.status_code == 403
        assert "Your cases are in the inbox" in said(answer)


async def test_nonsense_is_answered_and_what_is_not_there_is_said(control: Control) -> None:
    for path in (
        f"{JOURNEY}?since=yesterday&version=nope&against={HOSTILE}&then=never",
        f"{JOURNEY}?then=9999-12-31T23:59",
        f"{JOURNEY}/people?at={HOSTILE}&before=-1&stuck=perhaps",
        f"{JOURNEY}/people?before=99999999999999999999",
    ):
        answer = await control.lead.goes(path)
        assert answer.status_code == 200, path
        assert "<script>document" not in answer.text
    missing = await control.lead.goes("/control/journey/nope")
    assert missing.status_code == 404
    assert "There is no such journey" in said(missing)


async def test_no_page_has_a_style_or_a_script_of_its_own(control: Control) -> None:
    for path in ("/control", JOURNEY, f"{JOURNEY}/people"):
        answer = await control.lead.goes(path)
        assert "<style" not in answer.text
        assert " style=" not in answer.text
        assert re.findall(r"<script(?! defer src=)", answer.text) == []
