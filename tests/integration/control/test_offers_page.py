"""Whoever runs journeys sees what became of coupons, whose they are, and which pool of codes will not hold."""

import re
from datetime import timedelta

import pytest
import pytest_asyncio

from stores.coupons import CouponStore
from stores.offer_looks import MOST_PEOPLE, OfferLooks
from tests.integration.control import asked_rows as rows
from tests.integration.control.asked_rows import DAY
from tests.integration.control.conftest import Control
from tests.integration.control.control_house import THEN
from tests.integration.inbox.staff_house import HOSTILE, said

PAGE = "/control/offers"


@pytest_asyncio.fixture
async def offered(control: Control) -> Control:
    """A cake that is made for each, and tickets from a pool."""
    await rows.published(control.house, "offer", "cake", kind="generated", title="A piece of cake")
    await rows.published(control.house, "offer", "ticket", kind="pool", title="A ticket")
    return control


async def told(control: Control, path: str = PAGE) -> str:
    answer = await control.lead.goes(path)
    assert answer.status_code == 200, answer.text[:400]
    return said(answer)


async def test_coupons_are_counted_by_what_became_of_them_and_what_they_were_worth(
    offered: Control,
) -> None:
    house = offered.house
    ago, ended = THEN - 5 * DAY, THEN - DAY
    await rows.given(house, ago, state="redeemed", ended=ended, amount=4.5, times=3)
    await rows.given(house, ago, state="redeemed", ended=ended)
    await rows.given(house, ago, state="expired", ended=ended, times=5)
    await rows.given(house, ago, state="voided", ended=ended, journey="tea")
    await rows.given(house, ago, times=2)
    await rows.given(house, ago, state="refused", ended=None, times=3, reason="had one")
    await rows.given(house, THEN - 40 * DAY, expires=THEN - DAY)  # over, and nobody said so yet

    words = await told(offered)

    assert "Given 12 Open now 2 Redeemed 4 Expired 5 Voided 1" in words
    assert "A piece of cake cake, Tea masters made for each" in words
    assert "12 granted: cake 3 refused: cake got none 2 open: cake 4 redeemed: cake" in words
    assert "40 % 17 % to 69 % of 10 13.50 known of 3 of 4" in words
    journeys = words.partition("By journey")[2]
    assert "second-cup cake 11 granted: cake in second-cup" in journeys
    assert (
        "tea cake 1 granted: cake in tea 0 0 0 1 voided: cake in tea 0 % 0 % to 79 % of 1"
        in journeys
    )


@pytest.mark.parametrize(
    ("loaded", "week", "shown"),
    [
        (0, 0, "! 0 low 0 given in 7 days"),
        (4, 5, "! 4 low 5 given in 7 days: lasts 5.6 d"),
        (5, 5, "5 5 given in 7 days: lasts 7.0 d"),
        (9, 0, "9 0 given in 7 days"),
    ],
)
async def test_a_pool_that_will_not_hold_a_week_is_low(
    offered: Control, loaded: int, week: int, shown: str
) -> None:
    house = offered.house
    await CouponStore(house.pool).load("ticket", [f"T-{n}" for n in range(loaded)])
    await rows.given(
        house, THEN - 6 * DAY, offer="ticket", times=week or 1, state="open" if week else "refused"
    )
    await rows.given(house, THEN - 8 * DAY, offer="ticket", times=50)

    words = await told(offered, f"{PAGE}?since=1d")

    assert f"A ticket ticket, Tea masters {shown}" in words
    assert f"Pools that run low {'! 1' if 'low' in shown else '0'}" in words


async def test_a_pool_that_nobody_publishes_any_more_is_not_low(offered: Control) -> None:
    await CouponStore(offered.house.pool).load("of-old", ["OLD-1"])
    await rows.given(offered.house, THEN - DAY, offer="of-old", times=9)
    await CouponStore(offered.house.pool).load("ticket", ["T-1"])

    words = await told(offered)

    assert "of-old of-old; no longer published 1 9 given in 7 days" in words
    assert "Pools that run low 0" in words


async def test_each_number_leads_to_whose_coupons_they_are_and_shows_no_code(
    offered: Control,
) -> None:
    house = offered.house
    for state in ("redeemed", "expired", "voided"):
        await rows.given(
            house, THEN - 5 * DAY, state=state, customer=f"c_{state}", ended=THEN - DAY
        )
    await rows.given(house, THEN - 40 * DAY, customer="c_open", expires=THEN + DAY)
    await rows.given(
        house, THEN - DAY, state="refused", customer="c_refused", expires=THEN + DAY, reason=HOSTILE
    )
    page = await offered.lead.goes(PAGE)

    for standing in ("redeemed", "expired", "voided", "open", "refused"):
        links = re.findall(rf'href="([^"]*standing={standing}[&#][^"]*)"', page.text)
        assert len(links) == 2  # of the offer, and in this journey
        for link in links:
            followed = await offered.lead.goes(link.replace("&amp;", "&"))
            assert re.findall(r"/control/customer/(c_\w+)", followed.text) == [f"c_{standing}"]
            assert "<script>document" not in followed.text
    codes = [row["code"] for row in await house.rows("select code from coupons")]
    granted = await offered.lead.goes(f"{PAGE}?offer=cake&standing=granted&journey=second-cup")
    assert "c_redeemed" in granted.text
    assert not any(code in granted.text for code in codes)
    nobody = await told(offered, f"{PAGE}?offer=cake&standing=granted&journey=other")
    assert "Nobody." in nobody


