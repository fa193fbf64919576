"""Before a journey is published it is seen what is wrong, what changes, and what becomes of those who stand in it."""

import re

from tests.integration.control.conftest import Control
from tests.integration.inbox.staff_house import HOSTILE, said
from tests.unit.insight.recordings import TEA

SOURCE = "/control/journey/tea/source"
FILM = TEA.replace(
    "- wait: {any: [{on: Tea Bought",
    "- set: {customer.asked: true}\n      - wait: {any: [{on: Tea Bought",
)


async def editing(control: Control) -> None:
    await control.house.hire("edith", "Edith", "editor", [])
    await control.house.signed_in(control.agent.client, "edith")
    await control.agent.goes(SOURCE)


async def test_what_is_live_is_shown_as_it_was_written(control: Control) -> None:
    await editing(control)
    answer = await control.agent.goes(SOURCE)
    assert "when: event.properties.price &gt;= 2.0" in answer.text
    assert "This is what is live" in said(answer)


async def test_each_fault_is_told_with_its_place_and_its_remedy(control: Control) -> None:
    await editing(control)
    wrong = TEA.replace("until: 3d", "until: 3x").replace("how-was-it", "how-is-it")

    answer = await control.agent.sends(SOURCE, source=wrong, act="publish")

    assert answer.status_code == 400
    words = said(answer)
    line = wrong[: wrong.index("3x")].count("\n") + 1
    assert re.search(rf"line {line}, column \d+", words)
    assert await control.house.rows("select from audit where did = 'published'") == []
    assert wrong.strip().splitlines()[0] in answer.text


async def test_it_is_seen_what_becomes_of_those_who_stand_in_it(control: Control) -> None:
    await editing(control)
    here: dict[str, int] = {}
    for each in await control.house.figures.stands("tea"):
        here[each.address] = here.get(each.address, 0) + each.n
    answer = await control.agent.sends(SOURCE, source=FILM, act="check")

    words = said(answer)
    assert answer.status_code == 200
    assert re.search(rf"tasting/2 {here['tasting/2']} begins stage tasting anew", words)
    assert "added tasting/2" in words
    assert "Who is under way stays on their version" in words


async def test_an_editor_publishes_and_the_audit_says_who(control: Control) -> None:
    await editing(control)
    answer = await control.agent.sends(SOURCE, source=FILM, act="publish")

    assert "This is what is live" in said(answer)
    [deed] = await control.house.rows(
        "select who, object, detail from audit where did = 'published'"
    )
    [live] = await control.house.rows("select version from live_journeys where journey = 'tea'")
    assert (deed["who"], deed["object"]) == ("edith", "journey tea")
    assert deed["detail"]["version"] == live["version"] != control.house.version


async def test_whoever_writes_no_journeys_may_try_and_publishes_nothing(control: Control) -> None:
    await editing(control)
    await control.lead.goes(SOURCE)
    tried = await control.lead.sends(SOURCE, source=FILM, act="check")
    assert "added" in said(tried)
    refused = await control.lead.sends(SOURCE, source=FILM, act="publish")
    assert refused.status_code == 403
    assert await control.house.rows("select from audit where did = 'published'") == []


async def test_nonsense_hostile_and_other_journeys_are_refused_in_words(control: Control) -> None:
    await editing(control)
    for source, words in (
        ("", "the file is empty"),
        (HOSTILE, ""),
        (TEA.replace("journey: tea", "journey: coffee"), "not 'tea'"),
        (TEA.replace("From the first cup to the second", HOSTILE.replace('"', "'")), ""),
        ("[" * 5_000, ""),
        ("a: &a [*a, *a]\n" * 50, ""),
    ):
        answer = await control.agent.sends(SOURCE, source=source, act="check")
        assert answer.status_code in (200, 400)
        assert words in said(answer)
        assert "<script>document" not in answer.text
