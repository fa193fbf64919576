"""Text messages through Twilio. What becomes of an answer that is lost: see `channels/twilio.py`."""

from activities.message_channel import ProviderAnswer, ProviderRefusedError, RenderedMessage
from channels.sms_length import LONGEST, sms_length
from channels.twilio import TwilioChannel
from channels.unsubscribe_link import marketing_link
from channels.way_out import with_link, with_stop


class SmsChannel(TwilioChannel):
    """Texts to phones. Marketing names the way out: STOP, or a link where nobody can answer."""

    name = "sms"

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Hand the text to Twilio; the provider's id is the message's SID.

        Raises: `ProviderRefusedError` (`unreachable`, `suppressed` after STOP, `too_long`),
        `ProviderBusyError`, `UnknownOutcomeError`.
        """
        to = self.number(message.address)
        text = self._text(message)
        if len(text) > LONGEST:
            words = f"over {LONGEST:,} characters: {sms_length(text).in_words()}"
            raise ProviderRefusedError(words, reason="too_long")
        fields = {"Body": text, **self._twilio.sender()}
        return await self._twilio.make(message.key, to, fields, message.address, text)

    def _text(self, message: RenderedMessage) -> str:
        text = message.text.strip()
        if message.purpose != "marketing":
            return text
        if not self._account.answerable:
            url = marketing_link(self._links, message, self.name)
            return with_link(text, url, message.locale)
        return with_stop(text, message.locale)
