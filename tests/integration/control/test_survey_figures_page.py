"""Whoever runs journeys sees what customers answered: the figure of its kind, how sure it is, and whose words."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from stores.survey_looks import MOST_PEOPLE, SurveyLooks
from tests.integration.control import asked_rows as rows
from tests.integration.control.asked_rows import DAY
from tests.integration.control.conftest import Control
from tests.integration.control.control_house import THEN
from tests.integration.inbox.staff_house import HOSTILE, said

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""A Wednesday."""

NPS = "/control/survey/would-you-tell"


@pytest_asyncio.fixture
async def asked(control: Control) -> Control:
    """Surveys of each kind, and nobody who answered."""
    control.house.now = NOW
    await rows.furnished(control.house)
    return control


async def told(control: Control, path: str) -> str:
    answer = await control.lead.goes(path)
    assert answer.status_code == 200, answer.text[:400]
    return said(answer)


async def test_a_survey_shows_its_score_with_its_range_and_its_formula(asked: Control) -> None:
    for score, times in ((10, 3), (9, 2), (8, 2), (3, 2), (0, 1)):
        await rows.answered(asked.house, "would-you-tell", NOW - DAY, score=score, times=times)

    words = await told(asked, NPS)

    assert "Net Promoter Score +20 −34 to +74" in words
    assert "% who gave 9 or 10, less % who gave 0 to 6 (Reichheld 2003)" in words
    assert "Fewer than 30 answers: the range is rough" in words
    assert "promoters 5" in words
    assert "detractors 3" in words
    assert "Answered 10 0 the time before" in words
    assert "2026-11-23" in words  # the Monday of its week


@pytest.mark.parametrize(
    ("survey", "given", "figure"),
    [
        ("was-it-good", {5: 5, 4: 3, 3: 1, 1: 1}, "Customer satisfaction 80 % 49 % to 94 %"),
        ("was-it-easy", {7: 2, 6: 2, 4: 1}, "Customer Effort Score 2.0 6.0 4.9 to 7.0"),
        ("in-words", {}, "Answered 4"),
    ],
)
async def test_each_kind_has_its_own_figure(
    asked: Control, survey: str, given: dict[int, int], figure: str
) -> None:
    for score, times in given.items():
        await rows.answered(asked.house, survey, NOW - DAY, score=score, times=times)
    if not given:
        await rows.answered(asked.house, survey, NOW - DAY, words="More cups", times=4)

    assert figure in await told(asked, f"/control/survey/{survey}")


async def test_a_choice_shows_the_share_of_each_also_of_what_nobody_chose(asked: Control) -> None:
    await rows.answered(asked.house, "what-else", NOW - DAY, choice="cakes", times=3)
    await rows.answered(asked.house, "what-else", NOW - DAY, choice="music")

    words = await told(asked, "/control/survey/what-else")

    assert re.search(r"Cakes 3 answered Cakes 75 % 30 % to 95 %", words)
    assert "Silence 0 0 %" in words


async def test_up_is_told_only_where_chance_would_hardly_make_it_so(asked: Control) -> None:
    await rows.answered(asked.house, "would-you-tell", NOW - 10 * DAY, score=10, times=100)
    await rows.answered(asked.house, "would-you-tell", NOW - 40 * DAY, score=5, times=100)
    await rows.answered(asked.house, "was-it-good", NOW - 10 * DAY, score=5, times=6)
    await rows.answered(asked.house, "was-it-good", NOW - 10 * DAY, score=1, times=4)
    await rows.answered(asked.house, "was-it-good", NOW - 40 * DAY, score=5, times=5)
    await rows.answered(asked.house, "was-it-good", NOW - 40 * DAY, score=1, times=5)

    assert "+100 −100 the time before up" in await told(asked, NPS)
    good = await told(asked, "/control/survey/was-it-good")
    assert "60 % 31 % to 83 % 50 % the time before Answered" in good
    several = await told(asked, "/control/surveys")
    assert "+100 up −100 the time before" in several
    assert "60 % 31 % to 83 % 50 % the time before" in several
    assert "no such" not in several


async def test_how_far_back_is_chosen(asked: Control) -> None:
    await rows.answered(asked.house, "would-you-tell", NOW - timedelta(hours=5), score=9)
    await rows.answered(asked.house, "would-you-tell", NOW - 60 * DAY, score=9, times=3)

    assert "Answered 1 0 the time before" in await told(asked, f"{NPS}?since=1d")
    assert "Answered 4 0 the time before" in await told(asked, f"{NPS}?since=91d")
    assert "the time before" not in await told(asked, f"{NPS}?since=10y")


