"""The page on which a customer answers: what it shows, what it takes, and what it lets nobody do."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2 as httpx
import pytest
import pytest_asyncio

from api.app import create_app
from api.opened_links import OpeningLinks
from api.surveys import surveys_router
from channels.opened_link import OpenedLinks
from channels.survey_link import SurveyInvitation, SurveyLinks
from channels.unsubscribe_link import UnsubscribeLinks, Unsubscription
from journey.survey import MOST_TEXT, Survey
from stores.answers import AnswerStore
from stores.customers import CustomerStore
from stores.messages import MessageStore
from stores.published import PublishedStore
from tests.integration.api.link_browser import LinkBrowser, token_of
from tests.integration.api.survey_page import SURVEYS, Page
from tests.integration.conftest import SURVEYS as LINKS
from tests.integration.conftest import Stack

SECRET = b"a secret of at least 32 characters"
HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&amp;</textarea></title>"
KINDS = list(SURVEYS)


@pytest_asyncio.fixture(scope="module")
async def browser(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """Follows the links of the mails to the page; the words of all surveys are live."""
    published, answers = PublishedStore(stack.pool), AnswerStore(stack.pool, stack.heard.set)
    for survey in SURVEYS.values():
        await publish(stack, survey)
    opening = OpeningLinks(OpenedLinks("https://example.com", SECRET, lambda: datetime.now(UTC)))
    app = create_app(surveys_router(LINKS, published, answers, opening))
    async with LinkBrowser(transport=httpx.ASGITransport(app=app)) as client:
        yield client


async def publish(stack: Stack, survey: Survey) -> None:
    words = survey.model_dump(mode="json")
    await PublishedStore(stack.pool).publish("survey", survey.survey, words)


async def invited(stack: Stack, survey: str, customer: str = "") -> SurveyInvitation:
    """An invitation of a customer of this test's own. Nobody asked in a journey: no run hears the answer."""
    ours = customer or await stack.know(uuid4().hex)
    ask = f"journey/of-the-tests/{ours}:1:{uuid4().hex}"
    return SurveyInvitation(ask=ask, survey=survey, customer=ours, entry=1)


async def kept(stack: Stack, invitation: SurveyInvitation) -> list[dict[str, Any]]:
    """The answers to an invitation, and what each was told as."""
    async with stack.pool.connection() as connection:
        cursor = await connection.execute(
            "select a.customer, a.score, a.choice, a.words, a.answer_group, t.properties"
            " from answers a left join touchpoints t on t.message_id like 'answer/%%'"
            " and t.properties ->> 'ask' = a.ask where a.ask = %s",
            [invitation.ask],
        )
        return await cursor.fetchall()


async def touchpoints(stack: Stack, customer: str) -> int:
    async with stack.pool.connection() as connection:
        cursor = await connection.execute(
            "select count(*) as n from touchpoints where customer = %s", [customer]
        )
        row = await cursor.fetchone()
    assert row is not None
    return row["n"]


# -- what it shows


@pytest.mark.parametrize(
    ("kind", "offered"),
    [
        ("nps", [str(score) for score in range(11)]),
        ("csat", ["1", "2", "3", "4", "5"]),
        ("ces", ["1", "2", "3", "4", "5", "6", "7"]),
        ("choice", ["room", "breakfast", "nothing"]),
        ("text", []),
    ],
)
async def test_each_kind_of_question_has_its_page(
    stack: Stack, browser: httpx.AsyncClient, kind: str, offered: list[str]
) -> None:
    survey = SURVEYS[kind]

    shown = await browser.get(LINKS.url(await invited(stack, survey.survey)))

    page = Page(shown.text)
    assert shown.status_code == 200
    assert page.title == survey.question
    assert list(page.radios) == offered
    assert page.chosen == []
    assert page.radio_names == ({"choice" if kind == "choice" else "score"} if offered else set())
    assert list(page.textareas) == (["words"] if survey.comment or kind == "text" else [])
    assert page.buttons == ["Send"]
    for words in (survey.comment, survey.low, survey.high, *survey.choices.values()):
        assert not words or any(words in said for said in page.words)
    assert not any(said.strip().endswith("=") for said in page.words)


async def test_choices_stand_in_the_order_that_was_published_last(
    stack: Stack, browser: httpx.AsyncClient
) -> None:
    choices = {
        "breakfast-in-bed": "Breakfast",
        "bar": "The bar",
        "zoo": "The zoo",
        "a-walk": "A walk",
    }
    backwards = dict(reversed(choices.items()))
    link = LINKS.url(await invited(stack, "in-order"))
    shown: list[list[str]] = []
    for order in (choices, backwards, choices):
        await publish(
            stack,
            Survey(survey="in-order", type="choice", owner="us", question="What?", choices=order),
        )
        shown.append(list(Page((await browser.get(link)).text).radios))

    assert shown == [list(choices), list(backwards), list(choices)]


