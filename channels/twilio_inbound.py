"""Text messages and WhatsApp as Twilio hands them over, and the files in them.

https://www.twilio.com/docs/messaging/guides/webhook-request
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape

import httpx2

from channels.mail_words import one_line, readable
from channels.received_file import received_file
from channels.stop_words import Word, word_of_a_text
from contracts.inbound_message import MOST_FILE_BYTES, MOST_TEXT, InboundFile, InboundMessage

MOST_MEDIA = 10
"""What Twilio sends at most."""

FETCHED_WITHIN = 8.0
"""Seconds for all files of a message: Twilio waits 15 for our answer."""

_WHATSAPP = "whatsapp:"
_SID = re.compile(r"[A-Za-z0-9]{10,64}")
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_OPT_OUT: dict[str, Word] = {"STOP": "stop", "START": "start", "HELP": "help"}
_MOST_REDIRECTS = 2


class UnreadableTextError(ValueError):
    """The form is not one of Twilio's about a message; the message says what was expected."""


@dataclass(slots=True, frozen=True, kw_only=True)
class ReceivedText:
    """A message, and where its files are to be fetched."""

    message: InboundMessage
    media: Sequence[str] = ()


def read_text(fields: Mapping[str, str], at: datetime) -> ReceivedText:
    """What somebody wrote. Raises: `UnreadableTextError`."""
    sid = fields.get("MessageSid") or fields.get("SmsMessageSid") or fields.get("SmsSid") or ""
    sender = fields.get("From", "").strip()
    if not _SID.fullmatch(sid) or not sender:
        raise UnreadableTextError("expected the form of a message: MessageSid, From, To, Body")
    channel = "whatsapp" if sender.lower().startswith(_WHATSAPP) else "sms"
    number = one_line(sender[len(_WHATSAPP) :] if channel == "whatsapp" else sender)[:60]
    text = readable(fields.get("Body", ""))[:MOST_TEXT].strip()
    place = [fields[name] for name in ("Address", "Latitude", "Longitude") if fields.get(name)]
    if not text and place:
        text = one_line(", ".join(place))[:500]
    # With Twilio's own handling of STOP on, it says what it understood and did.
    word = _OPT_OUT.get(fields.get("OptOutType", "").upper()) or word_of_a_text(text)
    count = fields.get("NumMedia", "0")
    most = min(int(count), MOST_MEDIA) if count.isdecimal() and len(count) < 4 else 0
    message = InboundMessage(
        reply=f"{channel}-{sid}",
        channel=channel,
        address=number,
        received_at=at,
        sent_to=one_line(fields.get("To", ""))[:60],
        text=text,
        whole=text,
        kind=word or "reply",
        answers=tuple(filter(None, [fields.get("OriginalRepliedMessageSid", "")[:64]])),
        names=(("phone", number),) if _NUMBER.fullmatch(number) else (),
    )
    urls = [fields.get(f"MediaUrl{n}", "") for n in range(most)]
    return ReceivedText(message=message, media=[url for url in urls if url])


def twiml(words: str = "") -> str:
    """What Twilio is answered: send these words back, or nothing."""
    said = "".join(letter for letter in words if letter.isprintable() or letter == "\n")
    inside = f"<Message>{escape(said)}</Message>" if said.strip() else ""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'


class TwilioMedia:
    """Fetches the files of messages: from Twilio only, with our login to its API only.

    Twilio's API sends on to where the file lies; there our login is not told. `hosts` are names
    that files may be fetched from, each with all names below it; the first is the API's own.
    """

    def __init__(
        self,
        account: str,
        token: str,
        *,
        hosts: Sequence[str] = ("api.twilio.com", "twilio.com", "twiliocdn.com"),
        transport: httpx2.AsyncBaseTransport | None = None,
        within: float = FETCHED_WITHIN,
    ) -> None:
        self._login = httpx2.BasicAuth(account, token)
        self._hosts = tuple(host.lower() for host in hosts)
        self._within, self._transport = within, transport

    async def fetch(self, urls: Sequence[str]) -> tuple[list[InboundFile], list[str]]:
        """The files, and why those are missing that could not be fetched."""
        found: list[InboundFile] = []
        missing: list[str] = []
        client = httpx2.AsyncClient(
            timeout=self._within, follow_redirects=False, transport=self._transport
        )
        try:
            async with asyncio.timeout(self._within), client:
                for n, url in enumerate(urls, 1):
                    try:
                        found.append(await self._one(client, url, n))
                    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
                        missing.append(f"file {n}: {str(error)[:200] or type(error).__name__}")
        except TimeoutError:
            missing.append(f"{len(urls) - len(found)} files did not come in time")
        return found, missing

    async def _one(self, client: httpx2.AsyncClient, url: str, n: int) -> InboundFile:
        for _ in range(_MOST_REDIRECTS + 1):
            login = self._login if self._may_login(url) else None
            async with client.stream("GET", url, auth=login) as answer:
                if answer.is_redirect:
                    url = urljoin(url, answer.headers.get("location", ""))
                    continue
                if answer.status_code != 200:
                    raise ValueError(f"the file's place answered {answer.status_code}")
                content = bytearray()
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > MOST_FILE_BYTES:
                        raise ValueError(f"over {MOST_FILE_BYTES:,} bytes")
                told = answer.headers.get("content-type", "").partition(";")[0]
                return received_file(f"file-{n}", told, bytes(content))
        raise ValueError("sent from one place to the next")

    def _may_login(self, url: str) -> bool:
        """Whether our login is for there. Raises: `ValueError` where nothing may be fetched from there."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if parts.scheme != "https" or parts.username or parts.port not in (None, 443):
            raise ValueError("files are fetched by https only")
        if not any(host == known or host.endswith(f".{known}") for known in self._hosts):
            raise ValueError(f"{host[:100]} is none of Twilio's")
        return host == self._hosts[0]
