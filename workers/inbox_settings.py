"""What the API is told about the inbox of staff: the OpenID provider by which they may sign in."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import SecretStr, model_validator

from workers.process_settings import ProcessSettings


class InboxSettings(ProcessSettings):
    """Settings of the inbox, as a part of those of the API."""

    oidc_issuer: str | None = None
    """OpenID provider by which staff sign in, such as https://login.example.com/realms/house; by password
    alone where unset. It leads back to CLEW_PUBLIC_URL/staff/openid/answer."""
    oidc_client_id: str | None = None
    """What that provider calls us."""
    oidc_client_secret: SecretStr | None = None
    """What we prove that by."""
    oidc_name: str = "single sign-on"
    """What the button says: Sign in with …"""

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        told = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret)
        if any(told) and not all(told):
            raise ValueError(
                "CLEW_OIDC_ISSUER, CLEW_OIDC_CLIENT_ID and CLEW_OIDC_CLIENT_SECRET go together"
            )
        if self.oidc_issuer is not None:
            split = urlsplit(self.oidc_issuer)
            at_home = split.hostname in ("127.0.0.1", "::1", "localhost")
            if split.scheme != "https" and not (split.scheme == "http" and at_home):
                raise ValueError("CLEW_OIDC_ISSUER: begins with https://")
        return self
