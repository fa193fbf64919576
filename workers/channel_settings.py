"""Which channels there are beside mail, as the settings name them: each is on where its own are given."""

import json
from typing import Any, Literal, cast

from pydantic import SecretStr, model_validator

from workers.process_settings import ProcessSettings
from workers.slack_settings import SlackSettings


class VapidSettings(ProcessSettings):
    """Who we are to push services of browsers."""

    vapid_key: SecretStr | None = None
    """Turns `webpush` on: the private key by which push services know us (`clew vapid-key` makes a pair)."""
    vapid_contact: str | None = None
    """Whom a push service writes to when something is wrong: mailto:ops@example.com or https://…"""

    def vapid_public(self) -> str | None:
        """What browsers subscribe with; None where web push is off."""
        if self.vapid_key is None:
            return None
        from channels.vapid import VapidKey

        return VapidKey(self.vapid_key.get_secret_value(), self.vapid_contact or "").public

    @model_validator(mode="after")
    def _vapid_usable(self) -> "VapidSettings":
        if self.vapid_key is None:
            return self
        if self.vapid_contact is None or not self.vapid_contact.startswith(("mailto:", "https://")):
            raise ValueError(
                "CLEW_VAPID_CONTACT: with CLEW_VAPID_KEY, write mailto:ops@example.com or https://…"
            )
        # What makes keys is loaded only where one is set.
        from channels.vapid import VapidKey, VapidKeyError

        try:
            VapidKey(self.vapid_key.get_secret_value(), self.vapid_contact)
        except VapidKeyError as error:
            raise ValueError(f"CLEW_VAPID_KEY and CLEW_VAPID_CONTACT: {error}") from None
        return self


class ChannelSettings(VapidSettings, SlackSettings):
    """What channels beside mail are told. Each is on where its own settings are given."""

    phone_region: str | None = None
    """The country of phone numbers without a country code, such as CZ; without one they are not dialled."""
    twilio_account: str | None = None
    """Twilio's account SID (AC…); with a sender below it turns `sms` or `whatsapp` on."""
    twilio_auth_token: SecretStr | None = None
    """The auth token of the account, where no API key signs in."""
    twilio_api_key: str | None = None
    """The SID of an API key (SK…) that signs in instead of the auth token."""
    twilio_api_secret: SecretStr | None = None
    """The secret of CLEW_TWILIO_API_KEY."""
    twilio_sms_from: str | None = None
    """Turns `sms` on: a Messaging Service (MG…), a number, or a name of letters."""
    twilio_whatsapp_from: str | None = None
    """Turns `whatsapp` on: a Messaging Service (MG…), or the number of the WhatsApp sender."""
    twilio_url: str = "https://api.twilio.com"
    """Twilio's API: https://api.dublin.ie1.twilio.com for an account in Ireland."""
    fcm_account: SecretStr | None = None
    """Turns `push` on: the service account as the Firebase console gives it (JSON); best as CLEW_FCM_ACCOUNT_FILE."""
    fcm_url: str = "https://fcm.googleapis.com"
    """FCM's API."""
    fcm_token_url: str | None = None
    """Where access tokens are had, where it is not as the service account says."""
    webhook_secret: SecretStr | None = None
    """Turns `webhook` on: 32 random characters or more, of which each address gets a key of its own
    (`clew webhook-secret URL`)."""
    inbox: Literal["on", "off"] = "off"
    """Turns `inbox` on: the inbox in your own app, served by the API process."""
    calls_hosts: list[str] = []
    """Hosts that addresses of `webhook` and of Apprise's services may lead to, JSON ["hooks.example.com",
    "*.example.org"]; needed where one of them is on. ["*"] is any public one."""
    apprise_services: list[str] = []
    """Turns `apprise` on: the services of Apprise that may be used, JSON ["tgram", "discord"]; needs
    uv sync --extra apprise."""

    @model_validator(mode="after")
    def _channels_usable(self) -> "ChannelSettings":
        self._check_twilio()
        self._check_region()
        if self.fcm_account is not None:
            self.fcm_project()
        if self.webhook_secret is not None and len(self.webhook_secret.get_secret_value()) < 32:
            raise ValueError(
                "CLEW_WEBHOOK_SECRET: needs 32 characters or more: openssl rand -hex 32"
            )
        led = self.webhook_secret is not None or self.apprise_services
        if led and not self.calls_hosts:
            raise ValueError(
                "CLEW_CALLS_HOSTS: name the hosts that webhooks and Apprise's services may be at,"
                ' JSON ["hooks.example.com", "*.example.org"]; ["*"] is any public one'
            )
        return self

    def twilio_login(self) -> tuple[str, str]:
        """User and password at Twilio: the API key where there is one. Raises: `ValueError`."""
        if self.twilio_api_key is not None and self.twilio_api_secret is not None:
            return self.twilio_api_key, self.twilio_api_secret.get_secret_value()
        if self.twilio_account is not None and self.twilio_auth_token is not None:
            return self.twilio_account, self.twilio_auth_token.get_secret_value()
        raise ValueError(
            "CLEW_TWILIO_AUTH_TOKEN: set it, or CLEW_TWILIO_API_KEY and CLEW_TWILIO_API_SECRET"
        )

    def fcm_info(self) -> dict[str, Any]:
        """The service account. Raises: `ValueError`."""
        assert self.fcm_account is not None
        try:
            told: Any = json.loads(self.fcm_account.get_secret_value())
        except ValueError:
            told = None
        if isinstance(told, dict):
            return cast("dict[str, Any]", told)
        raise ValueError("CLEW_FCM_ACCOUNT: write the JSON of a service account")

    def fcm_project(self) -> str:
        """The Firebase project of the service account. Raises: `ValueError`."""
        info = self.fcm_info()
        for name in ("project_id", "client_email", "private_key", "token_uri"):
            if not info.get(name):
                raise ValueError(f"CLEW_FCM_ACCOUNT: the service account has no {name}")
        return str(info["project_id"])

    def _check_twilio(self) -> None:
        senders = (self.twilio_sms_from, self.twilio_whatsapp_from)
        if not any(senders):
            return
        if self.twilio_account is None:
            raise ValueError("CLEW_TWILIO_ACCOUNT: set it, for there is a sender at Twilio")
        self.twilio_login()

    def _check_region(self) -> None:
        if self.phone_region is None:
            return
        from channels.phone_number import is_region

        if not is_region(self.phone_region):
            raise ValueError("CLEW_PHONE_REGION: write the two letters of a country, such as CZ")
