"""WhatsApp through Twilio. What becomes of an answer that is lost: see `channels/twilio.py`.

WhatsApp takes words of our own only within 24 hours of what the customer last wrote there; at
other times only a text that it approved before, by its id (HX… at Twilio).
"""

from datetime import timedelta

import orjson

from activities.message_channel import ProviderAnswer, ProviderRefusedError, RenderedMessage
from channels.phone_number import e164
from channels.provider_http import ProviderHttp
from channels.twilio import TwilioAccount, TwilioMessages
from channels.unsubscribe_link import UnsubscribeLinks, Unsubscription
from channels.way_out import with_link

_PREFIX = "whatsapp:"


class WhatsAppChannel:
    """Messages in WhatsApp: free words in a conversation, an approved template outside of one."""

    name = "whatsapp"
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
        """Hand the message to Twilio; the provider's id is its SID.

        Raises: `ProviderRefusedError` (`unreachable`, `suppressed`, `needs_template`),
        `ProviderBusyError`, `UnknownOutcomeError`.
        """
        to = e164(message.address.removeprefix(_PREFIX), self._account.region)
        if to is None:
            raise ProviderRefusedError("is not a phone number", reason="unreachable")
        fields = {**self._words(message), **self._twilio.sender(_PREFIX)}
        return await self._twilio.make(
            message.key, f"{_PREFIX}{to}", fields, to, message.address, message.text
        )

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """Twilio cannot be asked for a key of ours."""
        raise NotImplementedError(f"Twilio cannot say what became of {key}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _words(self, message: RenderedMessage) -> dict[str, str]:
        if message.in_conversation:
            text = message.text.strip()
            if message.purpose == "marketing":
                said = Unsubscription(
                    customer=message.customer, purpose="marketing", channel=self.name
                )
                text = with_link(text, self._links.url(said), message.locale)
            return {"Body": text}
        if message.template is None:
            raise ProviderRefusedError(
                "the customer has not written by WhatsApp for 24 hours, and the message has no"
                " approved template: name one (template: in the message file)",
                reason="needs_template",
            )
        values = orjson.dumps(message.template.values).decode()
        return {"ContentSid": message.template.id, "ContentVariables": values}