async def test_up_and_down_are_told_only_where_chance_would_hardly_make_it_so(
    offered: Control,
) -> None:
    house = offered.house
    for ended, redeemed, expired in ((THEN - DAY, 20, 80), (THEN - 30 * DAY, 60, 40)):
        await rows.given(house, THEN - 60 * DAY, state="redeemed", ended=ended, times=redeemed)
        await rows.given(house, THEN - 60 * DAY, state="expired", ended=ended, times=expired)
    few = ((THEN - DAY, "expired"), (THEN - 30 * DAY, "redeemed"))
    for ended, state in few:
        await rows.given(house, THEN - 60 * DAY, offer="ticket", state=state, ended=ended)

    words = await told(offered)

    assert "of 100; 60 % the time before down" in words
    assert re.search(r"0 % 0 % to 79 % of 1; 100 % the time before –", words)


async def test_one_leafs_through_those_who_got_one_at_the_same_time(offered: Control) -> None:
    many = MOST_PEOPLE + 5
    for n in range(many):
        await rows.given(
            offered.house, THEN - DAY, customer=f"c_{n}.", entry=n, state="redeemed", ended=THEN - DAY,
            expires=THEN + DAY,
        )  # fmt: skip
        await rows.given(offered.house, THEN - DAY, customer=f"c_{n}.", entry=n, expires=THEN + DAY)

    for standing in ("redeemed", "open"):
        first = await offered.lead.goes(f"{PAGE}?offer=cake&standing={standing}")
        [more] = re.findall(r'<a class="button" href="([^"]*after=[^"]*)"', first.text)
        second = await offered.lead.goes(more.replace("&amp;", "&"))
        met = [re.findall(r"/control/customer/(c_\d+\.)", page.text) for page in (first, second)]
        assert [len(each) for each in met] == [MOST_PEOPLE, 5]
        assert len({*met[0], *met[1]}) == many


async def test_only_the_newest_are_counted_and_the_page_says_so(
    offered: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rows.given(offered.house, THEN - DAY, times=30)
    await CouponStore(offered.house.pool).load("ticket", [f"T-{n}" for n in range(30)])
    monkeypatch.setattr("stores.offer_looks.MOST_COUPONS", 20)

    words = await told(offered)

    assert "the newest 20 of each figure are counted; there are more 12" not in words
    assert "the newest 20 of each figure are counted; there are more" in words
    assert "20 granted: cake" in words
    assert "20 or more 0 given in 7 days" in words


async def test_whoever_was_erased_is_nobody_here(offered: Control) -> None:
    await rows.given(offered.house, THEN - DAY, customer="")
    assert "erased open 0 –" not in await told(offered)
    words = await told(offered, f"{PAGE}?offer=cake")
    assert re.search(r"erased open – 20\d\d", words)


async def test_agents_are_told_whom_it_is_for(offered: Control) -> None:
    answer = await offered.agent.goes(PAGE)
    assert answer.status_code == 403
    assert "Your cases are in the inbox" in said(answer)


async def test_nonsense_is_answered(control: Control) -> None:
    assert "Nothing is offered yet" in await told(control)
    for query in (
        "since=never", f"offer={HOSTILE}&journey={HOSTILE}", "offer=cake&standing=perhaps", "offer=x&after=y|z",
        "offer=%00&journey=%00",
        "offer=x&after=0001-01-01T00:00%2B14:00|1", "offer=x&after=9999-12-31|999999999999999999",
    ):  # fmt: skip
        answer = await control.lead.goes(f"{PAGE}?{query}")
        assert answer.status_code == 200, query
        assert "<script>document" not in answer.text


async def test_what_is_read_is_found_by_an_index(offered: Control) -> None:
    async with offered.house.pool.connection() as connection:
        await connection.execute(
            "insert into coupons (key, offer, code, customer, entry, journey, state, granted_at, expires_at,"
            " settled_at)"
            " select n, 'cake', n, 'c', n, 'tea', (array['open', 'redeemed', 'expired'])[1 + n %% 3],"
            "        %(then)s::timestamptz - n * interval '1 min', %(then)s::timestamptz + n * interval '1 min',"
            "        case when n %% 3 > 0 then %(then)s::timestamptz - n * interval '30 s' end"
            "   from generate_series(1, 30000) n",
            {"then": THEN},
        )
        await connection.execute(
            "insert into coupon_pool (offer, code, coupon)"
            " select 'ticket', 'T' || n, case when n > 50 then 'x' end from generate_series(1, 30000) n"
        )
        await connection.execute("analyze coupons, coupon_pool")
    looks, since = OfferLooks(offered.house.pool), THEN - timedelta(hours=3)
    before = await _scans(offered)

    names = [each.offer for each in await looks.offers()]
    counted, _ = await looks.counted(names, since - timedelta(hours=3), since, THEN)
    left = await looks.left(names)
    for standing in ("granted", "redeemed", "expired", "voided", "refused", "open"):
        await looks.who("cake", standing, since, THEN)

    assert sum(each.n for each in counted if each.what == "granted") == 180
    assert {each.offer: each.n for each in left} == {"cake": 0, "ticket": 50}
    assert await _scans(offered) == before


async def _scans(control: Control) -> int:
    """How often all coupons or all codes were read through so far."""
    async with control.house.pool.connection() as connection:
        await connection.execute("select pg_stat_force_next_flush()")
    [row] = await control.house.rows(
        "select sum(seq_scan)::int as n from pg_stat_user_tables where relname in ('coupons', 'coupon_pool')"
    )
    return row["n"]
