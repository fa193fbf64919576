"""One cause behind many calls: its page tells whom it touches, and a lead gives one answer for all its cases."""

from collections.abc import Callable

from stores.problems import NewProblem, ProblemStore
from tests.integration.inbox.staff_house import HOSTILE, Browser, StaffHouse, said
from tests.integration.inbox.test_case_page import at_work

New = Callable[[], Browser]


async def opened(house: StaffHouse) -> None:
    """Three cases about the lift, one of them of refunds."""
    problems = ProblemStore(house.pool)
    new = NewProblem(
        problem="lift", title="The lift stands", words=HOSTILE, why="a cable", queues=["sales"]
    )
    await problems.open(new, by="boss")
    for n, queue in enumerate(("sales", "sales", "refunds")):
        customer = await house.known(f"c{n}", first_name=f"C{n}")
        name = await house.opened(f"Stuck {n}", queue=queue, customer=customer)
        found = await house.desk.named(name)
        assert found is not None
        await problems.link("lift", customer, by="boss", case=found.case)


async def test_a_lead_answers_all_cases_at_once_and_an_agent_only_reads(
    house: StaffHouse, browser: New
) -> None:
    await opened(house)
    eva, lena = await at_work(house, browser, "eva"), await at_work(house, browser, "lena")

    listed = said(await eva.goes("/staff/problems"))
    page = await eva.goes("/staff/problems/lift")
    by_an_agent = await eva.sends("/staff/problems/lift/answer", decision="explained")
    await lena.goes("/staff/problems/lift")
    wrong = await lena.sends(
        "/staff/problems/lift/answer", decision="refund", f__refund__amount="much"
    )
    answered = await lena.sends(
        "/staff/problems/lift/answer",
        decision="refund", f__refund__amount="20,5", f__refund__reason="stuck", note="sorry",
    )  # fmt: skip

    assert "The lift stands" in listed
    assert HOSTILE in said(page)
    assert "<script>" not in page.text.split("<main", 1)[1]
    assert "Stuck 0" in said(page)
    assert "Stuck 2" not in said(page)
    assert "1 of them in queues that are not yours" in said(page)
    assert by_an_agent.status_code == 403
    assert "is no number" in said(wrong)
    assert "3 answered" in said(answered)
    cases = await house.rows("select state, fields from cases")
    assert [each["state"] for each in cases] == ["resolved"] * 3
    assert cases[0]["fields"] == {"amount": 20.5, "reason": "stuck"}


async def test_news_is_told_and_it_is_mended_and_opened_again(
    house: StaffHouse, browser: New
) -> None:
    await opened(house)
    lena = await at_work(house, browser, "lena")
    await lena.goes("/staff/problems/lift")

    silent = await lena.sends("/staff/problems/lift/update")
    told = said(await lena.sends("/staff/problems/lift/update", words="A fitter is there"))
    mended = said(await lena.sends("/staff/problems/lift/mend"))
    twice = await lena.sends("/staff/problems/lift/mend")
    again = said(await lena.sends("/staff/problems/lift/reopen", words="It stands again"))
    unknown = await lena.goes("/staff/problems/none")
    nonsense = await lena.sends("/staff/problems/lift/dance")

    assert silent.status_code == 409
    assert "Everybody it touches is told." in told
    assert "A fitter is there" in told
    assert "It is mended." in mended
    assert twice.status_code == 409
    assert "It stands again" in again
    assert (unknown.status_code, nonsense.status_code) == (404, 404)


async def test_figures_are_ones_own_and_a_lead_sees_those_of_the_queue(
    house: StaffHouse, browser: New
) -> None:
    for member, case in (("eva", "1:1"), ("ben", "1:2"), ("rita", "1:3")):
        name = await house.opened(queue="refunds" if member == "rita" else "sales")
        assert name == case
        found = await house.desk.named(case)
        assert found is not None
        await house.desk.claim(found.case, member)
        await house.desk.decide(found.case, "explained", {}, by=member)
    eva, lena = await at_work(house, browser, "eva"), await at_work(house, browser, "lena")

    own, leads = (
        said(await eva.goes("/staff/figures?since=7d")),
        said(await lena.goes("/staff/figures")),
    )

    assert "Eva Novak" in own
    assert "Ben Horak" not in own.replace("Eva Novak", "")
    assert "Ben Horak" in leads
    assert "Rita Fox" not in leads
    assert "Refunds" not in leads
