"""Offers: what a coupon is, and where its codes come from."""

from typing import Annotated, Literal

from pydantic import Field

from journey.language import Model, Slug


class OfferWords(Model):
    """One offer, as it stands under `offers:` in `offers.yaml` beside a journey."""

    offer: Slug
    """Its name."""
    kind: Literal["generated", "pool"] = "generated"
    """Whether each code is made for its customer, or taken from a pool that is loaded."""
    prefix: Annotated[str, Field(max_length=20, pattern=r"^[A-Z0-9-]*$")] = ""
    """What a generated code begins with: capitals, digits and dashes."""
    title: Annotated[str, Field(min_length=1, max_length=200)]
    """What it is, as the customer would say it."""
    owner: Annotated[str, Field(min_length=1, max_length=100)]
    """Who answers for what it costs."""
    about: str = ""
    """More words about it, for staff."""


class OfferFile(Model):
    """The offers of a journey."""

    offers: list[OfferWords] = Field(min_length=1, max_length=200)
    """The offers, each with a dash of its own."""
