"""WhatsApp through Twilio. What becomes of an answer that is lost: see `channels/twilio.py`.

WhatsApp takes words of our own only within 24 hours of what the customer last wrote there; at
other times only a text that it approved before, by its id (HX… at Twilio).
"""

import orjson

from activities.message_channel import ProviderAnswer, ProviderRefusedError, RenderedMessage
from channels.twilio import TwilioChannel
from channels.unsubscribe_link import marketing_link
from channels.way_out import with_link

_PREFIX = "whatsapp:"


class WhatsAppChannel(TwilioChannel):
    """Messages in WhatsApp: free words in a conversation, an approved template outside of one."""

    name = "whatsapp"

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Hand the message to Twilio; the provider's id is its SID.

        Raises: `ProviderRefusedError` (`unreachable`, `suppressed`, `needs_template`),
        `ProviderBusyError`, `UnknownOutcomeError`.
        """
        to = self.number(message.address.removeprefix(_PREFIX))
        fields = {**self._words(message), **self._twilio.sender(_PREFIX)}
        return await self._twilio.make(
            message.key, f"{_PREFIX}{to}", fields, to, message.address, message.text
        )

    def _words(self, message: RenderedMessage) -> dict[str, str]:
        if message.in_conversation:
            url = marketing_link(self._links, message, self.name)
            return {"Body": with_link(message.text.strip(), url, message.locale)}
        if message.template is None:
            raise ProviderRefusedError(
                "the customer has not written by WhatsApp for 24 hours, and the message has no"
                " approved template: name one (template: in the message file)",
                reason="needs_template",
            )
        values = orjson.dumps(message.template.values).decode()
        return {"ContentSid": message.template.id, "ContentVariables": values}
