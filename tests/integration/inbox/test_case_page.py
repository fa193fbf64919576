"""Staff at the page of a case: what they may, what they may not, and what others see of it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stores.audit import AuditStore
from tests.integration.inbox.staff_house import HOSTILE, Browser, StaffHouse, said

New = Callable[[], Browser]


async def at_work(house: StaffHouse, browser: New, member: str) -> Browser:
    """A browser in which this member is signed in."""
    found = browser()
    await house.signed_in(found.client, member)
    await found.goes("/staff")
    return found


async def test_a_case_is_claimed_noted_and_decided_and_the_audit_says_by_whom(
    house: StaffHouse, browser: New
) -> None:
    case = await house.opened()
    eva, path = await at_work(house, browser, "eva"), f"/staff/case/{case}"

    claimed = said(await eva.sends(f"{path}/claim"))
    noted = said(await eva.sends(f"{path}/note", note="Rang her, she is calm"))
    decided = said(
        await eva.sends(f"{path}/decide", decision="refund", f__refund__amount="20,5", f__refund__reason="broken")
    )  # fmt: skip

    assert "You have it" in claimed
    assert "Rang her, she is calm" in noted
    assert "refund by eva" in decided
    found = await house.desk.named(case)
    assert found is not None
    assert (found.state, found.fields) == ("resolved", {"amount": 20.5, "reason": "broken"})
    deeds = await AuditStore(house.pool).latest(what=f"case {found.case}")
    assert [(each.did, each.actor) for each in deeds] == [
        ("decided refund", "eva"), ("noted", "eva"), ("claimed", "eva"),
    ]  # fmt: skip


async def test_more_than_one_may_grant_is_asked_for_and_a_lead_approves_it(
    house: StaffHouse, browser: New
) -> None:
    case, path = await house.opened(), "/staff/case/1:1"
    eva, lena = await at_work(house, browser, "eva"), await at_work(house, browser, "lena")
    order = {"decision": "refund", "f__refund__amount": "120", "f__refund__reason": "broken"}

    refused = await eva.sends(f"{path}/decide", **order)
    asked = said(await eva.sends(f"{path}/decide", **order, ask="She flew in for it"))
    by_herself = await eva.sends(f"{path}/approve")
    waiting = said(await lena.goes("/staff?scope=approvals"))
    approved = said(await lena.sends(f"{path}/approve", why="fine"))

    assert refused.status_code == 409
    assert "more than the 50.0 you may grant" in said(refused)
    assert 'value="120"' in refused.text  # what was filled in stays
    assert "you asked for approval" in asked
    assert by_herself.status_code == 403
    assert "Eva Novak asks for approval" in waiting
    assert "Approved, and decided" in approved
    found = await house.desk.named(case)
    assert found is not None
    assert (found.state, found.decided_by) == ("resolved", "eva")


async def test_a_refused_approval_says_why_and_the_case_goes_on(
    house: StaffHouse, browser: New
) -> None:
    await house.opened()
    eva, lena = await at_work(house, browser, "eva"), await at_work(house, browser, "lena")
    order = {"decision": "refund", "f__refund__amount": "120", "f__refund__reason": "broken"}
    await eva.sends("/staff/case/1:1/decide", **order, ask="please")

    silent = await lena.sends("/staff/case/1:1/disapprove")
    await lena.sends("/staff/case/1:1/disapprove", why="Offer 50 first")

    assert silent.status_code == 409
    assert "Offer 50 first" in said(await eva.goes("/staff/case/1:1"))


async def test_what_is_not_of_ones_queues_is_not_there(house: StaffHouse, browser: New) -> None:
    case = await house.opened("A secret of sales")
    rita, nothing = await at_work(house, browser, "rita"), "There is no such case"

    shown = await rita.goes(f"/staff/case/{case}")
    done = await rita.sends(f"/staff/case/{case}/claim")
    listed = said(await rita.goes("/staff?scope=all"))
    heard = await rita.goes(f"/staff/events?case={case}")

    assert {each.status_code for each in (shown, done, heard)} == {404}
    assert nothing in said(shown)
    assert "A secret of sales" not in listed
    assert said(shown) == said(await rita.goes("/staff/case/7:7"))


async def test_an_analyst_reads_and_changes_nothing(house: StaffHouse, browser: New) -> None:
    case = await house.opened()
    ana = await at_work(house, browser, "ana")

    page = await ana.goes(f"/staff/case/{case}")
    refused = [
        (await ana.sends(f"/staff/case/{case}/{act}", note="x", why="x")).status_code
        for act in ("claim", "note", "approve", "snooze", "hand-over", "writing", "macro")
    ]

    assert page.status_code == 200
    assert "Claim" not in page.text
    assert set(refused) == {403}


async def test_a_case_is_handed_over_with_a_note_and_is_seen_there(
    house: StaffHouse, browser: New
) -> None:
    case, path = await house.opened(), "/staff/case/1:1"
    eva, rita = await at_work(house, browser, "eva"), await at_work(house, browser, "rita")
    await eva.sends(f"{path}/claim")

    silent = await eva.sends(f"{path}/hand-over", whom="queue refunds", note="")
    unknown = await eva.sends(f"{path}/hand-over", whom="queue nowhere", note="x")
    away = await eva.sends(f"{path}/hand-over", whom="queue refunds", note="She wants the money")
    there = said(await rita.goes(path))

    assert (silent.status_code, unknown.status_code) == (409, 409)
    assert str(away.url).endswith("/staff")  # it is not of her queues any more
    assert "She wants the money" in there
    await rita.sends(f"{path}/claim")
    await rita.sends(f"{path}/hand-over", whom="member ben", note="You know her")
    found = await house.desk.named(case)
    assert found is not None
    assert found.claimed_by == "ben"


@pytest.mark.parametrize(
    ("fields", "hours"),
    [({"until": "3h"}, 3), ({"at": "2030-01-01T09:00"}, None), ({"until": "", "event": "Order Completed"}, 720)],
)  # fmt: skip
async def test_a_case_is_put_off_and_gone_on_with(
    house: StaffHouse, browser: New, fields: dict[str, str], hours: int | None
) -> None:
    case, path = await house.opened(due_in=None), "/staff/case/1:1"
    eva = await at_work(house, browser, "eva")
    await eva.sends(f"{path}/claim")

    shown = said(await eva.sends(f"{path}/snooze", **fields))

    found = await house.desk.named(case)
    assert found is not None
    assert found.snoozed_until is not None
    assert "It is put off" in shown
    wanted = datetime.now(UTC) + timedelta(hours=hours) if hours else datetime(2030, 1, 1, 9, tzinfo=UTC)  # fmt: skip
    assert abs(found.snoozed_until - wanted) < timedelta(minutes=5)
    assert found.snoozed_for == fields.get("event")
    assert "It is yours again" in said(await eva.sends(f"{path}/go-on"))


async def test_two_cases_of_a_customer_become_one_and_one_that_is_over_opens_again(
    house: StaffHouse, browser: New
) -> None:
    await house.opened("First")
    eva = await at_work(house, browser, "eva")
    customer = await house.known()
    await house.rows(
        """insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief, decisions, state,
                              opened_at)
           values ('case/x', 0, 99, '', '', %s, 'sales', 'Rang again', '{}', 'open', now()) returning 1""",
        customer,
    )

    merged = said(await eva.sends("/staff/case/1:1/merge", other="case/x"))
    await eva.sends("/staff/case/1:1/decide", decision="explained")
    silent = await eva.sends("/staff/case/1:1/reopen", why="")
    again = said(await eva.sends("/staff/case/1:1/reopen", why="It came back"))

    assert "was merged into this one" in merged
    assert silent.status_code == 409
    assert "It is open again" in again


async def test_words_of_a_customer_are_text_everywhere(house: StaffHouse, browser: New) -> None:
    customer = await house.known("mallory", first_name=HOSTILE, last_name='"><b>')
    case = await house.opened(HOSTILE, customer=customer)
    eva, lena = await at_work(house, browser, "eva"), await at_work(house, browser, "lena")
    await eva.sends(f"/staff/case/{case}/note", note=HOSTILE)
    await eva.sends("/staff/replies", name=HOSTILE[:60], text="{{ customer.first_name }}", act="")
    await eva.sends("/staff/views", name=HOSTILE[:60], q=HOSTILE)
    order = {"decision": "refund", "f__refund__amount": "120", "f__refund__reason": HOSTILE}
    await eva.sends(f"/staff/case/{case}/decide", **order, ask=HOSTILE)

    pages = [
        await each.goes(path)
        for each in (eva, lena)
        for path in ("/staff", f"/staff/case/{case}", "/staff/replies")
    ]
    pages.append(await eva.sends("/staff/search", scope="all", q=HOSTILE))
    pages.append(await eva.goes(f"/staff/case/{case}?reply=1"))

    for page in pages:
        assert page.status_code == 200
        assert "<script>document" not in page.text
        assert "<img" not in page.text
        assert "<b>" not in page.text
    assert "<script>document.title" in said(pages[1])


async def test_a_text_of_the_house_is_put_in_with_names_and_a_macro_does_the_rest(
    house: StaffHouse, browser: New
) -> None:
    case, path = await house.opened(), "/staff/case/1:1"
    eva, lena = await at_work(house, browser, "eva"), await at_work(house, browser, "lena")

    await lena.sends(
        "/staff/replies",
        name="Greeting",
        text="Dear {{ customer.first_name }}, I am {{ me.first_name }}.",
        act="",
        house="yes",
    )
    await lena.sends(
        "/staff/replies",
        name="Ask and wait",
        text="Asked {{ customer.name }}",
        act="wait",
        house="yes",
    )
    broken = await lena.sends("/staff/replies", name="Broken", text="{{ customer.", act="")
    by_an_agent = await eva.sends("/staff/replies", name="Mine", text="x", act="", house="yes")
    greeting, macro = sorted(await house.kept.replies("eva"), key=lambda each: each.act)
    filled = await eva.goes(f"{path}?reply={greeting.reply}")
    await eva.sends(f"{path}/claim")
    await eva.sends(f"{path}/macro", macro=str(macro.reply))

    assert (broken.status_code, by_an_agent.status_code) == (400, 403)
    assert "Dear Anna, I am Eva." in filled.text
    found = await house.desk.named(case)
    assert found is not None
    assert found.state == "pending"
    assert "Asked Anna Malá" in said(await eva.goes(path))


async def test_the_list_is_searched_by_name_and_by_a_callers_number(
    house: StaffHouse, browser: New
) -> None:
    async with house.pool.connection() as connection:
        zoe = await house.customers.resolve(connection, [("user_id", "zoe"), ("phone", "+420777123456")])  # fmt: skip
        await house.customers.merge_traits(connection, zoe, {"first_name": "Zoe", "last_name": "100%"})  # fmt: skip
    await house.opened("Hers", customer=zoe)
    await house.opened("Another's")
    eva = await at_work(house, browser, "eva")

    async def found(sought: str) -> tuple[bool, bool]:
        await eva.goes("/staff")
        page = await eva.sends("/staff/search", scope="all", q=sought)
        addresses.extend(f"{each.url}" for each in (*page.history, page))
        again = await eva.goes(f"{page.url.path}?{page.url.query.decode()}")
        assert said(again) == said(page)
        return "Hers" in said(page), "Another's" in said(page)

    addresses = list[str]()
    assert await found("+420777123456") == (True, False)
    assert await found("zo") == (True, False)
    assert await found("100%") == (True, False)
    assert await found("%") == (True, False)  # a percent sign is no wildcard
    assert await found("nobody") == (False, False)
    assert await found("") == (True, True)
    assert all(
        re.fullmatch("[^?]*(/search|[?]scope=all(&sought=[0-9a-f]{8})?)", each)
        for each in addresses
    )
    assert (await eva.goes("/staff?scope=all&q=zo")).text.count('value="zo"') == 0
    for n in range(12):
        assert await found(f"nobody {n}") == (False, False)
    assert len([each for each in eva.client.cookies if "-sought-" in each]) == 8
    await eva.sends("/staff/logout")
    assert [each for each in eva.client.cookies if "-sought-" in each] == []


async def test_a_view_keeps_what_is_searched_for_and_its_address_does_not_say_it(
    house: StaffHouse, browser: New
) -> None:
    async with house.pool.connection() as connection:
        names = [("user_id", "vera"), ("email", "vera@example.com")]
        vera = await house.customers.resolve(connection, names)
    await house.opened("Of Vera", customer=vera)
    await house.opened("Of nobody")
    eva = await at_work(house, browser, "eva")

    await eva.goes("/staff")
    kept = await eva.sends("/staff/views", name="Vera's", scope="all", q="vera@example.com")
    [way] = re.findall(r'<a href="(/staff[^"]*)">Vera&#39;s</a>', kept.text)
    page = said(await eva.goes(way))

    assert re.fullmatch(r"/staff\?view=\d+", way)
    assert "vera" not in f"{kept.url}"
    assert ("Of Vera" in page, "Of nobody" in page) == (True, False)


async def test_a_list_shows_what_is_due_soonest_first_and_what_is_late_in_words(
    house: StaffHouse, browser: New
) -> None:
    for brief, due in (("Later", 5), ("Overdue", -1), ("Soon", 0.25), ("Never", None)):
        await house.opened(brief, due_in=timedelta(hours=due) if due is not None else None)
    await house.opened("Of refunds", queue="refunds")
    eva = await at_work(house, browser, "eva")

    page = said(await eva.goes("/staff"))

    places = [page.index(each) for each in ("Overdue", "Soon", "Later", "Never")]
    assert places == sorted(places)
    assert "Of refunds" not in page
    assert "late" in page


async def test_views_are_kept_by_their_member_alone(house: StaffHouse, browser: New) -> None:
    eva, ben = await at_work(house, browser, "eva"), await at_work(house, browser, "ben")

    await eva.sends("/staff/views", name="Prague, late", scope="all", place="prague", junk="x")
    [view] = await house.kept.views("eva")
    await ben.sends("/staff/views", drop=str(view.view))

    assert view.filters == {"scope": "all", "place": "prague"}
    assert "Prague, late" in said(await eva.goes("/staff"))
    assert "Prague, late" not in said(await ben.goes("/staff"))
    await eva.sends("/staff/views", drop=str(view.view))
    assert await house.kept.views("eva") == []


async def test_who_writes_on_a_case_is_told_to_the_others(house: StaffHouse, browser: New) -> None:
    case = await house.opened()
    eva, ben = await at_work(house, browser, "eva"), await at_work(house, browser, "ben")

    await eva.sends(f"/staff/case/{case}/writing")
    seen: Any = said(await ben.goes(f"/staff/case/{case}"))
    own = said(await eva.goes(f"/staff/case/{case}"))
    house.now = datetime.now(UTC) + timedelta(seconds=16)
    later = said(await ben.goes(f"/staff/case/{case}"))

    assert "Eva Novak is writing" in seen
    assert "is writing" not in own
    assert "is writing" not in later
