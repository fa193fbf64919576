"""Whoever runs journeys sees all of them at a glance, one with its figures, and who stands at a step."""

import re
from datetime import timedelta

import pytest

from contracts.journey_figures import Standing
from tests.integration.control.conftest import Control
from tests.integration.control.control_house import THEN
from tests.integration.inbox.staff_house import HOSTILE, said
from tests.unit.insight.recordings import NOON

JOURNEY = "/control/journey/tea"


def under_way(control: Control) -> int:
    return sum(n for (name, _, _), n in control.played.outcomes.items() if name == "goes on")


async def standing(control: Control) -> list[Standing]:
    """Who stands where now, whenever they came."""
    sums: dict[str, int] = {}
    for each in await control.house.figures.stands("tea"):
        sums[each.address] = sums.get(each.address, 0) + each.n
    return [Standing(address=address, since=NOON, n=n) for address, n in sums.items()]


async def test_all_journeys_at_a_glance(control: Control) -> None:
    answer = await control.lead.goes("/control")

    assert answer.status_code == 200
    words = said(answer)
    assert "From the first cup to the second" in words
    assert f"Under way {under_way(control)}" in words
    assert "tea, shop" in words


async def test_it_says_of_whom_nobody_is_at_work(control: Control) -> None:
    assert "Nobody is at work" not in said(await control.lead.goes("/control"))
    async with control.house.pool.connection() as connection:
        await connection.execute(
            "update processes set seen_at = now() - interval '1 minute' where kind in ('journey', 'router')"
        )

    words = said(await control.lead.goes("/control"))

    assert "Nobody is at work: journey, router." in words
    assert "python -m workers journey" in words


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


async def test_timers_that_are_late_lead_to_whose_they_are(control: Control) -> None:
    [late] = await control.house.rows(
        "update runs set wakes_at = %s where entry = (select max(entry) from runs where state = 'open')"
        " returning customer",
        THEN - timedelta(minutes=10),
    )
    await control.house.rows(
        "update runs set wakes_at = %s where state = 'open' and customer <> %s returning entry",
        THEN + timedelta(days=1),
        late["customer"],
    )
    answer = await control.lead.goes("/control")
    found = re.search(
        r'href="(/control/search\?wakes_before=[^"]+)"><span[^>]*>! </span>', answer.text
    )
    assert found is not None

    people = await control.lead.goes(found[1])

    assert "1 is found" in said(people)
    assert f"/control/customer/{late['customer']}" in people.text


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
    here = {each.address: each.n for each in await standing(control)}
    assert sum(n for address, n in here.items() if "/" in address) == under_way(control)
    assert f"{here['tasting/2']} stand here: half for" in words
    ended = sum(n for (name, _, _), n in played.outcomes.items() if name == "again")
    assert re.search(rf"again goal {ended}\b", words)


async def test_a_step_leads_to_those_who_stand_at_it(control: Control) -> None:
    answer = await control.lead.goes(JOURNEY)
    links = re.findall(r'<a href="(/control/journey/tea/people\?[^"]+)"', answer.text)
    [waits] = {each for each in links if each.endswith("at=tasting%2F2")}
    here = {each.address: each.n for each in await standing(control)}

    people = await control.lead.goes(waits.replace("&amp;", "&"))

    assert len(re.findall(r'<th scope="row">', people.text)) == min(100, here["tasting/2"])


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


@pytest.mark.parametrize("address", ["/control/nonsense", "/staff/no/where"])
async def test_an_address_that_leads_nowhere_is_answered_by_a_page(
    control: Control, address: str
) -> None:
    answer = await control.lead.goes(address)

    assert answer.status_code == 404
    assert "There is no such page" in said(answer)
    assert answer.headers["content-type"].startswith("text/html")


async def test_no_page_has_a_style_or_a_script_of_its_own(control: Control) -> None:
    for path in ("/control", JOURNEY, f"{JOURNEY}/people"):
        answer = await control.lead.goes(path)
        assert "<style" not in answer.text
        assert " style=" not in answer.text
        assert re.findall(r"<script(?! defer src=)", answer.text) == []


async def test_by_any_identity_to_a_customer_and_why_they_were_not_told(control: Control) -> None:
    [silent] = await control.house.rows(
        "select r.customer, i.value from runs r join identities i using (customer)"
        " where r.held_out order by r.entry limit 1"
    )

    await control.lead.goes("/control")
    answer = await control.lead.sends("/control/customer", q=silent["value"])

    assert answer.status_code == 200
    words = said(answer)
    assert silent["customer"] in words
    assert "Held out: nothing is sent" in words
    assert re.search(r"not_sent .*how-was-it not sent", words)
    assert "touchpoint Tea Bought" in words


