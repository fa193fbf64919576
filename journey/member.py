"""A member of staff as they are written down: what they are, what they can, when they work."""

from typing import Annotated

from pydantic import Field, StringConstraints

from journey.language import Model, Slug
from journey.opening_hours import OpeningHours
from journey.queues import Tag, Words
from journey.staff_roles import MemberRole
from journey.time_zones import ZoneName

MemberName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._@+-]*$", min_length=1, max_length=100)
]
"""The name under which they act: `eva`, `eva.novak`, `eva@shop.example`."""

Outside = Annotated[str, StringConstraints(min_length=1, max_length=320, pattern=r"^\S+$")]
"""Who they are somewhere else."""


class MemberFile(Model):
    """One member of staff, all that is said of them."""

    member: MemberName
    """The name under which they act."""
    name: Words
    """What they are called."""
    role: MemberRole
    """What they are."""
    queues: list[Slug] = Field(default=[], max_length=200)
    """Where they work."""
    skills: list[Tag] = Field(default=[], max_length=50)
    """What they can."""
    languages: list[Tag] = Field(default=[], max_length=50)
    """What they speak."""
    capacity: int = Field(default=8, ge=0, le=1_000)
    """How many cases they have at once."""
    grants: float | None = Field(default=None, ge=0)
    """Up to which amount they decide, where it is not as their role goes."""
    zone: ZoneName = "UTC"
    """Whose clock their hours are on."""
    shift: OpeningHours | None = None
    """Their hours; where unsaid, those of each queue."""
    email: Outside | None = None
    """Their address; no two have the same."""
    subject: Outside | None = None
    """Who they are at the OpenID provider."""
    slack: Outside | None = None
    """Who they are in Slack."""
