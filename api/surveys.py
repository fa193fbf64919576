"""`/s/{page}`: a customer answers what they were asked. No login; the first answer counts.

A GET never changes anything: mail scanners follow links. `?score=9` behind the link fills the score in.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from html import escape
from typing import Protocol
from urllib.parse import parse_qs

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.requests import Request
from starlette.responses import Response

from api.customer_form import refuse_other_sites, words_of
from api.customer_page import Frame, alert, customer_page, refused_page
from api.customer_words import Words
from api.opened_links import OpeningLinks, opening_page
from api.reception import Endpoint, Reception
from api.refusals import RefusedRequestError
from api.request_body import read_body
from channels.opened_link import ClosedLinkError, OpenedLink
from channels.survey_link import SurveyInvitation, SurveyLinks
from journey.survey import MOST_TEXT, SCORES, Survey, group_of
from stores.answers import Answer

_LARGEST_BODY = 64_000
_PATH = "s"
_WITH_WORDS = ("nps", "csat", "ces", "choice")


class Surveys(Protocol):
    """Where the words of surveys are kept."""

    async def survey(self, name: str) -> Survey | None: ...


class Answers(Protocol):
    """Where answers are kept."""

    async def answered(self, ask: str) -> bool: ...
    async def keep(self, answer: Answer) -> bool: ...


class MissingAnswerError(ValueError):
    """The form came back without an answer; the message is the key of what to fill in."""


def surveys_router(
    links: SurveyLinks,
    surveys: Surveys,
    answers: Answers,
    opening: OpeningLinks,
    reception: Reception | None = None,
) -> APIRouter:
    """The page of a survey; with `reception` in the customer's own language, and a way to a person."""
    router = APIRouter(tags=["customers' own pages"])
    opening.add(router, _PATH, links.parts)

    async def found(
        opened: OpenedLink, request: Request
    ) -> tuple[SurveyInvitation, Survey, Frame] | Response:
        invitation = links.of(opened.parts)
        frame = Frame(words=words_of(request))
        if reception is not None:
            customer, entry = invitation.customer, invitation.entry
            frame = await reception.frame(request, customer, ("person",), entry)
            # Two customers may have become one since they were asked.
            now = await reception.whoever(customer)
            invitation = replace(invitation, customer=now or customer)
        survey = await surveys.survey(invitation.survey)
        if survey is None:
            words = frame.words
            closed = f"<p>{words.html('survey.closed.words')}</p>"
            return customer_page(words.say("survey.closed.title"), closed, frame, status=410)
        if await answers.answered(invitation.ask):
            return _thanks(survey, frame)
        return invitation, survey, frame

    async def ask(opened: OpenedLink, request: Request) -> Response:
        """Show the question; change nothing."""
        asked = await found(opened, request)
        if isinstance(asked, Response):
            return asked
        return _form(asked[1], asked[2], {"score": request.query_params.get("score", "")})

    async def answer(opened: OpenedLink, request: Request) -> Response:
        """Take the answer. The first one counts."""
        asked = await found(opened, request)
        if isinstance(asked, Response):
            return asked
        invitation, survey, frame = asked
        try:
            form = parse_qs((await read_body(request, _LARGEST_BODY)).decode(errors="replace"))
        except RefusedRequestError as error:
            return refused_page(frame.words, error)
        filled = {name: values[0] for name, values in form.items()}
        try:
            said = _read(survey, invitation, filled)
        except MissingAnswerError as error:
            return _form(survey, frame, filled, frame.words.say(f"{error}"))
        await answers.keep(said)
        return _thanks(survey, frame)

    for method, serve in (("GET", ask), ("POST", answer)):
        router.add_route(f"/{_PATH}/{{page}}", _at_page(opening, serve), methods=[method])
    return router


