"""The providers whose feedback is taken, as the settings name them."""

import base64

from api.feedback import FeedbackSource
from channels.own_feedback import OwnFeedback
from channels.postmark_feedback import PostmarkFeedback
from channels.sendgrid_feedback import SendGridFeedback
from channels.ses_feedback import SesFeedback
from channels.sns_message import SnsMessages, is_topic
from channels.twilio_feedback import TwilioFeedback
from workers.feedback_settings import FeedbackSettings

_SHORTEST = 16


def feedback_sources(settings: FeedbackSettings) -> dict[str, FeedbackSource]:
    """Providers that may report, by the name in the address. Raises: `ValueError` in words."""
    sources: dict[str, FeedbackSource] = {}
    if settings.ses_topic is not None:
        if not is_topic(settings.ses_topic):
            raise ValueError("CLEW_SES_TOPIC: write arn:aws:sns:region:account:topic")
        sources["ses"] = SesFeedback(SnsMessages([settings.ses_topic]))
    if settings.sendgrid_verification_key is not None:
        try:
            sources["sendgrid"] = SendGridFeedback(settings.sendgrid_verification_key)
        except ValueError as error:
            raise ValueError(f"CLEW_SENDGRID_VERIFICATION_KEY: {error}") from None
    if settings.postmark_feedback_secret is not None:
        secret = settings.postmark_feedback_secret.get_secret_value()
        if len(secret) < _SHORTEST:
            raise ValueError(
                f"CLEW_POSTMARK_FEEDBACK_SECRET: needs {_SHORTEST} characters or more:"
                " openssl rand -hex 32"
            )
        sources["postmark"] = PostmarkFeedback(secret)
    if settings.twilio_auth_token is not None:
        sources["twilio"] = TwilioFeedback(settings.twilio_auth_token.get_secret_value())
    if settings.feedback_secret is not None:
        sources["own"] = OwnFeedback(_key(settings.feedback_secret.get_secret_value()))
    return sources


def _key(told: str) -> bytes:
    try:
        key = base64.b64decode(told.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if len(key) < _SHORTEST:
        raise ValueError("CLEW_FEEDBACK_SECRET: write whsec_ and base64 of 24 random bytes or more")
    return key
