"""E-mail by Amazon SES (API v2), as the very mail that SMTP would carry.

SES takes no key and cannot be asked about one, so an attempt whose answer is lost stays unknown until
its feedback tells. It puts a Message-ID of its own in the place of ours: that one is the provider's
id, and what a correction answers to.
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import orjson
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from activities.message_channel import (
    ProviderAnswer,
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)
from channels.feedback_webhook import text
from channels.mail import MailSender, build_mail
from channels.mail_by_api import mail_api, not_sent
from channels.provider_http import ProviderHttp, Told, without
from channels.ses_feedback import sent_as
from channels.unsubscribe_link import UnsubscribeLinks, marketing_link
from contracts.delivery_mark import MARK, delivery_mark

# Of our account, not of this message: it goes once that is mended.
_MENDABLE = frozenset(
    {
        *("TooManyRequestsException", "LimitExceededException", "SendingPausedException"),
        *("AccountSuspendedException", "MailFromDomainNotVerifiedException", "NotFoundException"),
        *("ThrottlingException", "AccessDeniedException", "ExpiredTokenException"),
    }
)
_NOT_VERIFIED = "not verified"
_NO_ADDRESS = ("Illegal address", "Missing final", "Local address", "Domain contains", "Missing '")


@dataclass(slots=True, frozen=True, kw_only=True)
class SesAccount:
    """Where and as whom. `credentials` may read a file or ask the machine, and is called in a thread.

    `configuration_set` publishes the feedback; without one SES reports by mail, to the address of
    the delivery where there is one: its domain must be verified at SES, too. `url` is another
    endpoint than the region's own.
    """

    region: str
    credentials: Callable[[], ReadOnlyCredentials]
    configuration_set: str | None = None
    url: str | None = None

    @property
    def endpoint(self) -> str:
        """Where mails are handed over."""
        base = self.url or f"https://email.{self.region}.amazonaws.com"
        return f"{base.rstrip('/')}/v2/email/outbound-emails"


class SesChannel:
    """Mails through SES over a few kept connections."""

    name = "email"
    provider = "ses"
    key_window: timedelta | None = None
    looks_up = False

    def __init__(
        self,
        account: SesAccount,
        sender: MailSender,
        links: UnsubscribeLinks,
        *,
        http: ProviderHttp | None = None,
    ) -> None:
        self._account, self._sender, self._links = account, sender, links
        self._http = http or mail_api("SES")

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Hand the mail over; the provider's id is the Message-ID that it leaves SES with.

        Raises: `ProviderRefusedError`, `ProviderBusyError` (also where our account is paused, our
        domain not verified, our key refused), `UnknownOutcomeError`.
        """
        content = self._body(message)
        signed = await asyncio.to_thread(self._signed, content)
        told = await self._http.post(
            self._account.endpoint, message.key, content=content, headers=signed
        )
        ses_id = text(told.body, "MessageId")
        if told.taken and ses_id:
            return ProviderAnswer(provider_id=sent_as(ses_id, self._account.region))
        if told.taken:
            raise UnknownOutcomeError("SES took the mail and did not say under which id")
        raise not_sent(self._http, told, lambda told: _said_no(told, message.address))

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """SES cannot be asked."""
        raise NotImplementedError(f"SES cannot say what became of {key}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _body(self, message: RenderedMessage) -> bytes:
        mail = build_mail(message, self._sender, marketing_link(self._links, message))
        asked: dict[str, object] = {
            "Content": {"Raw": {"Data": base64.b64encode(mail.as_bytes()).decode()}},
            "Destination": {"ToAddresses": [mail["To"].addresses[0].addr_spec]},
            "FromEmailAddress": self._sender.address,
            "EmailTags": [
                {"Name": MARK, "Value": delivery_mark(message.key)},
                {"Name": "clew_purpose", "Value": message.purpose},
            ],
        }
        returns_to = self._sender.returns_to(message.key)
        if self._account.configuration_set is not None:
            asked["ConfigurationSetName"] = self._account.configuration_set
        elif returns_to != self._sender.address:
            asked["FeedbackForwardingEmailAddress"] = returns_to
        return orjson.dumps(asked)

    def _signed(self, content: bytes) -> dict[str, str]:
        """Headers with a signature over them and the body (AWS Signature Version 4)."""
        request = AWSRequest(
            method="POST",
            url=self._account.endpoint,
            data=content,
            headers={"Content-Type": "application/json"},
        )
        SigV4Auth(self._account.credentials(), "ses", self._account.region).add_auth(request)
        return {str(name): str(value) for name, value in request.headers.items()}


def _said_no(told: Told, *private: str) -> ProviderBusyError | ProviderRefusedError:
    kind = told.headers.get("x-amzn-errortype", "").partition(":")[0]
    said = text(told.body, "message") or text(told.body, "Message")
    words = without(said, *private) or kind
    if kind in _MENDABLE or told.status == 403 or _NOT_VERIFIED in words:
        return ProviderBusyError(f"SES does not take our mail: {kind} {words}".strip())
    if any(each in words for each in _NO_ADDRESS):
        return ProviderRefusedError(words, reason="unreachable")
    return ProviderRefusedError(words)
