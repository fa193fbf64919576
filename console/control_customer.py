"""One customer: where each run stands and what it waits for, and everything on one line of time, with the reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import orjson
from starlette.responses import Response

from console.control_door import control_page, instant_of
from console.inbox_door import CONTROL, InboxDoor, RefusedPageError, Visit, to
from stores.customer_timeline import MOST_LINES, Line
from stores.customers import Customer, NameOfNobodyError
from stores.runs import Run

MOST_RUNS = 50
_SAID_CHARACTERS = 600
_AHEAD = timedelta(days=3_650)  # run time may be ahead of the wall, in rehearsals


class Customers(Protocol):
    """Who has a name."""

    async def find(self, identity: str) -> Customer | None: ...


class Runs(Protocol):
    """Which runs there are."""

    async def runs(self, *, customer: str | None = None, most: int = 100) -> list[Run]: ...


class Timelines(Protocol):
    """What happened; `stores.customer_timeline` says what it guarantees."""

    async def lines(
        self, customer: str, before: datetime, *, decisions: bool = True, most: int = MOST_LINES
    ) -> list[Line]: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class CustomerPage:
    """The page, and the way to it by any identity. `web_ui`: the page that shows Temporal's own pages."""

    door: InboxDoor
    customers: Customers
    all_runs: Runs
    timelines: Timelines
    now: Callable[[], datetime]
    web_ui: str | None = None
    namespace: str = "default"

    async def find(self, visit: Visit) -> Response:
        """On to whoever has the identity of a form: where a customer is reached stands in no address."""
        asked = visit.form.line("q", 500)
        customer = await self._named(asked) if asked else None
        if customer is not None:
            return to(f"{CONTROL}/customer/{quote(customer.customer, safe='')}")
        values = {"asked": asked}
        return control_page(
            self.door, visit, "control-find.html", values, status=404 if asked else 200
        )

    async def show(self, visit: Visit) -> Response:
        """`?before=` an instant, to leaf on; `?plain=yes` without what runs decided."""
        customer = await self._named(visit.request.path_params["customer"])
        if customer is None:
            raise RefusedPageError(404, "There is no such customer.")
        query = visit.request.query_params
        before = instant_of(query.get("before", "")) or self.now() + _AHEAD
        plain = query.get("plain") == "yes"
        lines = await self.timelines.lines(customer.customer, before, decisions=not plain)
        runs = await self.all_runs.runs(customer=customer.customer, most=MOST_RUNS)
        here = f"{CONTROL}/customer/{quote(customer.customer, safe='')}"
        values: dict[str, Any] = {
            "customer": customer,
            "traits": [(name, _plainly(value)) for name, value in sorted(customer.traits.items())],
            "runs": [
                {"run": run, "in_temporal": self._in_temporal(run)}
                for run in runs
                if run.state != "not_admitted"
            ],
            "lines": [_shown(line) for line in lines],
            "plain": plain,
            "path": here,
            "older": _older(here, lines, plain=plain),
        }
        return control_page(self.door, visit, "control-customer.html", values)

    async def _named(self, identity: str) -> Customer | None:
        try:
            return await self.customers.find(identity)
        except NameOfNobodyError:
            return None

    def _in_temporal(self, run: Run) -> str | None:
        if self.web_ui is None:
            return None
        workflow = quote(run.workflow_id, safe="")
        return f"{self.web_ui.rstrip('/')}/namespaces/{quote(self.namespace, safe='')}/workflows/{workflow}"


def _older(here: str, lines: Sequence[Line], *, plain: bool) -> str | None:
    if len(lines) < MOST_LINES:
        return None
    asked = {"before": lines[-1].at.isoformat(), **({"plain": "yes"} if plain else {})}
    return f"{here}?{urlencode(asked)}"


def _shown(line: Line) -> dict[str, Any]:
    """A line with what came with it; a message with what the customer read."""
    if line.kind == "message":
        return {"line": line, "said": "", "sent": line.said}
    return {"line": line, "said": _said(line), "sent": {}}


def _said(line: Line) -> str:
    return "; ".join(f"{name}: {_plainly(value)}" for name, value in line.said.items())[
        :_SAID_CHARACTERS
    ]


def _plainly(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= _SAID_CHARACTERS else f"{text[: _SAID_CHARACTERS - 1]}…"
