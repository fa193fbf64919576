"""The installation's secret, and what is made from it: signatures of links, and the key of keys of history."""

from typing import Literal, Self

from pydantic import SecretStr, field_validator, model_validator

from channels.signed_link import SMALLEST_SECRET
from contracts.sealing import MasterKeys
from workers.process_settings import ProcessSettings


class SecretSettings(ProcessSettings):
    """The secret that every process of an installation shares."""

    secret: SecretStr
    """Signs unsubscribe links and wraps the keys of history: 32 random characters or more, the same
    in every process, kept for ever. Or CLEW_SECRET_FILE names a file that holds it."""

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value().encode()) < SMALLEST_SECRET:
            raise ValueError(f"needs {SMALLEST_SECRET} characters or more: openssl rand -hex 32")
        return secret


class SigningSettings(SecretSettings):
    """What links to customers' own pages are made of."""

    public_url: str
    """Where customers reach the API from outside, such as https://journeys.example.com."""

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            raise ValueError("begins with https:// (or http:// on one machine)")
        return url


class MasterKeySettings(SecretSettings):
    """What wraps keys of customers, and seals secrets that we keep for others (docs/encryption.md)."""

    history_keys: SecretStr | None = None
    """Master keys, the newest first: name:base64 of 32 bytes, comma between. One made from
    CLEW_SECRET where unset. Or CLEW_HISTORY_KEYS_FILE names a file that holds them."""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            self.master_keys()
        except ValueError as error:
            raise ValueError(f"CLEW_HISTORY_KEYS: {error}") from None
        return self

    def master_keys(self) -> MasterKeys:
        """The keys that wrap customers' keys."""
        told = self.history_keys.get_secret_value() if self.history_keys else None
        return MasterKeys.read(told, self.secret.get_secret_value())


class HistorySettings(MasterKeySettings):
    """How what Temporal keeps of runs is sealed (docs/encryption.md)."""

    history_encryption: Literal["on", "off"] = "on"
    """Whether new payloads are sealed; what is sealed already is opened either way."""
