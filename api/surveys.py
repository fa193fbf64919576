"""`/s/{token}`: a customer answers what they were asked. No login; the first answer counts.

A GET never changes anything: mail scanners follow links. `?score=9` fills the score in.
"""

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
        return asked if isinstance(asked, HTMLResponse) else _form(asked[1], score)

    @router.post("/s/{token}", response_class=HTMLResponse)
    async def answer(token: str, request: Request) -> HTMLResponse:
        """Take the answer. The first one counts."""
        asked = await found(token)
        if isinstance(asked, HTMLResponse):
            return asked
        invitation, survey = asked
        try:
            form = parse_qs((await read_body(request, _LARGEST_BODY)).decode(errors="replace"))
            said = _read(survey, invitation, {name: values[0] for name, values in form.items()})
        except MissingAnswerError as error:
            return _form(survey, "", f"{error}")
        except RefusedRequestError as error:
            return customer_page(
                "This cannot be read", f"<p>{escape(error.message)}</p>", status=error.status
            )
        await answers.keep(said)
        return _thanks(survey)

    return router


def _read(survey: Survey, invitation: SurveyInvitation, form: dict[str, str]) -> Answer:
    words = form.get("words", "").strip()[:MOST_TEXT]
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


def _form(survey: Survey, score: str, missing: str = "") -> HTMLResponse:
    alert = f'<p role="alert"><strong>{escape(missing)}</strong></p>' if missing else ""
    body = f'{alert}<form method="post">{_question(survey, score)}'
    if survey.comment and survey.type in _WITH_WORDS:
        body += (
            f'<p><label for="words">{escape(survey.comment)}</label>'
            f'<textarea id="words" name="words" maxlength="{MOST_TEXT}"></textarea></p>'
        )
    body += '<button type="submit">Send</button></form>'
    return customer_page(survey.question, body, status=400 if missing else 200)


def _question(survey: Survey, score: str) -> str:
    if survey.type == "text":
        return (
            '<p><label for="words">In your own words</label>'
            f'<textarea id="words" name="words" required maxlength="{MOST_TEXT}"></textarea></p>'
        )
    if survey.type == "choice":
        radios = "".join(
            _radio("choice", name, words, checked=False) for name, words in survey.choices.items()
        )
        return (
            f'<fieldset><legend>Please choose</legend><div class="scale">{radios}</div></fieldset>'
        )
    lowest, highest = SCORES[survey.type]
    radios = "".join(
        _radio("score", f"{number}", f"{number}", checked=score == f"{number}")
        for number in range(lowest, highest + 1)
    )
    ends = (
        f'<div class="ends"><span>{lowest} = {escape(survey.low)}</span>'
        f"<span>{highest} = {escape(survey.high)}</span></div>"
        if survey.low or survey.high
        else ""
    )
    legend = f"From {lowest} to {highest}"
    return f'<fieldset><legend>{legend}</legend><div class="scale">{radios}</div>{ends}</fieldset>'


def _radio(name: str, value: str, words: str, *, checked: bool) -> str:
    mark = " checked" if checked else ""
    return (
        f'<label><input type="radio" name="{name}" value="{escape(value)}" required{mark}>'
        f"{escape(words)}</label>"
    )


def _thanks(survey: Survey) -> HTMLResponse:
    return customer_page("Thank you", f"<p>{escape(survey.thanks)}</p>")
