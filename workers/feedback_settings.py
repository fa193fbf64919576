"""Whose feedback is taken: a provider whose setting is there may report at /feedback/<its name>."""

from pydantic import SecretStr, model_validator

from workers.process_settings import ProcessSettings


class FeedbackSettings(ProcessSettings):
    """What proves that feedback is a provider's own."""

    ses_topic: str | None = None
    """The topic of SNS through which SES reports (its ARN); a subscription of another is not confirmed."""
    sendgrid_verification_key: str | None = None
    """The verification key of SendGrid's signed Event Webhook."""
    postmark_feedback_secret: SecretStr | None = None
    """What Postmark is told to send as password (https://clew:SECRET@…), or in the header
    X-Feedback-Secret: 16 random characters or more."""
    twilio_account: str | None = None
    """Twilio's account SID, whose files of inbound messages are fetched."""
    twilio_auth_token: SecretStr | None = None
    """The auth token of the Twilio account, with which its callbacks are signed."""
    feedback_secret: SecretStr | None = None
    """Signs what your own programs report at /feedback/own, as Standard Webhooks has it: whsec_ and base64."""

    @model_validator(mode="after")
    def _feedback_usable(self) -> "FeedbackSettings":
        # What reads feedback is loaded only by the process that takes it.
        from workers.feedback_sources import feedback_sources

        feedback_sources(self)
        return self