async def test_invitations_and_who_answered_in_time_are_what_the_steps_noted(
    asked: Control,
) -> None:
    asked.house.now = None  # runs stand at `THEN` by the clock of the wall
    version = await rows.furnished(asked.house)
    for n, kinds in enumerate(
        (("sent", "answered"), ("sent", "reminded", "sent", "late"), ("sent",))
    ):
        entry = await rows.ran(asked.house, f"c_{n}", THEN - 2 * DAY, version)
        for sequence, kind in enumerate(kinds):
            at = THEN - 2 * DAY + sequence * timedelta(hours=1)
            why = "would-you-tell answered: promoter" if kind == "answered" else kind
            await rows.noted(asked.house, entry, sequence, kind, at, why)
    await asked.house.fold()

    for span in ("7d", "28d"):
        words = await told(asked, f"{NPS}?since={span}")
        assert "Invitations sent 4 1 were to be reminded" in words
        assert "Answered in time 50 % 1 of 2 who were asked and are done" in words


async def test_words_lead_to_whose_they_are_and_are_text(asked: Control) -> None:
    anna = await asked.house.known("anna", first_name="Anna")
    version = await rows.furnished(asked.house)
    entry = await rows.ran(asked.house, anna, THEN, version)
    await rows.answered(
        asked.house, "would-you-tell", NOW - DAY, customer=anna, entry=entry, score=2, words=f"Cold. {HOSTILE}",
    )  # fmt: skip
    await rows.answered(asked.house, "would-you-tell", NOW - DAY, score=10)

    page = await asked.lead.goes(NPS)

    assert f'href="/control/customer/{anna}"' in page.text
    assert f"{anna} 2 of 10 2026-11-24 12:00 UTC , second-cup Cold. {HOSTILE}" in said(page)
    assert "<script>document" not in page.text
    assert "c_guest" not in page.text
    customer = await asked.lead.goes(f"/control/customer/{anna}")
    assert customer.status_code == 200


async def test_each_number_leads_to_who_is_behind_it(asked: Control) -> None:
    version = await rows.furnished(asked.house)
    entry = await rows.ran(asked.house, "c_far", THEN, version)
    await rows.answered(asked.house, "would-you-tell", NOW - DAY, customer="c_low", score=3)
    await rows.answered(
        asked.house, "would-you-tell", NOW - 8 * DAY, customer="c_far", score=9, entry=entry
    )
    await rows.answered(asked.house, "what-else", NOW - DAY, customer="c_cake", choice="cakes")

    async def links(path: str, marked: str) -> str:
        page = await asked.lead.goes(path)
        [found] = set(re.findall(rf'<a href="([^"]*{marked}[^"]*)"', page.text))
        followed = await asked.lead.goes(found.replace("&amp;", "&"))
        return said(followed).partition("The newest first")[2]

    behind = {
        "score=3": "c_low", "score=9": "c_far", "week=2026-11-16": "c_far", "journey=second-cup": "c_far",
    }  # fmt: skip
    for marked, who in behind.items():
        shown = await links(NPS, marked)
        assert who in shown
        assert ({"c_low", "c_far"} - {who}).pop() not in shown
    assert "c_cake" in await links("/control/survey/what-else", "choice=cakes")
    everybody = await told(asked, f"{NPS}?all=yes")
    assert "c_low" in everybody
    assert "c_far" in everybody


async def test_one_leafs_through_everybody_and_meets_nobody_twice(asked: Control) -> None:
    for n in range(MOST_PEOPLE + 5):
        at = NOW - DAY - n * timedelta(minutes=1)
        await rows.answered(
            asked.house, "would-you-tell", at, customer=f"c_{n}.", score=7, words="So so"
        )

    first = await asked.lead.goes(NPS)
    [more] = re.findall(r'<a class="button" href="([^"]*before=[^"]*)"', first.text)
    second = await asked.lead.goes(more.replace("&amp;", "&"))

    met = [re.findall(r"/control/customer/(c_\d+\.)", page.text) for page in (first, second)]
    assert [len(each) for each in met] == [MOST_PEOPLE, 5]
    assert len({*met[0], *met[1]}) == MOST_PEOPLE + 5
    assert "Those before" not in said(second)


