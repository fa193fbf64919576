"""Before a journey is published: what the last four weeks would have been with it, and whether its scenarios hold."""

import asyncio
import re
from datetime import timedelta

import httpx2 as httpx
import pytest

from console.control_source import LONGEST_SOURCE
from insight.tried import MonthOrder, MonthTried, NotTried, StoriesOrder, StoriesTried
from journey.document import MAX_PROBLEMS
from stores.messages import MessageStore
from stores.published import HOUSE, PublishedStore
from tests.integration.control.conftest import Control
from tests.integration.control.control_house import THEN
from tests.integration.control.test_source_page import FILM, SOURCE, editing
from tests.integration.inbox.staff_house import HOSTILE, said
from tests.unit.insight.recordings import TEA, journey
from workers.trials import Trials

CHEAPER = TEA.replace("price >= 2.0", "price >= 0.5")
STORIES = """
scenarios:
  - scenario: A second cup within three days is the goal
    when:
      - {does: Tea Bought, with: {price: 3.0}}
      - after: 1d
      - {does: Tea Bought, with: {price: 3.0}}
    then: {outcome: again, sent: [how-was-it]}
  - scenario: Whoever leaves is told nothing more
    when:
      - {does: Tea Bought, with: {price: 3.0}}
      - {does: Left}
    then: {outcome: again}
"""
CIRCLE = """
language: 1
journey: tea
title: Round and round
owner: shop
enter: {on: Tea Bought}
stages:
  - stage: one
    steps: [{wait: 1m}, {go: two}]
  - stage: two
    steps: [{wait: 1m}, {go: one}]
"""


async def reachable(control: Control) -> None:
    """Every customer has a mail address."""
    async with control.house.pool.connection() as connection:
        await connection.execute(
            "update customers set traits = traits || jsonb_build_object('email', customer || '@tea.example')"
        )


async def has_words(control: Control) -> None:
    await MessageStore(control.house.pool).publish(
        "how-was-it", '---\nsubject: "How was it?"\npurpose: marketing\n---\nTell us.\n'
    )


async def typed(control: Control, **fields: str) -> httpx.Response:
    """What a browser sends: a form of several parts, and lines that end with two bytes."""
    told = {"csrf": control.agent.csrf, **fields}
    parts = {name: (None, each.replace("\n", "\r\n")) for name, each in told.items()}
    return await control.agent.client.post(SOURCE, files=parts, follow_redirects=True)


def figure(words: str, name: str) -> tuple[str, str, str]:
    """Of a line of a table: if published, live, change."""
    found = re.search(rf"{name} ([\d,]+) ([\d,]+) (the same|[+-][\d,]+)", words)
    assert found is not None, (name, words)
    return found[1], found[2], found[3]


async def test_the_page_counts_what_clew_backtest_counts(control: Control) -> None:
    await editing(control)
    await reachable(control)
    played = control.played

    words = said(await control.agent.sends(SOURCE, source=TEA, act="month"))

    runs, customers = f"{played.runs:,}", f"{played.entered:,}"
    sent = f"{played.sent_by['how-was-it', 'email']:,}"
    again = sum(n for (outcome, _, _), n in played.outcomes.items() if outcome == "again")
    assert figure(words, "Customers who enter") == (customers, customers, "the same")
    assert figure(words, "Times that they enter") == (runs, runs, "the same")
    assert figure(words, "how-was-it by email") == (sent, sent, "the same")
    held_out = f"{played.held_out:,}"
    assert figure(words, "how-was-it held out") == (held_out, held_out, "the same")
    assert figure(words, "again the goal") == (f"{again:,}", f"{again:,}", "the same")
    assert "What it cannot know" in words
    assert "played through this source and through the live version" in words
    begins = THEN - timedelta(weeks=4)
    assert f"from {begins:%Y-%m-%d %H:%M} to {THEN:%Y-%m-%d} 12:0" in words


async def test_what_an_edit_changes_stands_beside_what_is_live(control: Control) -> None:
    await editing(control)
    await reachable(control)

    answer = await control.agent.sends(SOURCE, source=CHEAPER, act="month")

    words = said(answer)
    more, now, change = figure(words, "Customers who enter")
    assert (int(now), int(more)) == (control.played.entered, 400)
    assert change == f"+{400 - control.played.entered}"
    assert f'<strong class="differs">{change}</strong>' in answer.text
    assert "price &gt;= 0.5" in answer.text
    assert await control.house.rows("select from audit where did = 'published'") == []
    [live] = await control.house.rows("select version from live_journeys where journey = 'tea'")
    assert live["version"] == control.house.version


