"""Scenarios stay with the version that was published with them, and the next one is held to them first."""

import re
from typing import Any

import httpx2 as httpx
import pytest

from tests.integration.control.conftest import Control
from tests.integration.control.test_source_page import FILM, SOURCE, editing
from tests.integration.control.test_source_tried import STORIES, has_words
from tests.integration.inbox.staff_house import HOSTILE, said
from tests.unit.insight.recordings import TEA

HOLDS = STORIES.replace("then: {outcome: again}", "then: {outcome: left}")
LONGER = FILM.replace("until: 3d", "until: 12h")
"""The second cup, which a scenario has a day later, comes too late."""

SECOND_CUP = "A second cup within three days is the goal"


async def publishes(control: Control, source: str, **fields: str) -> httpx.Response:
    return await control.agent.sends(SOURCE, source=source, act="publish", **fields)


async def live(control: Control) -> str:
    [row] = await control.house.rows("select version from live_journeys where journey = 'tea'")
    return row["version"]


async def kept(control: Control) -> list[dict[str, Any]]:
    return await control.house.rows(
        "select version, source from kept_scenarios order by kept_at desc"
    )


async def deeds(control: Control) -> list[dict[str, Any]]:
    rows = await control.house.rows(
        "select detail from audit where did = 'published' order by audit"
    )
    return [each["detail"] for each in rows]


def ticket(answer: httpx.Response) -> str:
    found = re.search(r'name="anyway" value="(\w+)"', answer.text)
    assert found is not None
    return found[1]


async def test_what_was_published_with_scenarios_shows_them_again(control: Control) -> None:
    await editing(control)
    await has_words(control)

    answer = await publishes(control, FILM, scenarios=HOLDS)

    version = await live(control)
    assert await kept(control) == [{"version": version, "source": HOLDS}]
    assert SECOND_CUP in answer.text
    assert f"These are kept with version {version[:12]}" in said(answer)
    assert await deeds(control) == [
        {"version": version, "scenarios": 2, "failed": 0, "taken_out": 0}
    ]
    [before] = await control.house.rows(
        "select version from definitions where version <> %s", version
    )
    earlier = await control.agent.goes(f"{SOURCE}?version={before['version']}")
    assert f"These are kept with version {version[:12]}" in said(earlier), "it has none of its own"


async def test_each_version_has_its_own(control: Control) -> None:
    await editing(control)
    await has_words(control)
    await publishes(control, FILM, scenarios=HOLDS)
    film = await live(control)
    other = HOLDS.replace(SECOND_CUP, "Who comes back within three days")
    asked = await publishes(control, TEA, scenarios=other)
    await publishes(control, TEA, scenarios=other, anyway=ticket(asked))

    assert "Who comes back" in (await control.agent.goes(SOURCE)).text
    assert SECOND_CUP in (await control.agent.goes(f"{SOURCE}?version={film}")).text


@pytest.mark.parametrize("typed", [True, False])
async def test_the_next_version_is_held_to_them_before_it_is_published(
    control: Control, typed: bool
) -> None:
    await editing(control)
    await has_words(control)
    await publishes(control, FILM, scenarios=HOLDS)
    before = await live(control)

    fields = {"scenarios": HOLDS} if typed else {}
    answer = await publishes(control, LONGER, **fields)

    words = said(answer)
    assert answer.status_code == 409
    assert "Nothing was published. Why, and what to do" in words
    assert "It is not published yet" in words
    assert "1 of 2 scenarios does not hold with it" in words
    assert f"✗ does not hold: {SECOND_CUP}" in words
    assert "until: 12h" in answer.text, "what was typed is there"
    assert await live(control) == before
    assert len(await deeds(control)) == 1


async def test_it_is_published_all_the_same_by_who_says_so_and_the_audit_says_how_many_failed(
    control: Control,
) -> None:
    await editing(control)
    await has_words(control)
    await publishes(control, FILM, scenarios=HOLDS)
    warned = await publishes(control, LONGER, scenarios=HOLDS)

    answer = await publishes(control, LONGER, scenarios=HOLDS, anyway=ticket(warned))

    assert "This is what is live" in said(answer)
    version = await live(control)
    assert (await deeds(control))[-1] == {
        "version": version, "scenarios": 2, "failed": 1, "taken_out": 0,
    }  # fmt: skip
    assert (await kept(control))[0] == {"version": version, "source": HOLDS}


async def test_saying_so_of_one_source_says_nothing_of_another(control: Control) -> None:
    await editing(control)
    await has_words(control)
    await publishes(control, FILM, scenarios=HOLDS)
    warned = ticket(await publishes(control, LONGER, scenarios=HOLDS))
    before = await live(control)

    worse = LONGER.replace("until: 12h", "until: 6h")
    for source, stories, said_so in (
        (worse, HOLDS, warned),
        (LONGER, HOLDS + "# and more\n", warned),
        (LONGER, HOLDS, "on"),
    ):
        answer = await publishes(control, source, scenarios=stories, anyway=said_so)
        assert answer.status_code == 409
    assert await live(control) == before


async def test_taking_a_kept_scenario_out_is_told_and_audited(control: Control) -> None:
    await editing(control)
    await has_words(control)
    await publishes(control, FILM, scenarios=HOLDS)

    warned = await publishes(control, LONGER, scenarios="")

    words = said(warned)
    assert warned.status_code == 409
    assert f"Kept with what is live, and here no more: {SECOND_CUP}" in words
    assert "does not hold" not in words
    answer = await publishes(control, LONGER, scenarios="", anyway=ticket(warned))
    assert "This is what is live" in said(answer)
    assert (await deeds(control))[-1]["taken_out"] == 2
    assert SECOND_CUP not in (await control.agent.goes(SOURCE)).text, "none is what was kept"
    assert "This is what is live" in said(await publishes(control, FILM)), (
        "nothing is left to warn of"
    )


async def test_scenarios_that_cannot_be_read_are_not_kept(control: Control) -> None:
    await editing(control)
    for stories in (HOLDS.replace("after: 1d", "after: 1x"), "[" * 5_000, HOSTILE, "a\0b"):
        answer = await publishes(control, FILM, scenarios=stories)

        assert answer.status_code == 400
        assert re.search(r"line \d+, column \d+ of the scenarios", said(answer))
        assert 'name="anyway"' not in answer.text
        assert "<script>document" not in answer.text
    assert await kept(control) == []
    assert await live(control) == control.house.version


async def test_a_title_of_a_kept_scenario_is_text(control: Control) -> None:
    await editing(control)
    await has_words(control)
    hostile = HOSTILE.replace('"', "'")
    wild = HOLDS.replace(SECOND_CUP, f'"{hostile}"')
    assert "This is what is live" in said(await publishes(control, FILM, scenarios=wild))

    warned = await publishes(control, LONGER, scenarios="")

    assert hostile in said(warned)
    assert "<script>document" not in warned.text


async def test_whoever_publishes_nothing_keeps_nothing(control: Control) -> None:
    await editing(control)
    await control.lead.goes(SOURCE)
    refused = await control.lead.sends(SOURCE, source=FILM, scenarios=HOLDS, act="publish")
    assert refused.status_code == 403
    played = await control.lead.sends(SOURCE, source=FILM, scenarios=HOLDS, act="stories")
    assert played.status_code == 200
    assert await kept(control) == []
