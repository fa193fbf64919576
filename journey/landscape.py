"""What lies beside journeys: touchpoints on three levels, personas, and goals that teams share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from journey.language import Condition, EventName, Identifier, Model, Slug, SpanText

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500)]
"""A few words for people."""

Owner = Annotated[str, StringConstraints(min_length=1, max_length=100)]
"""Who answers for it."""

PropertyName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""The name of a property as it is sent, such as `cart_value`."""

PropertyType = Literal["text", "number", "integer", "boolean", "time", "list", "object"]
"""What a property holds. `time` is RFC 3339 text such as `2026-11-22T09:00:00Z`."""


class Property(Model):
    """One thing that a touchpoint tells. `cart_value: number` is short for `cart_value: {type: number}`."""

    type: PropertyType
    about: Sentence | None = None
    """What it means."""
    personal: bool = False
    """Whether it says something about the person."""


def _whole(data: Any) -> Any:
    return {"type": data} if isinstance(data, str) else data


WrittenProperty = Annotated[
    Property, BeforeValidator(_whole, json_schema_input_type=PropertyType | Property)
]


class TouchpointDescription(Model):
    """A touchpoint on three levels: where it is met, why the customer does it, and what it tells us."""

    touchpoint: EventName
    """Its name, as it is sent."""
    subject: Identifier | None = None
    """The kind of thing that it is about, such as `flight`, where it is not about the customer."""
    interface: list[Slug] = Field(min_length=1, max_length=20)
    """Where it happens: `web`, `app`, `shop`, `phone`, `warehouse`."""
    intent: Sentence | None = None
    """Why the customer does it, or what it means to them. May be left out for one about a subject."""
    feeling: Slug | None = None
    """How the customer is likely to feel, in one word."""
    properties: dict[PropertyName, WrittenProperty] | None = Field(default=None, max_length=200)
    """What it tells. Left out: nobody said, and nothing is checked."""
    may_use: Sentence | None = None
    """What we hold of it and may use it for."""
    owner: Owner | None = None
    """Who answers for it."""


class CountedEvidence(Model):
    """How often a touchpoint came, for `counts.NAME` in the evidence for a persona."""

    on: EventName
    """Name of the touchpoint."""
    within: SpanText
    """Within how long, back from now."""


class Evidence(Model):
    """Something that speaks for a persona, or against it."""

    when: Condition
    """What holds of the customer: CEL over `customer`, and `counts` of touchpoints."""
    weight: float = Field(default=1.0, ge=-10, le=10)
    """How much it says. A customer fits from 1 on, all evidence together; less than 0 speaks against it."""
    because: Sentence
    """The reason in words, for staff."""


class Persona(Model):
    """A kind of customer whom journeys are made for."""

    persona: Slug
    title: Sentence
    description: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] | None = None
    needs: list[Sentence] = Field(default=[], max_length=20)
    frustrations: list[Sentence] = Field(default=[], max_length=20)
    counts: dict[Identifier, CountedEvidence] = Field(default={}, max_length=10)
    """Touchpoints that the evidence counts, each under a name."""
    match: list[Evidence] = Field(default=[], max_length=20)
    """Who fits: published with `clew publish personas.yaml`, it makes `customer.personas`."""


class SharedGoal(Model):
    """What several journeys and teams work for."""

    goal: Slug
    title: Sentence
    owner: Owner
    measure: Sentence | None = None
    """How one would know that it is reached."""
    shared_with: list[Slug] = Field(default=[], max_length=50)
    """Teams that share it."""


class TouchpointsFile(Model):
    """A file `touchpoints.yaml`."""

    touchpoints: list[TouchpointDescription] = Field(min_length=1, max_length=1_000)


class PersonasFile(Model):
    """A file `personas.yaml`."""

    personas: list[Persona] = Field(min_length=1, max_length=200)


class GoalsFile(Model):
    """A file `goals.yaml`."""

    goals: list[SharedGoal] = Field(min_length=1, max_length=200)


Kind = Literal["touchpoints", "personas", "goals"]
"""What such a file holds, and its name without the ending."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Landscape:
    """What is described around a journey, by name. `files`: the nearest file of each kind that was found."""

    touchpoints: Mapping[str, TouchpointDescription] = field(
        default_factory=dict[str, TouchpointDescription]
    )
    personas: Mapping[str, Persona] = field(default_factory=dict[str, Persona])
    goals: Mapping[str, SharedGoal] = field(default_factory=dict[str, SharedGoal])
    files: Mapping[Kind, str] = field(default_factory=dict[Kind, str])

    def over(self, farther: "Landscape") -> "Landscape":
        """Both together; where both describe something, this one is believed."""
        return Landscape(
            touchpoints={**farther.touchpoints, **self.touchpoints},
            personas={**farther.personas, **self.personas},
            goals={**farther.goals, **self.goals},
            files={**farther.files, **self.files},
        )
