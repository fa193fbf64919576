"""E-mail by SendGrid (POST /v3/mail/send).

SendGrid takes no key, and what it shows of past mails comes late and is an extra that is paid for: an
attempt whose answer is lost stays unknown until its feedback tells.
"""

from datetime import timedelta
from urllib.parse import urljoin

import orjson

from activities.message_channel import (
    ProviderAnswer,
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
)
from channels.feedback_webhook import text
from channels.mail import MailSender
from channels.mail_by_api import MailParts, mail_api, mail_parts, not_sent
from channels.provider_http import ProviderHttp, Told, without
from channels.unsubscribe_link import UnsubscribeLinks, marketing_link
from contracts.delivery_mark import MARK, delivery_mark

GLOBAL = "https://api.sendgrid.com"
EUROPE = "https://api.eu.sendgrid.com"

_OF_THE_ADDRESS = "personalizations.0.to"
_OF_OUR_ACCOUNT = (401, 403)


class SendGridChannel:
    """Mails through SendGrid over a few kept connections."""

    name = "email"
    provider = "sendgrid"
    key_window: timedelta | None = None
    looks_up = False

    def __init__(
        self,
        api_key: str,
        sender: MailSender,
        links: UnsubscribeLinks,
        *,
        url: str = GLOBAL,
        http: ProviderHttp | None = None,
    ) -> None:
        self._sender, self._links = sender, links
        self._url = urljoin(url, "/v3/mail/send")
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._http = http or mail_api("SendGrid")

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Hand the mail over; the provider's id is the mail's Message-ID, which SendGrid keeps.

        Raises: `ProviderRefusedError`, `ProviderBusyError` (also where our key or sender is refused),
        `UnknownOutcomeError`.
        """
        parts = mail_parts(message, self._sender, marketing_link(self._links, message))
        content = orjson.dumps(self._body(message, parts))
        told = await self._http.post(self._url, message.key, content=content, headers=self._headers)
        if told.taken:
            return ProviderAnswer(provider_id=parts.message_id)
        raise not_sent(self._http, told, lambda told: _said_no(told, message.address, parts.to))

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """SendGrid cannot be asked."""
        raise NotImplementedError(f"SendGrid cannot say what became of {key}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _body(self, message: RenderedMessage, parts: MailParts) -> dict[str, object]:
        sender = {"email": self._sender.address}
        if self._sender.name:
            sender["name"] = self._sender.name
        content = [{"type": "text/plain", "value": parts.text}]
        if parts.html is not None:
            content.append({"type": "text/html", "value": parts.html})
        body: dict[str, object] = {
            "personalizations": [{"to": [{"email": parts.to}]}],
            "from": sender,
            "subject": parts.subject,
            "content": content,
            "headers": parts.headers,
            "custom_args": {MARK: delivery_mark(message.key)},
            "categories": [message.purpose],
            # Ours is in the mail already, and is the one that we keep the proof of.
            "tracking_settings": {"subscription_tracking": {"enable": False}},
        }
        answers_to = self._sender.answers_to(message.key)
        if answers_to:
            body["reply_to"] = {"email": answers_to}
        if parts.files:
            # A media type with parameters is refused; the method of an invitation stands in the file too.
            body["attachments"] = [
                {
                    "content": each.content,
                    "type": each.media_type,
                    "filename": each.name,
                    "disposition": "attachment",
                }
                for each in parts.files
            ]
        return body


def _said_no(told: Told, *private: str) -> ProviderBusyError | ProviderRefusedError:
    said = text(told.body, "errors", 0, "message")
    words = without(said, *private) or f"SendGrid answered {told.status}"
    if told.status in _OF_OUR_ACCOUNT:
        return ProviderBusyError(f"SendGrid does not take our mail: {words}")
    field = text(told.body, "errors", 0, "field")
    if field.startswith(_OF_THE_ADDRESS):
        return ProviderRefusedError(words, reason="unreachable")
    if field.startswith("from"):
        return ProviderBusyError(f"SendGrid does not take our sender: {words}")
    return ProviderRefusedError(words)
