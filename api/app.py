"""The API as one application; `workers` wires what stands behind it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import psycopg
from fastapi import APIRouter, FastAPI
from fastapi.exception_handlers import http_exception_handler
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from api.answer_headers import AnswerHeaders, away, broken
from api.ingest import Ingest
from api.mended_links import MendedLinks
from api.openapi import openapi_document
from api.refusals import RefusedRequestError, json_response
from stores.customers import NameOfNobodyError

Check = Callable[[], Awaitable[None]]
"""Returns where a part can do its work, and raises where it cannot."""

CHECK_SECONDS = 3.0

_PAGES = ("/staff/", "/control/")
_NO_SUCH_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>No such page</title>'
    '<h1>There is no such page</h1><p>Begin at the <a href="/staff">inbox</a>'
    ' or at <a href="/control">mission control</a>.</p></html>'
)


def create_app(
    *routers: APIRouter,
    ingest: Ingest | None = None,
    checks: Mapping[str, Check] | None = None,
    https: bool = False,
) -> FastAPI:
    """The application: ingest's doors, the given routers, `/healthz` and `/readyz`.

    `https`: browsers are told to come by it only. `checks` are asked by `/readyz`, by the name of what they look at.
    """
    app = FastAPI(title="Clew", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(MendedLinks)
    app.add_middleware(AnswerHeaders, https=https)
    app.add_exception_handler(Exception, broken)
    for cannot in (psycopg.OperationalError, psycopg.InterfaceError):
        app.add_exception_handler(cannot, away)
    app.add_exception_handler(NameOfNobodyError, _nobody)
    app.add_exception_handler(404, _nowhere)
    if ingest is not None:
        app.router.routes.extend(ingest.routes())
    for router in routers:
        app.include_router(router)
    app.add_route("/healthz", _healthy, methods=["GET"], include_in_schema=False)
    app.add_route("/openapi.json", _document, methods=["GET"], include_in_schema=False)
    app.add_route("/readyz", _ready(checks or {}), methods=["GET"], include_in_schema=False)
    # FastAPI folds what is included away; whoever asks what doors there are reads them here.
    app.state.doors = [
        route
        for route in (*app.routes, *(each for router in routers for each in router.routes))
        if isinstance(route, Route)
    ]
    return app


async def _nowhere(request: Request, error: Exception) -> Response:
    """An address that leads nowhere: to people who look at pages, a page. Files of pages are asked for by browsers."""
    assert isinstance(error, HTTPException), "registered for its status"
    path = request.url.path
    if path.startswith(_PAGES) and "/static/" not in path:
        return HTMLResponse(_NO_SUCH_PAGE, 404)
    return await http_exception_handler(request, error)


async def _nobody(request: Request, error: Exception) -> Response:
    del request, error
    said = "the identity is a name of nobody: identities.yaml says which names are"
    return RefusedRequestError(400, "name_of_nobody", said).response()


async def _document(request: Request) -> Response:
    del request
    return json_response(openapi_document())


async def _healthy(request: Request) -> Response:
    del request
    return json_response({"status": "ok"})


def _ready(checks: Mapping[str, Check]) -> Callable[[Request], Awaitable[Response]]:
    async def ready(request: Request) -> Response:
        del request
        said = await asyncio.gather(*map(_ask, checks.values()))
        parts = dict(zip(checks, said, strict=True))
        fine = all(word == "ok" for word in parts.values())
        status = 200 if fine else 503
        return json_response({"status": "ok" if fine else "not ready", "parts": parts}, status)

    return ready


async def _ask(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except TimeoutError:
        return "no answer in time"
    except Exception as error:  # whatever is wrong, it is said
        return str(error).split("\n", 1)[0] or type(error).__name__
    return "ok"
