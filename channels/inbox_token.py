"""What opens one customer's inbox for some hours: signed, so that nobody makes one for another."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from channels.signed_link import InvalidLinkError, SignedLinks

HOLDS = timedelta(hours=24)


@dataclass(slots=True, frozen=True, kw_only=True)
class InboxToken:
    """A token, the address of the inbox to which it is sent in a header, and until when it opens it."""

    token: str
    url: str
    expires_at: datetime


class InboxTokens:
    """Makes and reads the tokens of one installation."""

    def __init__(self, base_url: str, secret: bytes) -> None:
        self._links = SignedLinks(base_url, secret, kind="inbox", path="inbox")

    def make(self, customer: str, now: datetime, holds: timedelta = HOLDS) -> InboxToken:
        """A token for this customer's inbox."""
        ends = int((now + holds).timestamp())
        token = self._links.token(customer, str(ends))
        return InboxToken(
            token=token,
            url=self._links.page,
            expires_at=datetime.fromtimestamp(ends, UTC),
        )

    def read(self, token: str, now: datetime) -> str:
        """Whose inbox a token opens. Raises: `InvalidLinkError`."""
        parts = self._links.read(token)
        if len(parts) != 2 or not parts[1].isdecimal():
            raise InvalidLinkError("this token is not complete")
        if now.timestamp() >= int(parts[1]):
            raise InvalidLinkError("this token has expired: ask your own server for another")
        return parts[0]
