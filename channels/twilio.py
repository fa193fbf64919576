"""Twilio's REST API, by which text messages and WhatsApp messages go.

Twilio has no idempotency key, and its list of messages does not tell the callback address that a
message was sent with: nothing it can be asked later leads from our key to a message. (The number
and the text do not: two messages may say the same.) So an attempt whose answer is lost stays
unknown until Twilio itself reports on it: the callback carries our mark of the delivery.
Source: https://www.twilio.com/docs/messaging/api/message-resource, https://www.twilio.com/docs/api/errors.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote, urlencode

from activities.message_channel import (
    ProviderAnswer,
    ProviderBusyError,
    ProviderRefusedError,
    UnknownOutcomeError,
)
from channels.phone_number import e164
from channels.provider_http import ProviderHttp, Told, without
from channels.unsubscribe_link import UnsubscribeLinks
from contracts.delivery_mark import delivery_mark

API = "https://api.twilio.com"
"""Elsewhere: https://api.dublin.ie1.twilio.com, https://api.sydney.au1.twilio.com."""

CALLBACK_PATH = "/feedback/twilio"

_UNREACHABLE = frozenset({21211, 21214, 21217, 21421, 21614, 21615, 63003, 63024})
"""No number, none that can get such a message, or nobody there on WhatsApp."""
_NOT_THERE = frozenset({21408, 21612, 63007})
"""We may not send there (yet): permissions of the account, a route, a sender. Ours to mend."""
_SUPPRESSED = frozenset({21610})
"""The customer answered STOP to this sender."""
_BUSY = frozenset(
    {20429, 14107, 20003, 20005, 20006, 20403, 20500, 20503, 21606, 21611, 63018, 63038}
)
"""Too many at once, a full queue, or credentials and senders that are ours to mend."""
_WINDOW = 63016
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")


@dataclass(slots=True, frozen=True, kw_only=True)
class TwilioAccount:
    """Who sends. `user` and `password`: an API key and its secret, or the account and its token.

    `sender`: a Messaging Service (MG…), a number, or a name of letters. `callback_url` is where
    Twilio reports on each message.
    """

    account: str
    user: str
    password: str = field(repr=False)
    sender: str
    callback_url: str
    region: str | None = None
    api: str = API

    @property
    def answerable(self) -> bool:
        """Whether a customer can answer: a name of letters has no number."""
        return bool(_SERVICE.fullmatch(self.sender)) or not any(map(str.isalpha, self.sender))


class TwilioMessages:
    """Makes messages in one account."""

    def __init__(self, account: TwilioAccount, http: ProviderHttp) -> None:
        self._account, self._http = account, http
        self._url = f"{account.api}/2010-04-01/Accounts/{quote(account.account)}/Messages.json"

    async def make(
        self, key: str, to: str, fields: Mapping[str, str], *private: str
    ) -> ProviderAnswer:
        """Send one message; the id is Twilio's. `private` is kept out of the words of an error.

        Raises: `ProviderRefusedError`, `ProviderBusyError`, `UnknownOutcomeError`.
        """
        form = {**fields, "To": to, "StatusCallback": self.callback(key)}
        told = await self._http.post(
            self._url,
            key,
            content=urlencode(form).encode(),
            headers={"content-type": "application/x-www-form-urlencoded"},
            auth=(self._account.user, self._account.password),
        )
        if not told.taken:
            raise self._failed(told, to, *private)
        sid = told.body.get("sid")
        if not isinstance(sid, str) or not sid:
            raise UnknownOutcomeError("Twilio took the message and did not say under which id")
        return ProviderAnswer(provider_id=sid)

    def callback(self, key: str) -> str:
        """Where Twilio reports on the message of a key."""
        return f"{self._account.callback_url}?{urlencode({'delivery': delivery_mark(key)})}"

    def sender(self, prefix: str = "") -> dict[str, str]:
        """The field that says who sends."""
        sender = self._account.sender
        if _SERVICE.fullmatch(sender):
            return {"MessagingServiceSid": sender}
        return {"From": sender if sender.startswith(prefix) else f"{prefix}{sender}"}

    def _failed(self, told: Told, *private: str) -> Exception:
        return failure(told, *private) or self._http.failed(told)


class TwilioChannel:
    """What both ways through Twilio are. What becomes of an answer that is lost: see the top of this file."""

    name: str
    provider = "twilio"
    key_window: timedelta | None = None
    looks_up = False

    def __init__(
        self, account: TwilioAccount, links: UnsubscribeLinks, http: ProviderHttp | None = None
    ) -> None:
        self._account, self._links = account, links
        self._http = http or ProviderHttp("Twilio")
        self._twilio = TwilioMessages(account, self._http)

    def number(self, address: str) -> str:
        """The number in the form that is dialled. Raises: `ProviderRefusedError`."""
        number = e164(address, self._account.region)
        if number is None:
            raise ProviderRefusedError("is not a phone number", reason="unreachable")
        return number

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """Twilio cannot be asked for a key of ours."""
        raise NotImplementedError(f"Twilio cannot say what became of {key}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def failure(told: Told, *private: str) -> Exception | None:
    """What Twilio's own code means; None where it has none that says more than the status."""
    code = told.body.get("code")
    if not isinstance(code, int):
        return None
    words = f"{code} {without(str(told.body.get('message', '')), *private)}".strip()
    if code in _SUPPRESSED:
        return ProviderRefusedError(words, reason="suppressed")
    if code in _UNREACHABLE:
        return ProviderRefusedError(words, reason="unreachable")
    if code == _WINDOW:
        return ProviderRefusedError(
            f"{words}: give the message an approved template (template: in the message file)",
            reason="needs_template",
        )
    if code in _BUSY or told.status == 429:
        pause = told.retry_after or (timedelta(seconds=1) if told.status == 429 else None)
        return ProviderBusyError(words, retry_after=pause)
    if code in _NOT_THERE:
        return ProviderBusyError(f"{words}: mend it at Twilio")
    if 400 <= told.status < 500 and told.status not in (401, 403, 408, 425):
        return ProviderRefusedError(words)
    return None