async def test_what_customers_and_the_house_do_not_want_is_held_back_with_its_reason(
    control: Control,
) -> None:
    await editing(control)
    await reachable(control)
    told = [
        each["customer"]
        for each in await control.house.rows(
            "select customer from deliveries where state = 'accepted' order by key limit 3"
        )
    ]
    async with control.house.pool.connection() as connection:
        await connection.execute(
            "insert into consents (customer, purpose, channel, given, source, proof)"
            " values (%s, 'marketing', '', false, 'page', 'x')",
            [told[0]],
        )
        await connection.execute(
            "insert into suppressed_addresses (channel, address, reason) values ('email', %s, 'bounced')",
            [f"{told[1]}@tea.example"],
        )
        await connection.execute(
            "update customers set traits = '{}' where customer = %s", [told[2]]
        )

    words = said(await control.agent.sends(SOURCE, source=TEA, act="month"))

    for reason in ("no consent", "nothing may go to that address", "no address"):
        runs, live, change = figure(words, f"how-was-it {reason}")
        assert (int(runs) >= 1, live, change) == (True, runs, "the same")


async def test_the_quiet_hours_of_the_house_and_a_pause_of_the_customer_hold_then_too(
    control: Control,
) -> None:
    await editing(control)
    await reachable(control)
    fleeting = TEA.replace("purpose: marketing", "purpose: marketing, good_for: 1h")
    [whoever] = await control.house.rows(
        "select customer from deliveries where state = 'accepted' order by key limit 1"
    )
    async with control.house.pool.connection() as connection:
        await connection.execute(
            "insert into preferences (customer, paused_until) values (%s, %s)",
            [whoever["customer"], THEN],
        )
    await PublishedStore(control.house.pool).publish(
        "policy",
        HOUSE,
        {"quiet_hours": [{"from": "00:01", "to": "23:59"}], "zone": "Europe/Prague"},
    )

    words = said(await control.agent.sends(SOURCE, source=fleeting, act="month"))

    assert int(figure(words, "how-was-it quiet hours")[0]) > 100
    assert int(figure(words, "how-was-it the customer paused")[0]) >= 1


async def test_a_wrong_source_is_not_played_and_is_kept(control: Control) -> None:
    await editing(control)
    wrong = TEA.replace("until: 3d", "until: 3x")

    for act in ("month", "stories"):
        answer = await control.agent.sends(SOURCE, source=wrong, act=act, scenarios=STORIES)

        words = said(answer)
        assert re.search(r"line \d+, column \d+", words)
        assert "until: 3x" in answer.text
        assert "A second cup within three days" in answer.text
        assert "played through it" not in words
        assert "Its scenarios" not in words


async def test_whoever_may_not_publish_may_try(control: Control) -> None:
    await reachable(control)
    await control.lead.goes(SOURCE)

    answer = await control.lead.sends(SOURCE, source=FILM, act="month")

    assert answer.status_code == 200
    assert "would enter" in said(answer)


async def test_whoever_answers_customers_tries_nothing(control: Control) -> None:
    await control.agent.goes("/staff")
    answer = await control.agent.sends(SOURCE, source=TEA, act="month")

    assert answer.status_code == 403


async def test_each_scenario_is_green_or_red_and_says_what_happened_instead(
    control: Control,
) -> None:
    await editing(control)
    await has_words(control)

    answer = await control.agent.sends(SOURCE, source=FILM, scenarios=STORIES, act="stories")

    words = said(answer)
    assert "1 of 2 do not hold" in words
    assert "✓ holds: A second cup within three days is the goal" in words
    assert "✗ does not hold: Whoever leaves is told nothing more" in words
    line = STORIES[: STORIES.rindex("outcome: again")].count("\n") + 1
    assert re.search(rf"line {line}, column \d+ scenarios\[1\]\.then\.outcome", words)
    assert "expected 'again', it is 'left'" in words
    assert "What happened instead" in words
    assert "finished" in words or "exit" in words
    assert "Whoever leaves is told nothing more" in answer.text
    assert "customer.asked" in answer.text


async def test_a_message_that_cannot_be_put_into_words_fails_its_scenario(control: Control) -> None:
    await editing(control)
    await MessageStore(control.house.pool).publish(
        "how-was-it",
        '---\nsubject: "How was it?"\npurpose: marketing\n---\nDear {{ customer.shoe_size }}\n',
    )

    words = said(await control.agent.sends(SOURCE, source=TEA, scenarios=STORIES, act="stories"))

    assert "2 of 2 do not hold" in words
    assert "how-was-it cannot be put into words" in words


