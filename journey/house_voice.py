"""`messages/house.yaml`: who speaks to customers, and how, in every message."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from journey.document import InvalidDocumentError, read_document
from journey.document_faults import fault_of
from journey.language import Identifier, Model
from journey.message_variant import read_locale

_Short = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


def _locale(text: str) -> str:
    known = read_locale(text)
    if known is None:
        raise ValueError("is not a language such as de or pt-BR (BCP 47)")
    return known


Locale = Annotated[str, AfterValidator(_locale)]
"""A language as BCP 47 writes it."""


class HouseVoice(Model):
    """How this house speaks. Templates read it as `house`; of `greeting` and `signature` they see the words."""

    name: _Short
    """The brand that customers know."""
    signature: Annotated[str, StringConstraints(max_length=2_000)] = ""
    """Who signs. May be a template: `{{ house.name }}`."""
    postal_address: Annotated[str, StringConstraints(max_length=500)] = ""
    """Marketing must name it in many countries; `{{ house.postal_address }}`."""
    email: Annotated[str, StringConstraints(max_length=320)] = ""
    """A mailbox that is read. Who invites, where a message carries an entry for the calendar."""
    locale: Locale | None = None
    """The language of whoever named none."""
    colours: dict[Identifier, Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{3,8}$")]] = (
        Field(default={}, max_length=50)
    )
    never: list[_Short] = Field(default=[], max_length=500)
    """Words that the house does not use."""
    greeting: dict[Locale, _Text] = Field(default={}, max_length=200)
    """How a message begins, by language. May be a template."""
    links: Literal["count"] | None = None
    """`count`: links lead over us, and a click comes back as `Message Clicked`."""


def read_house(source: str, name: str) -> HouseVoice:
    """Read the file. Raises: `InvalidDocumentError` with the place of each fault."""
    document = read_document(source, name)
    try:
        return HouseVoice.model_validate(document.data)
    except ValidationError as error:
        problems = [fault_of(document, told) for told in error.errors()]
        raise InvalidDocumentError(problems) from None