@pytest.mark.parametrize("score", range(11))
async def test_the_number_that_was_clicked_in_the_mail_is_filled_in(
    stack: Stack, browser: httpx.AsyncClient, score: int
) -> None:
    invitation = await invited(stack, "stay-nps")

    page = Page((await browser.get(f"{LINKS.url(invitation)}?score={score}")).text)

    assert page.chosen == [f"{score}"]
    assert await kept(stack, invitation) == []


@pytest.mark.parametrize("score", ["", "11", "-1", "9.5", "nine", "%00", "9%22+checked", "<b>"])
async def test_what_is_no_score_is_not_filled_in(
    stack: Stack, browser: httpx.AsyncClient, score: str
) -> None:
    page = Page(
        (await browser.get(f"{LINKS.url(await invited(stack, 'stay-nps'))}?score={score}")).text
    )

    assert page.chosen == []
    assert len(page.radios) == 11


@pytest.mark.parametrize("kind", KINDS)
async def test_following_a_link_changes_nothing_however_often(
    stack: Stack, browser: httpx.AsyncClient, kind: str
) -> None:
    """Scanners of mail programs follow every link of a mail, also with a score in it."""
    invitation = await invited(stack, SURVEYS[kind].survey)
    before = await touchpoints(stack, invitation.customer)

    for method in ("GET", "GET", "HEAD", "OPTIONS", "GET"):
        await browser.request(method, f"{LINKS.url(invitation)}?score=3&choice=room&words=hello")

    assert await kept(stack, invitation) == []
    assert await touchpoints(stack, invitation.customer) == before
    assert Page((await browser.get(LINKS.url(invitation))).text).buttons == ["Send"]


async def test_hostile_words_are_words_wherever_they_stand(
    stack: Stack, browser: httpx.AsyncClient
) -> None:
    words = dict.fromkeys(("question", "low", "high", "comment", "thanks"), HOSTILE)
    nps = Survey(survey="hostile-nps", type="nps", owner="tests", **words)
    choice = Survey(
        survey="hostile-choice",
        type="choice",
        owner="tests",
        question=HOSTILE,
        choices={"a": HOSTILE, "b": "B"},
    )
    pages: list[Page] = []
    for survey in (nps, choice):
        await publish(stack, survey)
        link = LINKS.url(await invited(stack, survey.survey))
        pages += [
            Page((await browser.get(link)).text),
            Page((await browser.post(link, data={"score": HOSTILE, "words": HOSTILE})).text),
            Page((await browser.post(link, data={"score": "9", "choice": "a"})).text),
        ]

    tags = {tag for page in pages for tag in page.tags}
    assert not tags & {"script", "img", "svg", "iframe", "a"}
    assert [page.title for page in pages[:2]] == [HOSTILE, HOSTILE]
    assert pages[1].textareas == {"words": HOSTILE}
    assert pages[2].words[-1] == HOSTILE
    assert HOSTILE in pages[3].words


async def test_no_page_runs_or_loads_or_tells_anything(
    stack: Stack, browser: httpx.AsyncClient
) -> None:
    link = LINKS.url(await invited(stack, "stay-nps"))
    pages = [
        await browser.get(link),
        await browser.post(link, data={}),
        await browser.post(link, data={"score": "9"}),
        await browser.get(link),
        await browser.get(link + "x"),
        await browser.get(LINKS.url(await invited(stack, "never-published"))),
        await browser.post(LINKS.url(await invited(stack, "stay-nps")), content=b"x" * 70_000),
    ]

    assert [page.status_code for page in pages] == [200, 400, 200, 200, 404, 410, 413]
    for page in pages:
        rules = page.headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"} <= set(rules)
        assert not any("script" in rule for rule in rules)
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-robots-tag"] == "noindex"
        assert not {"script", "link", "img"} & set(Page(page.text).tags)


# -- what it takes