def _at_page(
    opening: OpeningLinks, serve: Callable[[OpenedLink, Request], Awaitable[Response]]
) -> Endpoint:
    """The endpoint of the page: for whoever opened it here."""

    async def answered(request: Request) -> Response:
        try:
            if request.method == "POST":
                refuse_other_sites(request)
            opened = opening.opened(request, _PATH)
        except RefusedRequestError as error:
            return refused_page(words_of(request), error)
        except ClosedLinkError:
            return opening_page(request, _PATH, closed=True)
        shown = await serve(opened, request)
        opening.keep(shown, opened)
        return shown

    return answered


def _read(survey: Survey, invitation: SurveyInvitation, form: Mapping[str, str]) -> Answer:
    # A form sends each line break as two characters, and a browser counts it as one.
    words = form.get("words", "").replace("\r\n", "\n").strip()[:MOST_TEXT]
    score, choice = form.get("score", ""), form.get("choice")
    number = int(score) if score.isdecimal() and len(score) < 4 else None
    if survey.type == "choice" and choice not in survey.choices:
        raise MissingAnswerError("survey.missing.choice")
    group = group_of(survey.type, number, choice if survey.type == "choice" else words)
    if group is None:
        missing = "words" if survey.type == "text" else "score"
        raise MissingAnswerError(f"survey.missing.{missing}")
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


def _form(
    survey: Survey, frame: Frame, filled: Mapping[str, str], missing: str = ""
) -> HTMLResponse:
    """The question, with what was filled in before; `missing` says what was not."""
    words = frame.words
    body = f'{alert(missing)}<form method="post">{_question(survey, words, filled)}'
    if survey.comment and survey.type in _WITH_WORDS:
        body += _textarea(survey.comment, filled)
    body += f'<button type="submit">{words.html("survey.send")}</button></form>'
    return customer_page(survey.question, body, frame, status=400 if missing else 200)


def _question(survey: Survey, words: Words, filled: Mapping[str, str]) -> str:
    if survey.type == "text":
        return _textarea(words.say("survey.own_words"), filled, required=True)
    if survey.type == "choice":
        legend = words.html("survey.choose")
        return _fieldset(legend, "choice", survey.choices, filled)
    lowest, highest = SCORES[survey.type]
    low = f"{lowest} = {escape(survey.low)}" if survey.low else ""
    high = f"{highest} = {escape(survey.high)}" if survey.high else ""
    ends = f'<div class="ends"><span>{low}</span><span>{high}</span></div>' if low or high else ""
    scores = {f"{score}": f"{score}" for score in range(lowest, highest + 1)}
    legend = words.html("survey.scale", lowest=lowest, highest=highest)
    return _fieldset(legend, "score", scores, filled, ends)


def _fieldset(
    legend: str, name: str, offered: Mapping[str, str], filled: Mapping[str, str], ends: str = ""
) -> str:
    """Choose one of these. Numbers stand beside each other, eleven of them in two rows on a phone."""
    radios = "".join(
        f'<label><input type="radio" name="{name}" value="{escape(value)}" required'
        f"{' checked' if filled.get(name) == value else ''}><span>{escape(words)}</span></label>"
        for value, words in offered.items()
    )
    layout = "in-words" if name == "choice" else f"of-{len(offered)}"
    return (
        f"<fieldset><legend>{legend}</legend>"
        f'<div class="scale {layout}">{radios}</div>{ends}</fieldset>'
    )


def _textarea(label: str, filled: Mapping[str, str], *, required: bool = False) -> str:
    # A parser drops the first line break behind the tag, and with it one that the customer wrote.
    return (
        f'<label class="words" for="words">{escape(label)}</label>'
        f'<textarea id="words" name="words" maxlength="{MOST_TEXT}"{" required" if required else ""}>'
        f"\n{escape(filled.get('words', ''))}</textarea>"
    )


def _thanks(survey: Survey, frame: Frame) -> HTMLResponse:
    words = frame.words
    # An author who said nothing of their own has the thanks in every language.
    own = survey.thanks != Survey.model_fields["thanks"].default
    thanks = escape(survey.thanks) if own else words.html("survey.thanks")
    return customer_page(words.say("survey.thanks.title"), f"<p>{thanks}</p>", frame)
