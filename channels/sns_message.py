"""Messages of Amazon SNS, which carries what SES reports and receives: whether they are its own, and of our topic.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate

from channels.feedback_webhook import (
    ForgedFeedbackError,
    UnreadableFeedbackError,
    expect_object,
    instant,
    not_too_old,
    read_json,
    text,
)

OLDEST = timedelta(minutes=75)
"""SNS tries again for an hour, with the time and signature of the first try."""

_HASHES = {"1": SHA1, "2": SHA256}
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]
_HOST = re.compile(r"sns\.([a-z0-9-]{1,40})\.amazonaws\.com(\.cn)?")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{32,64}\.pem")
_TOPIC = re.compile(r"arn:aws(-cn)?:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}")
_MOST_KEPT = 16
_log = structlog.get_logger(__name__)

Fetch = Callable[[str], Awaitable[bytes]]
"""What stands at an address. Raises: `OSError`."""


async def fetch(url: str) -> bytes:
    """Read a page of Amazon's. Raises: `OSError` where it does not answer with success."""
    try:
        async with httpx2.AsyncClient(timeout=5.0, follow_redirects=False) as client:
            response = await client.get(url)
            response.raise_for_status()
            return response.content
    except httpx2.HTTPError as error:
        raise OSError(f"{urlsplit(url).hostname}: {error or type(error).__name__}") from error


class SnsMessages:
    """Checks messages of these topics, which `setting` names.

    Certificates are fetched once, and only from SNS itself.
    """

    def __init__(
        self, topics: Collection[str], fetch: Fetch = fetch, *, setting: str = "CLEW_SES_TOPIC"
    ) -> None:
        self._topics, self._setting = frozenset(topics), setting
        self._fetch = fetch
        self._certificates: dict[str, Certificate] = {}
        self._one_at_a_time = asyncio.Lock()

    async def words(self, message: object, now: datetime) -> str | None:
        """What a notification of ours says; None where SNS speaks of the subscription, which is confirmed then.

        Raises: `ForgedFeedbackError`; `OSError` where SNS cannot be asked now.
        """
        await self.verify(message, now)
        match text(message, "Type"):
            case "SubscriptionConfirmation":
                await self.confirm(message)
                _log.info("topic_subscribed", topic=text(message, "TopicArn"))
                return None
            case "UnsubscribeConfirmation":
                _log.warning("topic_unsubscribed", topic=text(message, "TopicArn"))
                return None
            case _:
                return text(message, "Message")

    async def verify(self, message: object, now: datetime) -> None:
        """Raises: `ForgedFeedbackError`; `OSError` where the certificate cannot be had now."""
        topic, url = text(message, "TopicArn"), text(message, "SigningCertURL")
        if topic not in self._topics:
            raise ForgedFeedbackError(f"it is of another topic than {self._setting} names")
        if not of_sns(url, topic) or not _CERTIFICATE.fullmatch(urlsplit(url).path):
            raise ForgedFeedbackError("SigningCertURL does not lead to SNS in the topic's region")
        hashed = _HASHES.get(text(message, "SignatureVersion"))
        signed = string_to_sign(message)
        if hashed is None or signed is None:
            raise ForgedFeedbackError("Type or SignatureVersion is none that SNS has")
        certificate = await self._certificate(url, now)
        key = certificate.public_key()
        try:
            if not isinstance(key, RSAPublicKey):
                raise ForgedFeedbackError("the certificate is not of the kind that SNS has")
            signature = base64.b64decode(text(message, "Signature"), validate=True)
            # SHA-1 is what SNS signs with unless the topic says otherwise (SignatureVersion 2).
            key.verify(signature, signed, PKCS1v15(), hashed())
        except (InvalidSignature, ValueError):
            raise ForgedFeedbackError("the signature of SNS does not fit") from None
        not_too_old(instant(message, "Timestamp"), now, OLDEST)

    async def confirm(self, message: object) -> None:
        """Tell SNS that we want this topic. Raises: `ForgedFeedbackError`, `OSError`."""
        url = text(message, "SubscribeURL")
        if not of_sns(url, text(message, "TopicArn")):
            raise ForgedFeedbackError("SubscribeURL does not lead to SNS in the topic's region")
        await self._fetch(url)

    async def _certificate(self, url: str, now: datetime) -> Certificate:
        async with self._one_at_a_time:
            certificate = self._certificates.get(url)
            if certificate is None:
                try:
                    certificate = load_pem_x509_certificate(await self._fetch(url))
                except ValueError:
                    raise ForgedFeedbackError("at SigningCertURL is no certificate") from None
                while len(self._certificates) >= _MOST_KEPT:
                    del self._certificates[next(iter(self._certificates))]
                self._certificates[url] = certificate
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise ForgedFeedbackError("the certificate at SigningCertURL has run out")
        return certificate


class SnsNotifications:
    """What is in the notifications of a topic, as JSON."""

    def __init__(self, messages: SnsMessages, wall_clock: Callable[[], datetime]) -> None:
        self._messages, self._wall_clock = messages, wall_clock

    async def notification(self, body: bytes) -> dict[str, Any] | None:
        """What a notification says; None where it is no JSON, or SNS speaks of the subscription.

        Raises: `ValueError` where it is forged or unreadable; `OSError` where SNS cannot be asked now.
        """
        try:
            message = read_json(body)
            expect_object(message, "the body")
            words = await self._messages.words(message, self._wall_clock())
        except (ForgedFeedbackError, UnreadableFeedbackError) as error:
            raise ValueError(str(error)) from None
        try:
            said = read_json((words or "").encode())
        except UnreadableFeedbackError:
            return None  # words that Amazon sends when it is set up, or people by hand
        return cast("dict[str, Any]", said) if isinstance(said, dict) else None


def is_topic(told: str) -> bool:
    """Whether this is the ARN of a topic."""
    return _TOPIC.fullmatch(told) is not None


def of_sns(url: str, topic: str) -> bool:
    """Whether an address is one of SNS itself, over https, in the region of the topic."""
    try:
        parts = urlsplit(url)
        plain = parts.port is None and parts.username is None
    except ValueError:
        return False
    host = _HOST.fullmatch(parts.netloc)
    region = topic.split(":")[3] if topic.count(":") >= 5 else ""
    return parts.scheme == "https" and plain and host is not None and host[1] == region


def string_to_sign(message: object) -> bytes | None:
    """What SNS signs: names and values, a line each; None where it is no kind of message that SNS sends."""
    names = _SIGNED.get(text(message, "Type"))
    if names is None:
        return None
    given = [(name, text(message, name)) for name in names]
    return "".join(
        f"{name}\n{value}\n" for name, value in given if value or name != "Subject"
    ).encode()
