"""What an open page listens to: server-sent events."""

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from console.inbox_door import HEADERS

RETRY_SECONDS = 5
HERE = f"retry: {RETRY_SECONDS * 1000}\n\nevent: here\ndata: {{}}\n\n".encode()
"""The first of them: it listens, and what came before it does well to fetch."""

CHANGED = b"event: changed\ndata: {}\n\n"
QUIET = b":\n\n"
"""Says nothing: whoever left is noticed by writing to them."""


def streaming(told: AsyncIterator[bytes]) -> Response:
    """What is told, as it is."""
    return StreamingResponse(
        told, media_type="text/event-stream", headers={**HEADERS, "X-Accel-Buffering": "no"}
    )


def too_many() -> Response:
    """Nobody more can listen now: come again."""
    return Response(status_code=503, headers={**HEADERS, "Retry-After": f"{RETRY_SECONDS}"})
