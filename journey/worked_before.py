"""What decisions of staff worked before, for customers like this one. Pure.

A rate is (worked + 1) / (of + 2): the mean of what a Beta(1, 1) prior becomes, Laplace's rule of succession
("Mémoire sur la probabilité des causes", 1774; Gelman et al., Bayesian Data Analysis, 3rd ed., 2.4). So one
success of one is two thirds, not certainty, and nothing tried is a half.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from journey.feeling_words import valence

LEAST = 10
"""Of fewer cases than this no rate is told."""

NEARLY_ALWAYS = 0.95
LEAST_TO_AUTOMATE = 30
"""A queue in which this share of so many decisions was one and the same may do without a person."""

BAD_ANSWERS = frozenset({"detractor", "dissatisfied", "hard"})
GOOD_ANSWERS = frozenset({"promoter", "satisfied", "easy"})


@dataclass(slots=True, frozen=True, kw_only=True)
class PastDecision:
    """A decision of staff and what came after it.

    `judged_from`: from when on it counts as not reopened. `goal`: whether its run, which has ended, reached its
    goal; None where it goes on, has none, or no run waited for the case (`of_a_run`). `answers`, `feelings`: groups of
    answers and feelings read until then.
    """

    decision: str
    personas: frozenset[str]
    judged_from: datetime
    reopened: bool
    of_a_run: bool
    goal: bool | None
    answers: tuple[str, ...] = ()
    feelings: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class Worked:
    """How often a decision worked, out of how many, for whom."""

    decision: str
    worked: int
    of: int
    among: str

    @property
    def rate(self) -> float:
        """Smoothed: between 0 and 1, and neither of them."""
        return (self.worked + 1) / (self.of + 2)


@dataclass(slots=True, frozen=True, kw_only=True)
class Automatable:
    """One decision is taken nearly always here: perhaps nobody need take it. `worked` of `judged` worked."""

    queue: str
    decision: str
    taken: int
    of: int
    worked: int
    judged: int


def did_work(past: PastDecision, now: datetime) -> bool | None:
    """Whether it worked; None where nothing can be said yet.

    Whatever speaks against it outweighs what speaks for it: opened again, the run over without its goal, a bad
    answer or feeling. Silence speaks for it only where no run waited, once it can be judged.
    """
    felt = [valence(each) or 0.0 for each in past.feelings]
    bad = past.reopened or past.goal is False or bool(BAD_ANSWERS & set(past.answers))
    if bad or any(each < 0 for each in felt):
        return False
    if past.goal or GOOD_ANSWERS & set(past.answers) or any(each > 0 for each in felt):
        return True
    return True if not past.of_a_run and past.judged_from <= now else None


def worked_before(
    pasts: Iterable[PastDecision],
    offered: Iterable[str],
    personas: frozenset[str],
    queue: str,
    now: datetime,
) -> list[Worked]:
    """Decisions on offer with their figures, what works most often first.

    Of customers of the same queue who share a persona; of the whole queue where there are too few of them. What was
    judged fewer than `LEAST` times is left out: there is no figure, so nothing is said.
    """
    judged = [(each, did) for each in pasts if (did := did_work(each, now)) is not None]
    alike = [(each, did) for each, did in judged if each.personas & personas]
    among = f"customers of {queue} who are {' or '.join(sorted(personas))}"
    found: list[Worked] = []
    for decision in offered:
        for rows, whom in ((alike, among), (judged, f"customers of {queue}")):
            of = [did for each, did in rows if each.decision == decision]
            if len(of) >= LEAST:
                found.append(Worked(decision=decision, worked=sum(of), of=len(of), among=whom))
                break
    return sorted(found, key=lambda each: (-each.rate, -each.of, each.decision))


def automatable(queue: str, pasts: Iterable[PastDecision], now: datetime) -> Automatable | None:
    """The decision that is taken nearly always in a queue, where there is one."""
    known = list(pasts)
    taken: Mapping[str, int] = Counter(each.decision for each in known)
    if len(known) < LEAST_TO_AUTOMATE:
        return None
    decision = max(taken, key=lambda each: (taken[each], each))
    if taken[decision] < NEARLY_ALWAYS * len(known):
        return None
    judged = [
        did
        for each in known
        if each.decision == decision and (did := did_work(each, now)) is not None
    ]
    return Automatable(
        queue=queue,
        decision=decision,
        taken=taken[decision],
        of=len(known),
        worked=sum(judged),
        judged=len(judged),
    )


def against_selling(
    *, feeling: str | None, other_cases: int, late_promises: int, problems: int
) -> str | None:
    """Why nothing is to be sold to a customer now; None where the state of things with them allows it."""
    if feeling is not None and (valence(feeling) or 0.0) < 0:
        return f"they feel {feeling}"
    if late_promises:
        return "a promise to them is late or broken"
    if problems:
        return "a problem of ours touches them"
    if other_cases:
        return "they wait for us in another case"
    return None
