"""What links to customers' own pages are made of."""

from pydantic import SecretStr, field_validator

from channels.signed_link import SMALLEST_SECRET
from workers.process_settings import ProcessSettings


class SigningSettings(ProcessSettings):
    """What links to customers' own pages are made of."""

    secret: SecretStr
    """Signs unsubscribe links: 32 random characters or more, the same in every process, kept for
    ever. Or CLEW_SECRET_FILE names a file that holds it."""
    public_url: str
    """Where customers reach the API from outside, such as https://journeys.example.com."""

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value().encode()) < SMALLEST_SECRET:
            raise ValueError(f"needs {SMALLEST_SECRET} characters or more: openssl rand -hex 32")
        return secret

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            raise ValueError("begins with https:// (or http:// on one machine)")
        return url