@pytest.mark.parametrize(
    ("kind", "said", "told"),
    [
        ("nps", {"score": "10"}, {"score": 10, "group": "promoter"}),
        ("nps", {"score": "0", "words": " No!\r\nNo! "}, {"score": 0, "text": "No!\nNo!"}),
        ("nps", {"score": "7", "choice": "room"}, {"score": 7, "group": "passive", "choice": None}),
        ("csat", {"score": "3"}, {"score": 3, "group": "neutral"}),
        ("ces", {"score": "7"}, {"score": 7, "group": "easy"}),
        ("choice", {"choice": "room", "score": "3"}, {"choice": "room", "group": "room", "score": None}),
        ("text", {"words": "Žluťoučký 🐎"}, {"text": "Žluťoučký 🐎", "group": "answered"}),
        ("text", {"words": "<b>\0"}, {"text": "<b>\ufffd", "group": "answered"}),
        ("text", {"words": "a\r\n" * 2_498 + "end"}, {"text": "a\n" * 2_498 + "end"}),
        ("text", {"words": "x" * 6_000}, {"text": "x" * MOST_TEXT}),
    ],
)  # fmt: skip
async def test_an_answer_is_kept_and_told(
    stack: Stack,
    browser: httpx.AsyncClient,
    kind: str,
    said: dict[str, str],
    told: dict[str, Any],
) -> None:
    survey = SURVEYS[kind]
    invitation = await invited(stack, survey.survey)

    thanked = await browser.post(LINKS.url(invitation), data=said)

    [answer] = await kept(stack, invitation)
    assert thanked.status_code == 200
    assert survey.thanks in Page(thanked.text).words
    assert answer["customer"] == invitation.customer
    assert {name: answer["properties"][name] for name in told} == told


@pytest.mark.parametrize("way", ["one after the other", "at once"])
async def test_the_first_answer_counts(stack: Stack, browser: httpx.AsyncClient, way: str) -> None:
    invitation = await invited(stack, "stay-nps")
    link = LINKS.url(invitation)
    scores = ["9", "2", "10", "2"]

    if way == "at once":
        thanked = await asyncio.gather(
            *(browser.post(link, data={"score": score}) for score in scores)
        )
    else:
        thanked = [await browser.post(link, data={"score": score}) for score in scores]

    [answer] = await kept(stack, invitation)
    assert {page.status_code for page in thanked} == {200}
    assert str(int(answer["score"])) in (scores if way == "at once" else ["9"])
    assert answer["properties"]["score"] == answer["score"]
    again = Page((await browser.get(f"{link}?score=2")).text)
    assert (again.title, again.radios) == ("Thank you", {})


@pytest.mark.parametrize(
    ("kind", "said", "alert"),
    [
        ("nps", {"words": "Nice"}, "Please choose a number."),
        ("nps", {"score": "11", "words": "Nice"}, "Please choose a number."),
        ("nps", {"score": "-1"}, "Please choose a number."),
        ("nps", {"score": "9.5"}, "Please choose a number."),
        ("nps", {"score": "9" * 5_000}, "Please choose a number."),
        ("csat", {"score": "0"}, "Please choose a number."),
        ("ces", {"score": "8"}, "Please choose a number."),
        ("choice", {}, "Please choose one."),
        ("choice", {"choice": "kitchen", "words": "Nice"}, "Please choose one."),
        ("text", {}, "Please write something."),
        ("text", {"words": " \r\n "}, "Please write something."),
    ],
)
async def test_a_form_without_an_answer_comes_back_with_what_is_missing_and_what_was_written(
    stack: Stack,
    browser: httpx.AsyncClient,
    kind: str,
    said: dict[str, str],
    alert: str,
) -> None:
    invitation = await invited(stack, SURVEYS[kind].survey)

    refused = await browser.post(LINKS.url(invitation), data=said)

    page = Page(refused.text)
    assert refused.status_code == 400
    assert page.alert == alert
    assert page.textareas.get("words", "").strip() == said.get("words", "").strip()
    assert page.chosen == []
    assert page.buttons == ["Send"]
    assert await kept(stack, invitation) == []


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00\x01", b'{"score": 9}', b"score[]=9", b"&&==&score=%ff"]
)
async def test_what_is_no_form_is_a_form_without_an_answer(
    stack: Stack, browser: httpx.AsyncClient, content: bytes
) -> None:
    invitation = await invited(stack, "stay-nps")

    refused = await browser.post(LINKS.url(invitation), content=content)

    assert refused.status_code == 400
    assert await kept(stack, invitation) == []


# -- who may


def forged(good: str, invitation: SurveyInvitation) -> dict[str, str]:
    """Links that nobody was given, and what is wrong with each."""
    version, body, signature = good.split(".")
    others = SurveyLinks("https://example.com", b"another secret of 32 characters or more")
    unsubscribe = UnsubscribeLinks("https://example.com", SECRET)
    anna = Unsubscription(customer=invitation.customer, purpose="marketing", channel="email")
    somebody = token_of(LINKS.link(invitation.ask, invitation.survey, "c_somebody", 1))
    return {
        "of another installation": token_of(others.url(invitation)),
        "for another page": unsubscribe.token(anna),
        "of another customer": f"{version}.{somebody.split('.')[1]}.{signature}",
        "of another version": f"2.{body}.{signature}",
        "without its end": good[:-1],
        "with more behind": good + "A",
        "without a signature": f"{version}.{body}.",
        "without a body": f"{version}..{signature}",
        "in two pieces": f"{version}.{body}",
        "in four pieces": good + "." + signature,
        "in other letters": f"{version}.{body}.%C5%BE{signature[1:]}",
        "with bytes": "%ff%00.%f0.%0a",
        "far too long": "1." + "A" * 5_000 + "." + signature,
        "in capitals": good.upper(),
    }


