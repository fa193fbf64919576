"""`call`: ask another system, over HTTP or through an activity of one's own."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, JsonValue

from journey import conditions
from journey.effects import CallActivity, CallOut, Values
from journey.happenings import Answer, CallAnswer
from journey.language import Block, Identifier, OnFailure, Slug, Step, Value
from journey.state import Thread, Waiting
from journey.turn import Turn

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Call(Step):
    """Call a service by its address, or an activity of one's own by its name; go on with what it says.

    Over HTTP the body is signed (Standard Webhooks) and carries the step's key as its id, so that the
    service can tell a second try from a second call; private addresses are refused unless the settings allow them. What
    is kept of the response is named under `take`; the rest is forgotten. What may pass is tried again for some minutes.
    """

    kind: ClassVar[str] = "call"
    gives: ClassVar[dict[str, str]] = {"status": "the HTTP status of the answer"}

    url: str | None = Field(default=None, max_length=1_000)
    """The address: `https://stock.example.com/reservations`."""
    method: Method = "POST"
    """The HTTP method."""
    query: dict[Identifier, Value] = Field(default={}, max_length=20)
    """What is added to the address: name → CEL."""
    body: dict[Identifier, Value] = Field(default={}, max_length=50)
    """What is sent as JSON: name → CEL."""
    take: dict[Identifier, Value] = Field(default={}, max_length=20)
    """What is kept: name → CEL over `response.status` and `response.body`."""
    activity: str | None = Field(default=None, min_length=1, max_length=200)
    """The name of an activity; it is given one JSON object and answers with one."""
    queue: str | None = Field(default=None, min_length=1, max_length=200)
    """The task queue of that activity's workers."""
    values: dict[Identifier, Value] = Field(default={}, alias="with", max_length=50)
    """What the activity is given: name → CEL."""
    name: Identifier | None = Field(default=None, alias="as")
    """The name under which what came back can be used later."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""
    on_failure: OnFailure = "continue"

    def blocks(self) -> Iterator[Block]:
        if isinstance(self.on_failure, list):
            yield "on_failure", ("on_failure",), self.on_failure

    def in_words(self) -> Iterator[str]:
        yield f"call {self._whom}"
        if self.url is not None:
            yield f"{self.method} {self.url}"
        if self.take:
            yield f"takes {', '.join(self.take)}"

    def way_in_words(self, block: str | None) -> str:
        return "no answer" if block else ""

    def noted(self, block: str | None) -> tuple[str, str] | None:
        return super().noted(block) if block else ("called", "")

    def result(self) -> str | None:
        return self.name

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        return True

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        if (self.url is None) == (self.activity is None):
            yield (), "it calls either an address or an activity", "write url: or activity:"
        if self.url is not None and not _is_address(self.url):
            yield ("url",), f"{self.url!r} is not an address", "write https://host/path"
        if self.activity is not None and self.queue is None:
            yield ("activity",), "nobody knows who carries out the activity", "add queue:"
        for name in ("query", "body", "take"):
            if self.url is None and getattr(self, name):
                yield (name,), f"{name} goes with url", "write with: for an activity"
        if self.activity is None and (self.queue or self.values):
            where = "queue" if self.queue else "with"
            yield (where,), f"{where} goes with activity", "write body: for an address"
        if self.take and self.name is None:
            yield ("take",), "what is taken has no name", "add as:"

    def begin(self, turn: Turn, thread: Thread) -> None:
        n, names = turn.count(), turn.names(thread)

        def worked_out(sources: dict[str, Any]) -> Values:
            return {
                name: self._value(turn, thread, source, names) for name, source in sources.items()
            }

        turn.wait(thread, Waiting("effect", turn.now, n=n))
        if self.activity is not None:
            values = worked_out(self.values)
            asked = CallActivity(n=n, activity=self.activity, queue=self.queue or "", values=values)
            turn.ask(asked, thread)
            return
        take = {name: str(source) for name, source in self.take.items()}
        query, body = worked_out(self.query), worked_out(self.body)
        turn.ask(
            CallOut(n=n, url=self.url or "", method=self.method, query=query, body=body, take=take),
            thread,
        )

    def _value(
        self, turn: Turn, thread: Thread, source: str, names: dict[str, object]
    ) -> JsonValue:
        try:
            return turn.value(source, names)
        except conditions.ConditionError as error:
            turn.note(thread.at, "condition_error", f"{source}: {error}")
            return None

    def answered(self, turn: Turn, thread: Thread, n: int, answer: Answer) -> None:
        if isinstance(answer, CallAnswer) and self.name is not None:
            turn.state.results[self.name] = dict(answer.result)
            turn.changed = True
        turn.note(thread.at, "called", f"{self._whom} answered")
        turn.proceed(thread)

    def failed(self, turn: Turn, thread: Thread, n: int, why: str) -> None:
        turn.fail(thread, n, self.on_failure, f"{self._whom}: {why}")

    @property
    def _whom(self) -> str:
        return self.activity or urlsplit(self.url or "").hostname or "the service"

    def words(self, turn: Turn, thread: Thread) -> str:
        return f"{self._whom} to answer"


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("https", "http") and bool(parts.hostname) and not parts.username
    except ValueError:
        return False
