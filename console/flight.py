"""The demo's page: a day of departures as it happens, and the two things one may do to it."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import orjson
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, StreamingResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape
from pydantic import BaseModel
from starlette.middleware.trustedhost import TrustedHostMiddleware

from console.flight_picture import DemoDay, Scene, Stage

PAGE_SECONDS = 0.8
"""A page is told so often at most: it may share the machine with all that it shows."""

_FOLDER = Path(__file__).parent
_ASSET = re.compile(r"flight[a-z-]*\.(js|css)")
_TYPES = {"js": "text/javascript", "css": "text/css"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class CannotDecideError(Exception):
    """The case cannot be decided (so) now; the message says why."""


class DemoActs(Protocol):
    """What one may do on the page."""

    async def decide(self, case: str, decision: str) -> None:
        """Decide a case of the followed passenger. Raises: `CannotDecideError`."""
        ...

    def kill_everything(self) -> bool:
        """Kill every process of the installation; False where there is nothing to kill now."""
        ...


class Decide(BaseModel):
    """A case and the name of an offered decision."""

    case: str
    decision: str


class Done(BaseModel):
    """An order was taken."""

    done: Literal[True] = True


def flight_app(stage: Stage, acts: DemoActs) -> FastAPI:
    """The demo's own small site, apart from the API so that it outlives the kill of everything."""
    app = FastAPI(title="Clew: a day of flights", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
    pages = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"), autoescape=select_autoescape()
    )

    @app.get("/", include_in_schema=False)
    def front() -> RedirectResponse:
        return RedirectResponse("/demo")

    @app.get("/demo", response_class=HTMLResponse)
    def page() -> HTMLResponse:
        return HTMLResponse(pages.get_template("flight.html").render(), headers=_HEADERS)

    @app.get("/demo/static/{name}")
    def asset(name: str) -> FileResponse:
        known = _ASSET.fullmatch(name)
        if known is None or not (_FOLDER / "static" / name).is_file():
            raise HTTPException(404, "no such file")
        return FileResponse(
            _FOLDER / "static" / name, media_type=_TYPES[known.group(1)], headers=_HEADERS
        )

    @app.get("/demo/scenes")
    def scenes() -> StreamingResponse:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_events(stage), media_type="text/event-stream", headers=headers)

    @app.post("/demo/decide")
    async def decide(order: Decide, _: Annotated[None, Depends(_from_this_page)]) -> Done:
        try:
            await acts.decide(order.case, order.decision)
        except CannotDecideError as reason:
            raise HTTPException(409, str(reason)) from reason
        return Done()

    @app.post("/demo/kill")
    async def kill(_: Annotated[None, Depends(_from_this_page)]) -> Done:
        if not acts.kill_everything():
            raise HTTPException(409, "Nothing runs that could be killed now.")
        return Done()

    return app


def _from_this_page(request: Request) -> None:
    """Refuse an order that another site's page gives through the visitor's browser."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host')}"
    if site not in (None, "same-origin") or origin not in (None, own):
        raise HTTPException(403, "Give orders on the page itself.")


async def _events(stage: Stage) -> AsyncIterator[bytes]:
    told: DemoDay | None = None
    last: Scene | None = None
    async for day, scene in stage.scenes():
        if day is not None and day is not told:
            told, last = day, None
            yield _event("day", day)
        yield _event("scene", _news(scene, last))
        last = scene
        await asyncio.sleep(PAGE_SECONDS)


def _news(scene: Scene, last: Scene | None) -> dict[str, Any]:
    """A scene without the flights and mails that this page knows already."""
    known = last.flights if last is not None else ()
    changed = [
        (index, *flight)
        for index, flight in enumerate(scene.flights)
        if index >= len(known) or known[index] != flight
    ]
    whole = {name: getattr(scene, name) for name in scene.__dataclass_fields__}
    return {**whole, "flights": changed}


def _event(name: str, value: object) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(value) + b"\n\n"