async def test_a_refusal_to_enter_stands_on_the_line_with_its_reason(control: Control) -> None:
    shop = control.house
    async with shop.pool.connection() as connection:
        await connection.execute(
            "insert into runs (workflow_id, first_run_id, journey, version, customer, engine, state, reason, detail,"
            " entered_at, began_at) select 'w', 'first', 'tea', version, customer, 2, 'not_admitted', 'again',"
            " 'was there less than 7d ago', now(), now() from runs limit 1"
        )
    [row] = await shop.rows("select customer from runs where state = 'not_admitted'")
    answer = await control.lead.goes(f"/control/customer/{row['customer']}")
    assert "not entered ! tea again: was there less than 7d ago" in said(answer)


async def test_what_a_customer_wrote_and_is_called_is_text(control: Control) -> None:
    shop = control.house
    customer = await shop.known("hostile", first_name=HOSTILE, notes=[HOSTILE, {"deep": HOSTILE}])
    async with shop.pool.connection() as connection:
        await connection.execute(
            "insert into inbound_messages (reply, customer, channel, address, subject, text)"
            " values ('r', %s, 'email', 'x@y.example', %s, %s)",
            [customer, HOSTILE, HOSTILE * 2_000],
        )
    answer = await control.lead.goes(f"/control/customer/{customer}")
    assert answer.status_code == 200
    assert HOSTILE in said(answer)
    assert "<script>document" not in answer.text
    assert len(answer.content) < 60_000


async def test_a_message_stands_there_as_it_was_sent(control: Control) -> None:
    shop = control.house
    [row] = await shop.rows(
        "select customer from deliveries where state = 'accepted' and customer is not null limit 1"
    )
    async with shop.pool.connection() as connection:
        await connection.execute(
            "update deliveries set sent_subject = 'How was it?', sent_text = %s where customer = %s",
            [f"Dear guest,\n{HOSTILE}", row["customer"]],
        )

    answer = await control.lead.goes(f"/control/customer/{row['customer']}")

    assert "As it was sent: How was it? Dear guest," in said(answer)
    assert "<script>document" not in answer.text


async def test_a_long_line_is_leafed_through_without_a_gap(control: Control) -> None:
    shop = control.house
    customer = await shop.known("busy")
    async with shop.pool.connection() as connection:
        await connection.execute(
            "insert into consents (customer, purpose, given, source, proof, at)"
            " select %s, 'marketing', n %% 2 = 0, 'page', 'n' || n, now() - n * interval '1 minute'"
            " from generate_series(1, 450) n",
            [customer],
        )
    path, seen = f"/control/customer/{customer}", 0
    for _ in range(5):
        answer = await control.lead.goes(path)
        seen += answer.text.count('<span class="kind">consent</span>')
        older = re.search(r'class="button" href="([^"]+)"', answer.text)
        if older is None:
            break
        path = older[1].replace("&amp;", "&")
    assert seen == 450


async def test_nobody_is_found_by_a_name_of_nobody(control: Control) -> None:
    assert (await control.lead.goes("/control/customer/c_nobody")).status_code == 404
    assert (await control.lead.goes("/control/customer")).status_code == 200
    for name in ("nobody", HOSTILE):
        answer = await control.lead.sends("/control/customer", q=name)
        assert answer.status_code == 404
        assert f"Nobody is known as {name}" in said(answer)


async def test_an_admin_stops_a_journey_and_lets_it_send_again(control: Control) -> None:
    shop = control.house
    await shop.signed_in(control.agent.client, "root")
    admin = control.agent
    await admin.goes("/control/stops")

    silent = await admin.sends("/control/stops", what="journey tea", reason="")
    assert silent.status_code == 400
    assert "Say why" in said(silent)
    stopped = await admin.sends("/control/stops", what="journey tea", reason=HOSTILE)
    assert f"journey tea {HOSTILE}" in said(stopped)
    assert "because" in said(await admin.goes("/control"))
    lifted = await admin.sends("/control/stops/lift", what="journey tea")

    assert "Nothing is stopped" in said(lifted)
    deeds = await shop.rows(
        "select actor, did from audit where did in ('stopped', 'resumed') order by audit"
    )
    assert [(each["actor"], each["did"]) for each in deeds] == [
        ("root", "stopped"),
        ("root", "resumed"),
    ]


async def test_who_may_not_stop_is_told_who_may(control: Control) -> None:
    await control.lead.goes("/control/stops")
    answer = await control.lead.sends("/control/stops", what="everything", reason="fun")
    assert answer.status_code == 403
    assert "An admin stops" in said(answer)
    assert await control.house.rows("select from stops") == []


async def test_what_is_not_there_is_not_stopped(control: Control) -> None:
    await control.house.signed_in(control.agent.client, "root")
    await control.agent.goes("/control/stops")
    for what in ("journey nope", "channel fax", "", "everything else", HOSTILE):
        answer = await control.agent.sends("/control/stops", what=what, reason="because")
        assert answer.status_code == 400
    forged = await control.agent.client.post(
        "/control/stops", data={"csrf": "x", "what": "everything", "reason": "forged"}
    )
    assert forged.status_code == 403
