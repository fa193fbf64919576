"""`/s/{token}`: a customer answers what they were asked. No login; the first answer counts.

A GET never changes anything: mail scanners follow links. `?score=9` fills the score in.
"""

from collections.abc import Mapping
from html import escape
from typing import Protocol
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.customer_page import customer_page, invalid_link
from api.refusals import RefusedRequestError
from api.request_body import read_body
from channels.survey_link import InvalidLinkError, SurveyInvitation, SurveyLinks
from journey.survey import MOST_TEXT, SCORES, Survey, group_of
from stores.answers import Answer

_LARGEST_BODY = 64_000
_WITH_WORDS = ("nps", "csat", "ces", "choice")


class Surveys(Protocol):
    """Where the words of surveys are kept."""

    async def survey(self, name: str) -> Survey | None: ...


class Answers(Protocol):
    """Where answers are kept."""

    async def answered(self, ask: str) -> bool: ...
    async def keep(self, answer: Answer) -> bool: ...


class MissingAnswerError(ValueError):
    """The form came back without an answer; the message says what to fill in."""


def surveys_router(links: SurveyLinks, surveys: Surveys, answers: Answers) -> APIRouter:
    """The page of a survey."""
    router = APIRouter(tags=["customers' own pages"])

    async def found(token: str) -> tuple[SurveyInvitation, Survey] | HTMLResponse:
        try:
            invitation = links.read(token)
        except InvalidLinkError as error:
            return invalid_link(error)
        survey = await surveys.survey(invitation.survey)
        if survey is None:
            return customer_page(
                "This question is closed", "<p>Thank you for your time.</p>", status=410
            )
        if await answers.answered(invitation.ask):
            return _thanks(survey)
        return invitation, survey

    @router.get("/s/{token}", response_class=HTMLResponse)
    async def ask(token: str, score: str = "") -> HTMLResponse:
        """Show the question; change nothing."""
        asked = await found(token)
        return asked if isinstance(asked, HTMLResponse) else _form(asked[1], {"score": score})

    @router.post("/s/{token}", response_class=HTMLResponse)
    async def answer(token: str, request: Request) -> HTMLResponse:
        """Take the answer. The first one counts."""
        asked = await found(token)
        if isinstance(asked, HTMLResponse):
            return asked
        invitation, survey = asked
        try:
            form = parse_qs((await read_body(request, _LARGEST_BODY)).decode(errors="replace"))
        except RefusedRequestError as error:
            return customer_page(
                "This cannot be read", f"<p>{escape(error.message)}</p>", status=error.status
            )
        filled = {name: values[0] for name, values in form.items()}
        try:
            said = _read(survey, invitation, filled)
        except MissingAnswerError as error:
            return _form(survey, filled, f"{error}")
        await answers.keep(said)
        return _thanks(survey)

    return router


def _read(survey: Survey, invitation: SurveyInvitation, form: Mapping[str, str]) -> Answer:
    # A form sends each line break as two characters, and a browser counts it as one.
    words = form.get("words", "").replace("\r\n", "\n").strip()[:MOST_TEXT]
    score, choice = form.get("score", ""), form.get("choice")
    number = int(score) if score.isdecimal() and len(score) < 4 else None
    if survey.type == "choice" and choice not in survey.choices:
        raise MissingAnswerError("Please choose one.")
    group = group_of(survey.type, number, choice if survey.type == "choice" else words)
    if group is None:
        raise MissingAnswerError(
            "Please write something." if survey.type == "text" else "Please choose a number."
        )
    return Answer(
        ask=invitation.ask,
        survey=invitation.survey,
        customer=invitation.customer,
        entry=invitation.entry,
        group=group,
        score=number if survey.type in SCORES else None,
        choice=choice if survey.type == "choice" else None,
        words=words,
    )


def _form(survey: Survey, filled: Mapping[str, str], missing: str = "") -> HTMLResponse:
    """The question, with what was filled in before; `missing` says what was not."""
    alert = f'<p role="alert">{escape(missing)}</p>' if missing else ""
    body = f'{alert}<form method="post">{_question(survey, filled)}'
    if survey.comment and survey.type in _WITH_WORDS:
        body += _textarea(survey.comment, filled)
    body += '<button type="submit">Send</button></form>'
    return customer_page(survey.question, body, status=400 if missing else 200)


def _question(survey: Survey, filled: Mapping[str, str]) -> str:
    if survey.type == "text":
        return _textarea("In your own words", filled, required=True)
    if survey.type == "choice":
        return _fieldset("Please choose", "choice", survey.choices, filled)
    lowest, highest = SCORES[survey.type]
    low = f"{lowest} = {escape(survey.low)}" if survey.low else ""
    high = f"{highest} = {escape(survey.high)}" if survey.high else ""
    ends = f'<div class="ends"><span>{low}</span><span>{high}</span></div>' if low or high else ""
    scores = {f"{score}": f"{score}" for score in range(lowest, highest + 1)}
    return _fieldset(f"From {lowest} to {highest}", "score", scores, filled, ends)


def _fieldset(
    legend: str, name: str, offered: Mapping[str, str], filled: Mapping[str, str], ends: str = ""
) -> str:
    """Choose one of these. Numbers stand beside each other, eleven of them in two rows on a phone."""
    radios = "".join(
        f'<label><input type="radio" name="{name}" value="{escape(value)}" required'
        f"{' checked' if filled.get(name) == value else ''}><span>{escape(words)}</span></label>"
        for value, words in offered.items()
    )
    layout, columns = f"of-{len(offered)}", len(offered) if len(offered) < 8 else 6
    if name == "choice":
        layout, columns = "in-words", 1
    return (
        f"<fieldset><legend>{legend}</legend>"
        f'<div class="scale {layout}" style="--columns: {columns}">{radios}</div>{ends}</fieldset>'
    )


def _textarea(label: str, filled: Mapping[str, str], *, required: bool = False) -> str:
    # A parser drops the first line break behind the tag, and with it one that the customer wrote.
    return (
        f'<label class="words" for="words">{escape(label)}</label>'
        f'<textarea id="words" name="words" maxlength="{MOST_TEXT}"{" required" if required else ""}>'
        f"\n{escape(filled.get('words', ''))}</textarea>"
    )


def _thanks(survey: Survey) -> HTMLResponse:
    return customer_page("Thank you", f"<p>{escape(survey.thanks)}</p>")
