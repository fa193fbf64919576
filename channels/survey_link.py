"""Links to the page on which a survey is answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from channels.signed_link import InvalidLinkError, SignedLinks


@dataclass(slots=True, frozen=True, kw_only=True)
class SurveyInvitation:
    """Who is asked what: `ask` is the key under which the answer counts once."""

    ask: str
    survey: str
    customer: str
    entry: int


class SurveyLinks:
    """Makes and reads the links of one installation."""

    def __init__(self, base_url: str, secret: bytes) -> None:
        self._links = SignedLinks(base_url, secret, kind="survey", path="s")

    def url(self, invitation: SurveyInvitation) -> str:
        """The link to put in an invitation; `?score=9` behind it fills the score in."""
        said = invitation
        return self._links.url(said.ask, said.survey, said.customer, str(said.entry))

    def link(self, ask: str, survey: str, customer: str, entry: int) -> str:
        """The link for these values."""
        return self.url(SurveyInvitation(ask=ask, survey=survey, customer=customer, entry=entry))

    def read(self, token: str) -> SurveyInvitation:
        """What a token stands for. Raises: `InvalidLinkError`."""
        return self.of(self._links.read(token))

    def parts(self, token: str) -> list[str]:
        """What was signed. Raises: `InvalidLinkError`."""
        parts = self._links.read(token)
        self.of(parts)
        return parts

    def of(self, parts: Sequence[str]) -> SurveyInvitation:
        """What the parts of a token stand for. Raises: `InvalidLinkError`."""
        if len(parts) != 4 or not parts[3].isdecimal():
            raise InvalidLinkError("this link is not complete")
        ask, survey, customer, entry = parts
        return SurveyInvitation(ask=ask, survey=survey, customer=customer, entry=int(entry))
