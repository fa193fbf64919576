"""`/d/{page}`: what we hold of a customer and why; to be corrected, taken along, or erased."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from fastapi import APIRouter
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.customer_form import Form, read_form
from api.customer_page import HEADERS, Way, alert, customer_page, told
from api.data_words import Shown, held_in_words, trait_name
from api.person_page import StaffDesk
from api.reception import Reception, Visitor
from api.trait_corrections import CORRECTABLE, WrongTraitError, correctable, corrections
from stores.asked_cases import AskedCase
from stores.customers import UnknownZoneError
from stores.export_files import as_json
from stores.held_data import HeldData

ERASED_WITHIN = timedelta(days=30)
"""By when a person has erased what may be erased: GDPR, article 12 (3), gives a month."""


class HeldDatas(Protocol):
    """Where all that we hold is read."""

    async def of(self, customer: str) -> HeldData | None: ...

    async def export(self, customer: str) -> dict[str, Any] | None: ...


class Corrections(Protocol):
    """Where corrections are kept."""

    async def correct(
        self, customer: str, traits: Mapping[str, JsonValue], *, form: str, at: datetime
    ) -> bool:
        """Raises: `UnknownZoneError`."""
        ...


class Erasures(Protocol):
    """Where requests to be forgotten are kept."""

    async def want_erasure(
        self, customer: str, *, queue: str, answer_by: datetime, at: datetime
    ) -> AskedCase: ...

    async def erasure_of(self, customer: str) -> AskedCase | None: ...


class DataPage:
    """The page and its three forms. `names`: the traits that customers may correct."""

    def __init__(
        self,
        reception: Reception,
        held: HeldDatas,
        kept: Corrections,
        erasures: Erasures,
        desk: StaffDesk,
        names: Sequence[str] = CORRECTABLE,
    ) -> None:
        self._reception, self._held, self._kept = reception, held, kept
        self._erasures, self._desk, self._names = erasures, desk, names

    async def show(self, visitor: Visitor, request: Request) -> Response:
        """Everything, in words."""
        done = request.query_params.get("done", "")
        said = visitor.words.known(f"data.done.{done}", "") if len(done) < 20 else ""
        return await self._page(visitor, told(said) if said else "")

    async def correct(self, visitor: Visitor, request: Request) -> Response:
        """Keep what was corrected."""
        form, words = await read_form(request), visitor.words
        held = await self._held.of(visitor.id)
        traits = {each.name: each.value for each in held.traits} if held else {}
        try:
            changed = corrections(form, correctable(traits, self._names))
            if changed:
                await self._kept.correct(
                    visitor.id, changed, form=secrets.token_hex(16), at=self._reception.now()
                )
        except WrongTraitError as error:
            wrong = words.say(error.key, trait=trait_name(words, error.trait))
            return await self._page(visitor, alert(wrong), form, status=400)
        except UnknownZoneError:
            wrong = words.say("correct.zone", trait=trait_name(words, "zone"))
            return await self._page(visitor, alert(wrong), form, status=400)
        return _back(request, "corrected" if changed else "unchanged")

    async def export(self, visitor: Visitor, request: Request) -> Response:
        """All of it as a file."""
        del request
        everything = await self._held.export(visitor.id) or {}
        said = 'attachment; filename="what-we-hold-about-you.json"'
        return Response(
            as_json({"exported_at": self._reception.now(), **everything}),
            media_type="application/json",
            headers={**HEADERS, "Content-Disposition": said},
        )

    async def erase(self, visitor: Visitor, request: Request) -> Response:
        """Ask that all of it go."""
        form = await read_form(request)
        if form.line("sure", 10) != "yes":
            wrong = alert(visitor.words.say("erase.sure.missing"))
            return await self._page(visitor, wrong, status=400)
        now = self._reception.now()
        await self._erasures.want_erasure(
            visitor.id, queue=self._desk.queue, answer_by=now + ERASED_WITHIN, at=now
        )
        return _back(request, "erasure")

    async def _page(
        self, visitor: Visitor, notice: str, form: Form | None = None, *, status: int = 200
    ) -> Response:
        held = await self._held.of(visitor.id)
        if held is None:  # merged away between two reads
            return customer_page(visitor.words.say("link.broken.title"), "", status=404)
        shown = Shown(
            held=held,
            here=visitor.frame.here,
            names=self._names,
            form=form,
            erasure=await self._erasures.erasure_of(visitor.id),
            ways=self._status_ways(visitor, held),
        )
        body = notice + held_in_words(visitor.words, shown)
        title = visitor.words.say("data.title")
        return customer_page(title, body, visitor.frame, status=status)

    def _status_ways(self, visitor: Visitor, held: HeldData) -> dict[int, Way]:
        """Where each open run of theirs can be followed."""
        customer, said = held.customer.customer, visitor.words.say("data.run.follow")
        return {
            run["entry"]: self._reception.way("status", customer, said, run["entry"])
            for run in held.runs
            if run["state"] == "open"
        }


def data_router(page: DataPage, reception: Reception) -> APIRouter:
    """The page of what we hold."""
    router = APIRouter(tags=["customers' own pages"])
    ways = ("preferences", "person")
    reception.opens(router, "data")
    router.add_route("/d/{page}", reception.page("data", page.show, ways), methods=["GET"])
    for name, serve in (
        ("correct", page.correct),
        ("export", page.export),
        ("erase", page.erase),
    ):
        answered = reception.page("data", serve, ways)
        router.add_route(f"/d/{{page}}/{name}", answered, methods=["POST"])
    return router


def _back(request: Request, done: str) -> Response:
    """To the page itself, so that loading it again sends nothing again."""
    name, language = request.path_params["page"], request.query_params.get("lang")
    chosen = f"&lang={language}" if language in ("en", "de", "fr") else ""
    return RedirectResponse(f"/d/{name}?done={done}{chosen}", status_code=303, headers=HEADERS)
