"""Sending touchpoints to the ingest API, as any client of Segment's does."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import httpx2 as httpx
import orjson

from cli.installation import Installation
from cli.output import CommandError

ANSWER_WITHIN_SECONDS = 30.0


class IngestBusyError(Exception):
    """Ingest cannot take it now; the same request may succeed later."""


class IngestClient:
    """One connection to an installation's ingest. Use it as a context."""

    def __init__(self, installation: Installation) -> None:
        self._url = f"{installation.need('api').rstrip('/')}/v1/batch"
        key = installation.need("write_key")
        self._headers = {
            "Authorization": "Basic " + b64encode(f"{key}:".encode()).decode(),
            "Content-Type": "application/json",
        }
        self._http = httpx.AsyncClient(timeout=ANSWER_WITHIN_SECONDS)

    async def __aenter__(self) -> "IngestClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def send(self, messages: Sequence[dict[str, Any]]) -> dict[int, str]:
        """Send a batch; when this returns it is stored, but for those returned with the reason.

        Raises: `IngestBusyError` where it may pass, `CommandError` with ingest's own words where not.
        """
        try:
            answer = await self._http.post(
                self._url, content=orjson.dumps({"batch": list(messages)}), headers=self._headers
            )
        except httpx.TransportError as error:
            raise IngestBusyError(f"{self._url} cannot be reached: {error}") from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise IngestBusyError(f"{self._url} answered {answer.status_code}: {_said(answer)}")
        if answer.status_code != 200:
            raise CommandError(f"Refused ({answer.status_code}): {_said(answer)}")
        refused = answer.json().get("refused", [])
        return {one["index"]: one["reason"] for one in refused}


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:500]
