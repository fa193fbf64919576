"""Who is who: which names lead to one customer, how many of each, and what is no name at all."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Literal

import orjson
from pydantic import Field, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from journey.computed_rules import ComputedTrait
from journey.document import InvalidDocumentError, read_document
from journey.document_faults import fault_of
from journey.language import Identifier, Model

STRENGTH = ("user_id", "email", "phone", "anonymous_id")
"""Kinds of identity, the surest first; kinds of one's own come after these."""

LIMITS = {"user_id": 1, "email": 5, "phone": 5, "anonymous_id": 100}
"""How many names of a kind lead to one customer where nobody says otherwise."""

OTHER_LIMIT = 20

BLOCKED = (
    "anonymous",
    "null",
    "nil",
    "none",
    "undefined",
    "nan",
    "n/a",
    "na",
    "-",
    "-1",
    "0",
    "true",
    "false",
    "unknown",
    "guest",
    "[object object]",
    "00000000-0000-0000-0000-000000000000",
    "test@example.com",
    "test@test.com",
    "none@none.com",
)
"""What clients send for nobody. Whoever came by such a value would be everybody."""

Identity = tuple[str, str]
"""Kind and value, such as ("email", "anna@example.com")."""

Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A value, whatever its case; `*` at its beginning or end stands for anything."""

TraitType = Literal["text", "number", "integer", "boolean", "time", "list", "object"]


class KindRule(Model):
    """What holds for one kind of name."""

    limit: int | None = Field(default=None, ge=1, le=100_000)
    """How many of them lead to one customer; the next is not tied."""
    blocked: list[Pattern] = Field(default=[], max_length=1_000)
    """Values of this kind that are no name of anybody."""


class IdentityRules(Model):
    """The file `identities.yaml`: one for the whole house."""

    identities: dict[Identifier, KindRule] = Field(default={}, max_length=50)
    """Rules for each kind of name."""
    priority: list[Identifier] = Field(default=[], max_length=50)
    """Kinds of name, the surest first. Kinds not named here come behind, in the usual order."""
    blocked: list[Pattern] = Field(default=[], max_length=1_000)
    """Values that are no name of anybody, of whatever kind; beside the ones that are always blocked."""
    allowed: list[Pattern] = Field(default=[], max_length=100)
    """Values that are names here, though they are usually blocked."""
    traits: dict[Annotated[str, StringConstraints(min_length=1, max_length=200)], TraitType] = (
        Field(default={}, max_length=1_000)
    )
    """Traits whose type is pinned: a value of another type is turned into it where that is exact, else refused."""
    computed: dict[Identifier, ComputedTrait] = Field(default={}, max_length=100)
    """Traits that are computed from touchpoints as they come in."""

    @model_validator(mode="after")
    def _once(self) -> "IdentityRules":
        twice = {kind for kind in self.priority if self.priority.count(kind) > 1}
        if twice:
            told = {"kind": min(twice), "remedy": "keep one of them"}
            raise PydanticCustomError("twice", "priority names {kind} twice", told)
        for name in self.computed:
            if name in self.traits or name in ("id", "zone"):
                told = {"name": name, "remedy": "give the computed one another name"}
                raise PydanticCustomError("taken", "the trait {name} is taken", told)
        return self

    @cached_property
    def revision(self) -> str:
        """Which rules these are: the same rules have the same."""
        said = self.model_dump(
            mode="json", include={"identities", "priority", "blocked", "allowed"}
        )
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]

    @cached_property
    def _ranks(self) -> dict[str, int]:
        named = [*self.priority, *(kind for kind in STRENGTH if kind not in self.priority)]
        return {kind: place for place, kind in enumerate(named)}

    @cached_property
    def _blocks(self) -> "_Patterns":
        return _Patterns([*BLOCKED, *self.blocked])

    @cached_property
    def _allows(self) -> "_Patterns":
        return _Patterns(self.allowed)

    @cached_property
    def _kind_blocks(self) -> "dict[str, _Patterns]":
        return {
            kind: _Patterns(rule.blocked) for kind, rule in self.identities.items() if rule.blocked
        }

    def rank(self, kind: str) -> int:
        """How sure a kind is: 0 is the surest."""
        return self._ranks.get(kind, len(self._ranks))

    def limit(self, kind: str) -> int:
        """How many names of a kind lead to one customer."""
        rule = self.identities.get(kind)
        if rule is not None and rule.limit is not None:
            return rule.limit
        return LIMITS.get(kind, OTHER_LIMIT)

    def is_blocked(self, kind: str, value: str) -> bool:
        """Whether this is no name of anybody."""
        lowered = value.lower()
        own = self._kind_blocks.get(kind)
        if own is not None and own.fits(lowered):
            return True
        return self._blocks.fits(lowered) and not self._allows.fits(lowered)

    def ordered(self, identities: Iterable[Identity]) -> list[Identity]:
        """Names that may lead to somebody, the surest first, each once."""
        given = {one for one in identities if one[1] and not self.is_blocked(*one)}
        return sorted(given, key=lambda one: (self.rank(one[0]), one))


class _Patterns:
    """Exact values in one look; those with a `*` one by one."""

    def __init__(self, patterns: Iterable[str]) -> None:
        lowered = [pattern.lower() for pattern in patterns]
        self._exact = {each for each in lowered if "*" not in each}
        self._stars = [each for each in lowered if "*" in each]

    def fits(self, value: str) -> bool:
        return value in self._exact or any(_fits(star, value) for star in self._stars)


def _fits(pattern: str, value: str) -> bool:
    inner = pattern.strip("*")
    begins, ends = not pattern.startswith("*"), not pattern.endswith("*")
    if begins and ends:
        return value == pattern
    if begins:
        return value.startswith(inner)
    return value.endswith(inner) if ends else inner in value


DEFAULT_RULES = IdentityRules()
"""What holds where no file was published."""


def read_identities(text: str, name: str) -> IdentityRules:
    """The rules of a file. Raises: `InvalidDocumentError` with every problem and its place."""
    document = read_document(text, name, begins="identities:")
    if not isinstance(document.data, dict):
        message = "expected rules by name here"
        remedy = "begin with identities:, blocked:, traits: or computed:"
        raise InvalidDocumentError([document.problem((), message, remedy)])
    try:
        rules = IdentityRules.model_validate(document.data)
    except ValidationError as error:
        raise InvalidDocumentError([fault_of(document, told) for told in error.errors()]) from None
    problems = [
        document.problem(("computed", trait, *path), message, remedy)
        for trait, computed in rules.computed.items()
        for path, message, remedy in computed.faults()
    ]
    if problems:
        raise InvalidDocumentError(problems)
    return rules


@dataclass(slots=True, frozen=True, kw_only=True)
class RefusedTie:
    """A name that is not tied to a customer, or does not join two, and why."""

    identity: Identity
    leads_to: str | None
    why: str


@dataclass(slots=True, kw_only=True)
class Plan:
    """What is to be done about names that came together.

    `joined`: customers that become one, the one of the surest name first; none: a new one is made.
    """

    joined: list[str] = field(default_factory=list[str])
    tied: list[Identity] = field(default_factory=list[Identity])
    refused: list[RefusedTie] = field(default_factory=list[RefusedTie])


Counts = Mapping[str, Mapping[str, int]]
"""Customer → kind → how many names of it lead to them."""


def plan(
    wanted: Sequence[Identity],
    known: Mapping[Identity, str],
    counts: Counts,
    rules: IdentityRules,
    apart: frozenset[frozenset[str]] = frozenset(),
    *,
    explicit: bool = False,
) -> Plan:
    """Decide about names that came together, the surest first.

    A customer whom a less sure name leads to, and who has no room for the surer ones, is somebody
    else on the same device or mailbox. `apart`: pairs that staff have parted. `explicit`: somebody
    said that it is one person, so that no limit forbids it.
    """
    made, held = Plan(), dict[str, int]()
    for identity in wanted:
        kind, owner = identity[0], known.get(identity)
        if owner is None:
            if not explicit and held.get(kind, 0) + 1 > rules.limit(kind):
                made.refused.append(_over(identity, None, kind, rules))
                continue
            held[kind] = held.get(kind, 0) + 1
            made.tied.append(identity)
        elif owner not in made.joined:
            over = None if explicit else _over_together(held, counts.get(owner, {}), rules)
            if over is not None:
                made.refused.append(_over(identity, owner, over, rules))
                continue
            if not explicit and any(frozenset((owner, other)) in apart for other in made.joined):
                why = "staff have parted these two"
                made.refused.append(RefusedTie(identity=identity, leads_to=owner, why=why))
                continue
            for each, count in counts.get(owner, {}).items():
                held[each] = held.get(each, 0) + count
            made.joined.append(owner)
    return made


def _over_together(
    held: Mapping[str, int], theirs: Mapping[str, int], rules: IdentityRules
) -> str | None:
    """The kind of which there would be too many. What is too many already on one side alone is no reason."""
    for kind in sorted({*held, *theirs}):
        mine, yours = held.get(kind, 0), theirs.get(kind, 0)
        if mine and yours and mine + yours > rules.limit(kind):
            return kind
    return None


def _over(identity: Identity, leads_to: str | None, kind: str, rules: IdentityRules) -> RefusedTie:
    most = rules.limit(kind)
    why = f"one customer has at most {most} {kind}"
    return RefusedTie(identity=identity, leads_to=leads_to, why=why)
