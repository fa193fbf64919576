"""E-mail by Postmark (POST /email), service and marketing in streams of their own.

Postmark takes no key, but can be asked for mails by the mark they carry (45 days back), so an attempt
whose answer is lost is looked up before it is sent again. What it shows lags behind: a mail that is not
there is asked for once more, a moment later, before it counts as never taken.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import urlencode, urljoin

import orjson

from activities.message_channel import (
    ProviderAnswer,
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
)
from channels.feedback_webhook import at, text
from channels.mail import MailSender, message_id
from channels.mail_by_api import MailFile, MailParts, mail_api, mail_parts, not_sent
from channels.provider_http import ProviderHttp, Told, without
from channels.unsubscribe_link import UnsubscribeLinks, marketing_link
from contracts.delivery_mark import MARK, delivery_mark

API = "https://api.postmarkapp.com"
LOOK_AGAIN_AFTER = timedelta(seconds=4)

_INACTIVE_RECIPIENT, _INVALID = 406, 300

# https://postmarkapp.com/developer/api/overview#error-codes: token, sender, credits, approval, streams.
_OF_OUR_ACCOUNT = frozenset({10, 400, 401, 402, 405, 412, 413, 1221, 1222, 1224, 1226, 1235})


class PostmarkChannel:
    """Mails through Postmark over a few kept connections."""

    name = "email"
    provider = "postmark"
    key_window: timedelta | None = None
    looks_up = True

    def __init__(
        self,
        token: str,
        sender: MailSender,
        links: UnsubscribeLinks,
        *,
        service_stream: str = "outbound",
        marketing_stream: str = "broadcast",
        url: str = API,
        http: ProviderHttp | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sender, self._links, self._url, self._pause = sender, links, url, pause
        self._streams = {"service": service_stream, "marketing": marketing_stream}
        self._headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "X-Postmark-Server-Token": token,
        }
        self._http = http or mail_api("Postmark")

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Hand the mail over; the provider's id is the mail's Message-ID, which Postmark is told to keep.

        Raises: `ProviderRefusedError` (`suppressed` where Postmark sends this address nothing any
        more), `ProviderBusyError` (also where our token or sender is refused), `UnknownOutcomeError`.
        """
        parts = mail_parts(message, self._sender, marketing_link(self._links, message))
        content = orjson.dumps(self._body(message, parts))
        told = await self._http.post(
            urljoin(self._url, "/email"), message.key, content=content, headers=self._headers
        )
        if told.taken and not at(told.body, "ErrorCode"):
            return ProviderAnswer(provider_id=parts.message_id)
        raise not_sent(self._http, told, lambda told: _said_no(told, message.address, parts.to))

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """Whether Postmark took a mail of this key; None where it has none of it, asked twice.

        Raises: `ProviderBusyError` where it cannot be asked now.
        """
        if await self._has(key):
            return self._answer(key)
        await self._pause(LOOK_AGAIN_AFTER.total_seconds())
        return self._answer(key) if await self._has(key) else None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _answer(self, key: str) -> ProviderAnswer:
        return ProviderAnswer(provider_id=message_id(key, self._sender.domain))

    async def _has(self, key: str) -> bool:
        # Whether a search without a stream finds the mails of all is not documented.
        found = [
            await self._has_in(stream, key) for stream in dict.fromkeys(self._streams.values())
        ]
        return any(found)

    async def _has_in(self, stream: str, key: str) -> bool:
        asked = urlencode(
            {
                "count": 1,
                "offset": 0,
                "messagestream": stream,
                f"metadata_{MARK}": delivery_mark(key),
            }
        )
        told = await self._http.ask(
            urljoin(self._url, f"/messages/outbound?{asked}"), headers=self._headers
        )
        found = at(told.body, "TotalCount")
        if told.status != 200 or not isinstance(found, int):
            raise ProviderBusyError(
                f"Postmark cannot be asked: it answered {told.status}",
                retry_after=told.retry_after,
            )
        return found > 0

    def _body(self, message: RenderedMessage, parts: MailParts) -> dict[str, object]:
        # Without it Postmark puts a Message-ID of its own in the place of ours.
        headers = {**parts.headers, "X-PM-KeepID": "true"}
        name = self._sender.name.replace('"', "'")
        body: dict[str, object] = {
            "From": f'"{name}" <{self._sender.address}>' if name else self._sender.address,
            "To": parts.to,
            "Subject": parts.subject,
            "TextBody": parts.text,
            "MessageStream": self._streams[message.purpose],
            "Metadata": {MARK: delivery_mark(message.key)},
            "Headers": [{"Name": name, "Value": value} for name, value in headers.items()],
        }
        if parts.html is not None:
            body["HtmlBody"] = parts.html
        answers_to = self._sender.answers_to(message.key)
        if answers_to:
            body["ReplyTo"] = answers_to
        if parts.files:
            body["Attachments"] = [_attachment(each) for each in parts.files]
        return body


def _attachment(file: MailFile) -> dict[str, str]:
    method = f"; method={file.method}" if file.method else ""
    return {
        "Name": file.name,
        "Content": file.content,
        "ContentType": f"{file.media_type}{method}",
    }


def _said_no(told: Told, *private: str) -> ProviderBusyError | ProviderRefusedError:
    code = at(told.body, "ErrorCode")
    words = without(text(told.body, "Message"), *private) or f"Postmark answered {told.status}"
    if code == _INACTIVE_RECIPIENT:
        return ProviderRefusedError(words, reason="suppressed")
    if code in _OF_OUR_ACCOUNT or told.status in (401, 403) or "'From'" in words:
        return ProviderBusyError(f"Postmark does not take our mail: {words}")
    if code == _INVALID:
        return ProviderRefusedError(words, reason="unreachable")
    return ProviderRefusedError(words)
