"""Text messages through Twilio. What becomes of an answer that is lost: see `channels/twilio.py`."""

from datetime import timedelta

from activities.message_channel import ProviderAnswer, ProviderRefusedError, RenderedMessage
from channels.phone_number import e164
from channels.provider_http import ProviderHttp
from channels.sms_length import LONGEST, sms_length
from channels.twilio import TwilioAccount, TwilioMessages
from channels.unsubscribe_link import UnsubscribeLinks, Unsubscription
from channels.way_out import with_link, with_stop


class SmsChannel:
    """Texts to phones. Marketing names the way out: STOP, or a link where nobody can answer."""

    name = "sms"
    provider = "twilio"
    key_window: timedelta | None = None
    looks_up = False

    def __init__(
        self, account: TwilioAccount, links: UnsubscribeLinks, http: ProviderHttp | None = None
    ) -> None:
        self._account, self._links = account, links
        self._http = http or ProviderHttp("Twilio")
        self._twilio = TwilioMessages(account, self._http)

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Hand the text to Twilio; the provider's id is the message's SID.

        Raises: `ProviderRefusedError` (`unreachable`, `suppressed` after STOP, `too_long`),
        `ProviderBusyError`, `UnknownOutcomeError`.
        """
        to = e164(message.address, self._account.region)
        if to is None:
            raise ProviderRefusedError("is not a phone number", reason="unreachable")
        text = self._text(message)
        if len(text) > LONGEST:
            words = f"over {LONGEST:,} characters: {sms_length(text).in_words()}"
            raise ProviderRefusedError(words, reason="too_long")
        fields = {"Body": text, **self._twilio.sender()}
        return await self._twilio.make(message.key, to, fields, message.address, text)

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """Twilio cannot be asked for a key of ours."""
        raise NotImplementedError(f"Twilio cannot say what became of {key}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _text(self, message: RenderedMessage) -> str:
        text = message.text.strip()
        if message.purpose != "marketing":
            return text
        if not self._account.answerable:
            said = Unsubscription(customer=message.customer, purpose="marketing", channel=self.name)
            return with_link(text, self._links.url(said), message.locale)
        return with_stop(text, message.locale)
