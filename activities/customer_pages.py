"""The pages of customers, as messages name them: `preferences.link`, `hold.link`, `status.link`, `person.link`."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import JsonValue

NAMES = ("preferences", "hold", "status", "person")


class CustomerPages(Protocol):
    """Where customers find what is theirs."""

    def links(self, customer: str, entry: int) -> Mapping[str, str]:
        """The links of a customer, and of their run, by the name under which a message has them."""
        ...


def page_values(pages: CustomerPages | None, customer: str, entry: int) -> dict[str, JsonValue]:
    """What a message may name of them."""
    if pages is None:
        return {}
    return {name: {"link": link} for name, link in pages.links(customer, entry).items()}


class NoPages:
    """Stands in where messages are put into words and nobody will follow their links."""

    def links(self, customer: str, entry: int) -> Mapping[str, str]:
        """Addresses of nothing."""
        del customer, entry
        return {name: f"https://example.com/{name}" for name in NAMES}
