"""`/v1/problems`: one cause behind many calls: opened, updated, mended, and whom it touches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from fastapi import APIRouter
from pydantic import JsonValue, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.refusals import RefusedRequestError, json_response
from api.request_body import BATCH_BYTES
from api.staff_key import Door, StaffKeyCheck
from api.told_object import bad_request, object_of, read_object_of, text_of, texts_of
from journey.conditions import ConditionError
from journey.language import Slug
from journey.staff_roles import Role
from stores.case_rows import Case
from stores.problem_answers import AnsweredCases
from stores.problems import (
    NewProblem,
    Problem,
    ProblemExistsError,
    ProblemStateError,
    UnknownProblemError,
)

MOST_LISTED = 10_000
"""Customers named in one request; an audience has no such bound."""

OUR_PROPERTIES = frozenset(
    {
        *("problem", "title", "words", "since", "how", "called", "case", "told", "subject", "ask"),
    }
)
"""Properties of its touchpoints that we write ourselves."""

_OPENED = (
    *("problem", "title", "words", "why", "by", "customers", "where", "subject", "journey"),
    *("stage", "queues", "say_at", "properties"),
)
_SLUG = TypeAdapter(Slug)


class Problems(Protocol):
    """Where problems are kept; `stores.problems.ProblemStore` says what each guarantees."""

    async def open(self, new: NewProblem, *, by: str) -> Problem: ...
    async def update(
        self, problem: str, words: str, *, by: str, properties: Mapping[str, JsonValue] | None
    ) -> Problem: ...
    async def mend(self, problem: str, words: str | None, *, by: str) -> Problem: ...
    async def reopen(self, problem: str, words: str, *, by: str) -> Problem: ...
    async def link(
        self, problem: str, customer: str, *, by: str, case: str | None = None
    ) -> Problem: ...
    async def may_touch_more(self, problem: str) -> None: ...
    async def named(self, problem: str) -> Problem | None: ...
    async def problems(self, *, state: str | None) -> list[Problem]: ...
    async def figures(self, problem: Problem) -> dict[str, int]: ...
    async def news(self, problem: str) -> list[dict[str, Any]]: ...


class Answers(Protocol):
    """What answers all cases of a problem; `stores.problem_answers.ProblemAnswers` says what it guarantees."""

    async def answer(
        self,
        problem: str,
        decisions: Sequence[str],
        fields: Mapping[str, JsonValue],
        *,
        by: str,
        note: str = "",
    ) -> AnsweredCases: ...


class Customers(Protocol):
    """Where customers are kept."""

    async def known(self, identity: str) -> str: ...


class Cases(Protocol):
    """Where cases are kept."""

    async def named(self, name: str) -> Case | None: ...


class ProblemDoors:
    """What can be asked of problems."""

    def __init__(
        self, problems: Problems, customers: Customers, cases: Cases, answers: Answers | None
    ) -> None:
        self._problems = problems
        self._answers = answers
        self._customers = customers
        self._cases = cases

    async def several(self, request: Request) -> Response:
        """`?state=open|mended|all`: the newest first."""
        state = request.query_params.get("state", "open")
        if state not in ("open", "mended", "all"):
            raise bad_request("state: expected one of open, mended, all")
        found = await self._problems.problems(state=None if state == "all" else state)
        return json_response({"problems": [asdict(problem) for problem in found]})

    async def one(self, request: Request) -> Response:
        """A problem with its news and its figures."""
        return json_response(await self._told(await self._present(request)))

    async def open(self, request: Request) -> Response:
        """201 once it is open; whom it touches is found and told from then on."""
        told = await read_object_of(request, _OPENED, BATCH_BYTES)
        listed = texts_of(told, "customers", most=MOST_LISTED)
        customers = [await self._customers.known(each) for each in listed]
        new = _new(told, customers)
        if not (customers or new.audience or new.subject or new.journey):
            remedy = "name `customers`, `where`, a `subject`, or a `journey`"
            raise bad_request(f"the problem touches nobody: {remedy}")
        problem = await self._problems.open(new, by=text_of(told, "by", most=200))
        return json_response(asdict(problem), 201)

    async def update(self, request: Request) -> Response:
        """`{"words", "by", "properties"}`: everybody it touches hears the new words."""
        told = await read_object_of(request, ("words", "by", "properties"))
        words, by = text_of(told, "words", most=2_000), text_of(told, "by", most=200)
        name, properties = request.path_params["problem"], _properties(told)
        problem = await self._problems.update(name, words, by=by, properties=properties)
        return json_response(await self._told(problem))

    async def mend(self, request: Request) -> Response:
        """`{"words", "by"}`: everybody it touched hears, once, that it works again."""
        told = await read_object_of(request, ("words", "by"))
        words = text_of(told, "words", most=2_000, default="") or None
        by = text_of(told, "by", most=200)
        problem = await self._problems.mend(request.path_params["problem"], words, by=by)
        return json_response(await self._told(problem))

    async def reopen(self, request: Request) -> Response:
        """`{"words", "by"}`: it was not mended after all."""
        told = await read_object_of(request, ("words", "by"))
        words, by = text_of(told, "words", most=2_000), text_of(told, "by", most=200)
        problem = await self._problems.reopen(request.path_params["problem"], words, by=by)
        return json_response(await self._told(problem))

    async def link(self, request: Request) -> Response:
        """`{"customer" or "case", "by"}`: it touches them too; their case is about it."""
        name = request.path_params["problem"]
        told = await read_object_of(request, ("customer", "case", "by"))
        by, case = text_of(told, "by", most=200), text_of(told, "case", most=1_200, default="")
        if case:
            found = await self._cases.named(case)
            if found is None:
                raise RefusedRequestError(404, "unknown_case", f"there is no case {case[:200]!r}")
            customer, case = found.customer, found.case
        else:
            # Before a customer is known who was not: what is refused leaves nothing behind.
            await self._problems.may_touch_more(name)
            customer = await self._customers.known(text_of(told, "customer", most=320))
        problem = await self._problems.link(name, customer, by=by, case=case or None)
        return json_response(await self._told(problem))

    async def answer(self, request: Request) -> Response:
        """`{"decisions", "fields", "note", "by"}`: every case about it is decided by the first that it offers."""
        if self._answers is None:
            raise RefusedRequestError(404, "unknown_path", "cases are not answered here")
        told = await read_object_of(request, ("decisions", "fields", "note", "by"))
        decisions = texts_of(told, "decisions", most=20, longest=64)
        if not decisions:
            raise bad_request("decisions: name at least one, the one to be preferred first")
        answered = await self._answers.answer(
            request.path_params["problem"],
            decisions,
            object_of(told, "fields"),
            by=text_of(told, "by", most=200),
            note=text_of(told, "note", most=2_000, default=""),
        )
        return json_response(asdict(answered))

    async def _present(self, request: Request) -> Problem:
        name = request.path_params["problem"]
        found = await self._problems.named(name)
        if found is None:
            raise UnknownProblemError(f"there is no problem {name[:200]!r}")
        return found

    async def _told(self, problem: Problem) -> dict[str, Any]:
        figures = await self._problems.figures(problem)
        return {**asdict(problem), **figures, "news": await self._problems.news(problem.problem)}


def problems_router(
    problems: Problems,
    customers: Customers,
    cases: Cases,
    staff: StaffKeyCheck,
    answers: Answers | None = None,
) -> APIRouter:
    """For staff and the programs that watch over what we run."""
    router = APIRouter(tags=["problems"])
    doors = ProblemDoors(problems, customers, cases, answers)

    def add(path: str, door: Door, method: str, at_least: Role | None = None) -> None:
        router.add_route(path, staff.behind(_in_words(door), at_least), methods=[method])

    add("/v1/problems", doors.several, "GET")
    add("/v1/problems", doors.open, "POST", "lead")
    add("/v1/problems/{problem}", doors.one, "GET")
    named: tuple[tuple[str, Callable[[Request], Any]], ...] = (
        ("update", doors.update),
        ("mend", doors.mend),
        ("reopen", doors.reopen),
        ("link", doors.link),
        ("answer", doors.answer),
    )
    for name, door in named:
        add(f"/v1/problems/{{problem}}/{name}", door, "POST", None if name == "link" else "lead")
    return router


def _in_words(door: Door) -> Door:
    async def answer(request: Request) -> Response:
        try:
            return await door(request)
        except UnknownProblemError as error:
            raise RefusedRequestError(404, "unknown_problem", str(error)) from None
        except ProblemExistsError as error:
            raise RefusedRequestError(409, "problem_exists", str(error)) from None
        except ProblemStateError as error:
            raise RefusedRequestError(409, "wrong_state", str(error)) from None
        except ConditionError as error:
            raise bad_request(f"where: {error}") from None

    return answer


def _new(told: dict[str, Any], customers: list[str]) -> NewProblem:
    subject = object_of(told, "subject")
    about = None
    if subject:
        about = (text_of(subject, "kind", most=200), text_of(subject, "id", most=200))
    title = text_of(told, "title", most=200)
    return NewProblem(
        problem=_slug(text_of(told, "problem", most=64), "problem"),
        title=title,
        words=text_of(told, "words", most=2_000, default=title),
        why=text_of(told, "why", most=2_000),
        properties=_properties(told),
        customers=customers,
        audience=text_of(told, "where", most=1_000, default="") or None,
        subject=about,
        journey=text_of(told, "journey", most=64, default="") or None,
        stage=text_of(told, "stage", most=64, default="") or None,
        queues=texts_of(told, "queues", most=20, longest=64),
        places=[_slug(each, "say_at") for each in texts_of(told, "say_at", most=20, longest=64)],
    )


def _properties(told: dict[str, Any]) -> dict[str, JsonValue]:
    properties = object_of(told, "properties")
    for name in properties:
        if name in OUR_PROPERTIES:
            raise bad_request(f"properties.{name}: this is a name of our own; choose another")
    return properties


def _slug(text: str, place: str) -> str:
    try:
        return _SLUG.validate_python(text)
    except ValidationError:
        said = f"{place}: expected a name in lower case with dashes, such as outage-north"
        raise bad_request(said) from None
