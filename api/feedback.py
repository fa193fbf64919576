"""`POST /feedback/{provider}`: what providers report of messages that they took.

Answers: 200 once it is kept (told again, it counts once; what is about no message of ours is
counted and left), 400 for what is of another shape, 401 for what is not the provider's, 404 for a provider
that is not set up, 413 for what is too large, 503 where it is to be sent again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

import psycopg
import structlog
from fastapi import APIRouter, Request
from psycopg_pool import PoolClosed, PoolTimeout
from starlette.responses import Response

from api.refusals import RefusedRequestError, json_response
from api.request_body import read_body
from channels.feedback_webhook import (
    ForgedFeedbackError,
    UnreadableFeedbackError,
    WebhookRequest,
)
from contracts.delivery_feedback import Feedback
from stores.feedback import TakenFeedback

_AWAY = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed)
_log = structlog.get_logger(__name__)


class FeedbackSource(Protocol):
    """One provider. `largest`: how many bytes it sends at most."""

    @property
    def largest(self) -> int: ...

    async def read(self, request: WebhookRequest) -> list[Feedback]:
        """What is reported.

        Raises: `ForgedFeedbackError`, `UnreadableFeedbackError`; `OSError` where the proof cannot be had now.
        """
        ...


class KeepsFeedback(Protocol):
    """Where feedback is kept."""

    async def take(self, reported: Sequence[Feedback]) -> TakenFeedback: ...


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def feedback_router(
    sources: Mapping[str, FeedbackSource],
    store: KeepsFeedback,
    public_url: str,
    *,
    wall_clock: Callable[[], datetime] = _wall_clock,
) -> APIRouter:
    """The doors for providers. `public_url`: where they reach us, which some of them sign."""
    router = APIRouter(tags=["feedback of providers"])

    @router.post("/feedback/{provider}")
    async def report(provider: str, request: Request) -> Response:
        """Take what a provider reports of messages that we sent by it."""
        try:
            taken = await _take(sources, store, provider, request, public_url, wall_clock())
        except RefusedRequestError as refused:
            _log.warning("feedback_refused", provider=provider[:40], said=refused.message)
            return refused.response()
        _log.info(
            "feedback",
            provider=provider,
            new=taken.new,
            repeated=taken.repeated,
            unknown=taken.unknown,
        )
        return json_response(
            {
                "success": True,
                "new": taken.new,
                "repeated": taken.repeated,
                "unknown": taken.unknown,
            }
        )

    return router


async def _take(
    sources: Mapping[str, FeedbackSource],
    store: KeepsFeedback,
    provider: str,
    request: Request,
    public_url: str,
    now: datetime,
) -> TakenFeedback:
    source = sources.get(provider)
    if source is None:
        said = (
            "feedback of this provider is not set up: give the API process what proves it"
            " (CLEW_SES_TOPIC, CLEW_SENDGRID_VERIFICATION_KEY, CLEW_POSTMARK_FEEDBACK_SECRET,"
            " CLEW_TWILIO_AUTH_TOKEN, or CLEW_FEEDBACK_SECRET for your own programs)"
        )
        raise RefusedRequestError(404, "not_set_up", said)
    asked = WebhookRequest(
        url=_public(request, public_url),
        body=await read_body(request, source.largest),
        now=now,
        headers=dict(request.headers),
    )
    try:
        reported = await source.read(asked)
        return await store.take(reported)
    except ForgedFeedbackError as error:
        raise RefusedRequestError(401, "forged", str(error)) from None
    except UnreadableFeedbackError as error:
        raise RefusedRequestError(400, "unreadable", str(error)) from None
    except _AWAY as error:
        said = "the database is away; nothing was stored, send it again"
        raise RefusedRequestError(503, "unavailable", said, retry_after=5) from error
    except OSError as error:
        said = f"what proves it cannot be had now, send it again: {error}"
        raise RefusedRequestError(503, "unavailable", said, retry_after=5) from error


def _public(request: Request, public_url: str) -> str:
    """The address that the provider called: a proxy tells us another."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{public_url.rstrip('/')}{request.url.path}{query}"
