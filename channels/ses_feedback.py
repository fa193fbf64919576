"""Amazon SES: events that a configuration set publishes, or notifications of an identity, through SNS.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

from channels.feedback_webhook import (
    UnreadableFeedbackError,
    WebhookRequest,
    at,
    expect_object,
    instant,
    needed,
    read_json,
    text,
)
from channels.sns_message import SnsMessages
from contracts.delivery_feedback import Feedback, Kind
from contracts.delivery_mark import MARK


def sent_as(ses_id: str, region: str) -> str:
    """The Message-ID under which SES sends a mail: it puts its own in the place of ours."""
    domain = "email.amazonses.com" if region == "us-east-1" else f"{region}.amazonses.com"
    return f"<{ses_id}@{domain}>"


class SesFeedback:
    """Reads what SNS brings; a subscription of our topic is confirmed, any other is not."""

    largest = 512_000
    """SNS carries 256 KB, written as text within JSON."""

    def __init__(self, messages: SnsMessages) -> None:
        self._messages = messages

    async def read(self, request: WebhookRequest) -> list[Feedback]:
        """What is reported. Raises: `ForgedFeedbackError`, `UnreadableFeedbackError`, `OSError`."""
        message = read_json(request.body)
        expect_object(message, "the body")
        words = await self._messages.words(message, request.now)
        return [] if words is None else _events(needed(message, "MessageId"), words)


def _events(sns_id: str, words: str) -> list[Feedback]:
    try:
        event = read_json(words.encode())
    except UnreadableFeedbackError:
        return []  # words that SES sends when it is set up, or people by hand
    found = _kind(event)
    if found is None:
        return []
    kind, section, hard, detail = found
    return [
        Feedback(
            event_id=f"ses:{sns_id}",
            kind=kind,
            at=instant(event, *section),
            mark=text(event, "mail", "tags", MARK, 0),
            provider_ids=_ids(event),
            detail=detail,
            hard=hard,
            url=text(event, "click", "link"),
        )
    ]


_Found = tuple[Kind, tuple[str, ...], bool, str]


def _kind(event: object) -> _Found | None:
    """What is reported, where its time stands, whether it is for good, and SES's words."""
    match text(event, "eventType") or text(event, "notificationType"):
        case "Delivery":
            words = text(event, "delivery", "smtpResponse")
            return "delivered", ("delivery", "timestamp"), False, words
        case "Open":
            return "opened", ("open", "timestamp"), False, text(event, "open", "userAgent")
        case "Click":
            return "clicked", ("click", "timestamp"), False, text(event, "click", "userAgent")
        case "Bounce":
            hard = text(event, "bounce", "bounceType") == "Permanent"
            return "bounced", ("bounce", "timestamp"), hard, _bounce(event)
        case "Reject":
            return "bounced", ("mail", "timestamp"), False, text(event, "reject", "reason")
        case "Complaint":
            words = text(event, "complaint", "complaintFeedbackType")
            if words == "not-spam":
                return None  # the customer took it out of the folder of spam
            return "complained", ("complaint", "timestamp"), False, words
        case "Subscription" if _left(event):
            return "unsubscribed", ("subscription", "timestamp"), False, ""
        case _:
            return None


def _left(event: object) -> bool:
    return at(event, "subscription", "newTopicPreferences", "unsubscribeAll") is True


def _bounce(event: object) -> str:
    recipient = ("bounce", "bouncedRecipients", 0)
    words = text(event, *recipient, "diagnosticCode").removeprefix("smtp; ")
    kinds = (text(event, "bounce", "bounceType"), text(event, "bounce", "bounceSubType"))
    return words or " ".join(filter(None, kinds))


def _ids(event: object) -> tuple[str, ...]:
    ses_id, source = text(event, "mail", "messageId"), text(event, "mail", "sourceArn").split(":")
    return (sent_as(ses_id, source[3]),) if ses_id and len(source) > 4 else ()