async def test_only_the_newest_are_counted_and_the_page_says_so(
    asked: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = SurveyLooks(asked.house.pool)
    await rows.answered(asked.house, "was-it-good", NOW - 20 * DAY, score=1, times=50)
    await rows.answered(asked.house, "was-it-good", NOW - DAY, score=5, times=50)

    counted = await looks.counted("was-it-good", NOW - 28 * DAY, NOW, 60)

    assert {each.score: each.n for each in counted} == {5.0: 50, 1.0: 10}
    monkeypatch.setattr("console.control_surveys.MOST_ANSWERS", 100)
    assert "The newest 100 answers of each time are counted; there are more" in await told(
        asked, "/control/survey/was-it-good"
    )


async def test_answers_of_another_kind_count_to_nothing_and_are_told(asked: Control) -> None:
    await rows.answered(asked.house, "was-it-good", NOW - DAY, score=9, times=2)
    await rows.answered(asked.house, "was-it-good", NOW - DAY, score=5)

    words = await told(asked, "/control/survey/was-it-good")

    assert "2 answers are none of this kind" in words
    assert "Customer satisfaction 100 %" in words


async def test_a_survey_that_nobody_publishes_any_more_is_still_there(asked: Control) -> None:
    await rows.answered(asked.house, "of-old", NOW - DAY, score=9, words="Once")
    async with asked.house.pool.connection() as connection:
        await connection.execute("update published set live = false where name = 'was-it-good'")
    await rows.answered(asked.house, "was-it-good", NOW - DAY, score=4)

    several = await told(asked, "/control/surveys")

    assert "of-old" in several
    assert "was-it-good, Tea masters; no longer published" in several
    assert "Once" in await told(asked, "/control/survey/of-old")


async def test_agents_are_told_whom_it_is_for_and_analysts_see_it(asked: Control) -> None:
    for path in ("/control/surveys", NPS):
        answer = await asked.agent.goes(path)
        assert answer.status_code == 403
        assert "Your cases are in the inbox" in said(answer)
    client = asked.lead.client
    await asked.house.signed_in(client, "ana")
    assert (await asked.lead.goes(NPS)).status_code == 200


async def test_nonsense_is_answered_and_what_is_not_there_is_said(asked: Control) -> None:
    for query in (
        "since=yesterday", "score=-1", "score=999999999999999999", f"choice={HOSTILE}", "week=never",
        "week=0001-01-01", "week=9999-12-31", "before=0001-01-01T00:00%2B14:00", "before=9999-12-31T23:59",
        f"journey={HOSTILE}", "all=perhaps&journey=", "choice=%00&journey=%00",
    ):  # fmt: skip
        answer = await asked.lead.goes(f"{NPS}?{query}")
        assert answer.status_code == 200, query
        assert "<script>document" not in answer.text
    for name in ("nope", "%00"):
        missing = await asked.lead.goes(f"/control/survey/{name}")
        assert missing.status_code == 404
        assert "There is no such survey" in said(missing)


async def test_what_is_read_is_found_by_an_index(asked: Control) -> None:
    await rows.answered(asked.house, "would-you-tell", NOW - DAY, score=9, times=20_000)
    await rows.answered(asked.house, "was-it-good", NOW - DAY, score=5, words="x", times=20_000)
    looks, since = SurveyLooks(asked.house.pool), NOW - DAY - timedelta(minutes=9)
    async with asked.house.pool.connection() as connection:
        await connection.execute("analyze answers")
    before = await _scans(asked)

    await looks.surveys()
    await looks.counted("would-you-tell", since, NOW)
    await looks.side_by_side(
        ["would-you-tell", "was-it-good"], since, since + timedelta(minutes=5), NOW
    )
    await looks.who("would-you-tell", since, NOW, score=9.0)
    await looks.who("would-you-tell", since, NOW, choice="x")
    await looks.who("was-it-good", since, NOW, with_words=True)
    await looks.who("would-you-tell", since, NOW, journey="tea")

    assert await _scans(asked) == before


async def _scans(control: Control) -> int:
    """How often all answers were read through so far."""
    async with control.house.pool.connection() as connection:
        await connection.execute("select pg_stat_force_next_flush()")
    [row] = await control.house.rows(
        "select seq_scan from pg_stat_user_tables where relname = 'answers'"
    )
    return row["seq_scan"]