async def test_a_link_that_was_not_made_here_opens_nothing(
    stack: Stack, browser: httpx.AsyncClient
) -> None:
    invitation = await invited(stack, "stay-nps")
    link = LINKS.url(invitation)
    begin, _, good = link.partition("#")
    assert (await browser.get(link)).status_code == 200

    for wrong, token in forged(good, invitation).items():
        for refused in (
            await browser.get(f"{begin}#{token}"),
            await browser.post(f"{begin}#{token}", data={"score": "9"}),
        ):
            assert refused.status_code == 404, wrong
            page = Page(refused.text)
            assert page.title == "This link does not work", wrong
            assert page.buttons == [], wrong
            assert SURVEYS["nps"].question not in refused.text, wrong

    assert await kept(stack, invitation) == []


async def test_a_link_names_nobody(stack: Stack) -> None:
    ours = await stack.know("olga.novak@example.com", email="olga.novak@example.com")

    invitation = await invited(stack, "stay-nps", ours)
    link = LINKS.url(invitation)

    assert LINKS.read(token_of(link)) == invitation
    assert "olga" not in f"{link} {invitation}"


# -- what becomes of it

JOURNEY = """
language: 1
journey: after-{kind}
title: Ask after the stay
owner: service
enter: {{on: Stayed {kind}}}
stages:
  - stage: only
    steps:
      - ask:
          survey: stay-{kind}
          type: {kind}
          as: stay
          purpose: service
          until: 7d
          answers:
            {group}: [{{send: {{message: answered-{kind}, purpose: service}}}}, {{finish: {group}}}]
          late: [{{finish: silent}}]
"""
ANOTHER = "      - finish: another\n"
INVITATION = '---\nsubject: "How was it?"\n---\nTell us: {{ survey.link }}\n'
ANSWERED = '---\nsubject: "You said"\n---\n{{ stay.score }}|{{ stay.choice }}|{{ stay.text }}\n'


@pytest.mark.parametrize(
    ("kind", "group", "said", "trait", "words"),
    [
        ("nps", "promoter", {"score": "9", "words": "Warm bed"}, 9, "9||Warm bed"),
        ("csat", "dissatisfied", {"score": "1"}, 1, "1||"),
        ("ces", "hard", {"score": "2"}, 2, "2||"),
        ("choice", "breakfast", {"choice": "breakfast"}, "breakfast", "|breakfast|"),
        ("text", "answered", {"words": "Cold coffee"}, "Cold coffee", "||Cold coffee"),
    ],
)
async def test_an_answer_on_the_page_picks_the_branch_and_stays_on_the_profile(
    stack: Stack,
    browser: httpx.AsyncClient,
    kind: str,
    group: str,
    said: dict[str, str],
    trait: object,
    words: str,
) -> None:
    await MessageStore(stack.pool).publish(f"stay-{kind}", INVITATION)
    await MessageStore(stack.pool).publish(f"answered-{kind}", ANSWERED)
    others = "" if kind == "text" else ANOTHER
    await stack.publish_text(JOURNEY.format(kind=kind, group=group) + others)
    guest = f"guest-{uuid4().hex}"
    ours = await stack.know(guest, email=f"{guest}@example.com")
    await stack.tell(f"Stayed {kind}", customer=guest)
    run = await stack.run_of(guest)
    await stack.until(lambda: [mail for mail in stack.mails if mail.customer == ours])
    [invitation] = [mail.text for mail in stack.mails if mail.customer == ours]
    link = invitation.removeprefix("Tell us: ").strip()
    assert urlsplit(link).path == "/s"

    asked = Page((await browser.get(link)).text)
    await browser.post(link, data=said)

    assert asked.title == SURVEYS[kind].question
    assert (await stack.outcome(run.workflow_id))["outcome"] == group
    assert [mail.text for mail in stack.mails if mail.customer == ours][1:] == [f"{words}\n"]
    customers = CustomerStore(stack.pool)

    async def remembered() -> bool:
        found = await customers.customer(ours)
        return found is not None and found.traits.get(f"stay_{kind}") == trait

    await stack.until(remembered)