@pytest.mark.parametrize(
    ("stories", "told"),
    [
        ("", "the file is empty"),
        ("[" * 5_000, r"line \d+, column \d+ of the scenarios"),
        ("a: &a [*a, *a]\n" * 50, r"line \d+, column \d+ of the scenarios"),
        (HOSTILE, r"line \d+, column \d+ of the scenarios"),
        (STORIES.replace("after: 1d", "after: 1x"), r"line \d+, column \d+ of the scenarios"),
        (STORIES.replace("A second cup", HOSTILE.replace('"', "'")), "do not hold"),
        (STORIES.replace("after: 1d", "after: 9000 years"), r"line \d+, column \d+|not tried"),
    ],
)
async def test_hostile_scenarios_are_refused_with_their_place_and_run_nothing(
    control: Control, stories: str, told: str
) -> None:
    await editing(control)
    await has_words(control)

    answer = await control.agent.sends(SOURCE, source=TEA, scenarios=stories, act="stories")

    assert answer.status_code == 200
    assert re.search(told, said(answer))
    assert "<script>document" not in answer.text


async def test_a_scenario_that_goes_in_circles_is_ended(control: Control) -> None:
    await editing(control)
    stories = STORIES.replace("after: 1d", "after: 3000d")

    answer = await control.agent.sends(SOURCE, source=CIRCLE, scenarios=stories, act="stories")

    assert "More than 50,000 happenings" in said(answer)


async def test_what_is_too_long_is_kept_and_told_where_it_goes_on(control: Control) -> None:
    await editing(control)
    for source, stories in (("# long\n" * 40_000, ""), (TEA, "# long\n" * 40_000)):
        answer = await typed(control, source=source, scenarios=stories, act="stories")

        assert answer.status_code == 413
        assert re.search(r"line 36572, column 4 ", said(answer))
        assert answer.text.count("# long") >= 40_000


async def test_a_journey_as_long_as_clew_publish_takes_is_edited_and_published(
    control: Control,
) -> None:
    await editing(control)
    fill = "\n" * (LONGEST_SOURCE - len(FILM.encode()))
    whole = await typed(control, source=FILM + fill, act="publish")
    assert whole.status_code == 200
    assert "This is what is live" in said(whole)

    line = "# why this journey is as it is\n"
    longer = TEA.replace("until: 3d", "until: 2d") + line * (100_000 // len(line))
    assert "This is what is live" in said(await typed(control, source=longer, act="publish"))
    assert (await control.agent.goes(SOURCE)).text.count(line) == 100_000 // len(line)


async def test_of_very_many_faults_the_first_are_told(control: Control) -> None:
    await editing(control)
    many = TEA + "".join(f"unknown{number}: 1\n" for number in range(5_000))

    words = said(await typed(control, source=many, act="check"))

    assert 1 <= len(re.findall(r"line \d+, column \d+", words)) <= MAX_PROBLEMS
    assert re.search(r"and [\d,]+ more", words)


async def test_a_member_tries_one_thing_at_a_time_and_nobody_waits_for_them(
    control: Control,
) -> None:
    trials = Trials()
    ends = THEN
    order = MonthOrder(
        url=control.house.url, edited=journey().canonical.decode(), live=None,
        begins=ends - timedelta(weeks=4), ends=ends, received_since=ends - timedelta(weeks=4),
    )  # fmt: skip
    done: list[str] = []

    async def tries(member: str) -> object:
        found = await trials.try_(member, order)
        done.append(f"{member} tried")
        return found

    async def looks() -> None:
        assert (await control.lead.goes("/control")).status_code == 200
        done.append("lena looked")

    first, second, other, third, _ = await asyncio.gather(
        tries("edith"), trials.try_("edith", order), tries("adam"), trials.try_("ann", order), looks()
    )  # fmt: skip

    assert isinstance(second, NotTried)
    assert "You are trying something already" in second.why
    assert isinstance(third, NotTried)
    assert "others are trying something" in third.why
    assert done[0] == "lena looked"
    assert isinstance(first, MonthTried)
    assert isinstance(other, MonthTried)
    assert first == other.model_copy(update={"seconds": first.seconds})
    again = await trials.try_("edith", StoriesOrder(edited=order.edited, stories=STORIES))
    assert isinstance(again, StoriesTried)


async def test_what_takes_too_long_is_ended_and_said(control: Control) -> None:
    order = StoriesOrder(edited=journey().canonical.decode(), stories=STORIES)

    found = await Trials(seconds=0.01).try_("edith", order)

    assert isinstance(found, NotTried)
    assert "It was not done in 0.01 s, and was ended" in found.why
