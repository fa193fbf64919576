"""What the API is told about the inbox of staff: the OpenID provider by which they may sign in, and second factors."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import SecretStr, model_validator

from journey.staff_roles import LEADING_ROLES
from stores.members import Member
from workers.signing_settings import MasterKeySettings


class InboxSettings(MasterKeySettings):
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
    codec_url: str | None = None
    """Where the page of sealed histories is in the browser, to which staff go from the inbox; none where unset."""
    oidc_amr: list[str] = []
    """Ways to sign in there, one of which the provider must say was used (its claim `amr`): JSON ["mfa"].
    Any where empty: how strongly staff sign in is the provider's then."""
    second_factor: Literal["everybody", "leads", "choice"] = "everybody"
    """Which members who sign in by password must show a second factor: everybody, leads and admins, or whoever
    set one up. Who has one shows it whatever this says."""

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

    def second_factor_demanded(self, member: Member) -> bool:
        """Whether a second factor is asked of this member, who signs in by password."""
        return self.second_factor == "everybody" or (
            self.second_factor == "leads" and member.role in LEADING_ROLES
        )
