"""Queues of staff as the house writes them in `queues.yaml`: hours, deadlines, who gets what, who may grant what."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from journey.business_time import BusinessCalendar, NextBusiness, read_business_span
from journey.language import Model, Slug, SpanText
from journey.opening_hours import OpeningHours
from journey.staff_roles import MemberRole
from journey.steps.handoff import AnswerWithin
from journey.time_zones import ZoneName

Assignment = Literal["pulled", "round-robin", "least-loaded", "skill-first", "knew-last"]
"""How work finds its people: they take it themselves, or it is given to them in turns, to who has least, to who
fits best, or to who knew this customer last."""

Words = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\s,][^,]*$")]


class Queue(Model):
    """One queue: a desk, a team, a counter."""

    queue: Slug
    """Its name, as handoffs use it."""
    title: Words | None = None
    """What it is called on the pages of staff."""
    place: Slug | None = None
    """Which shop, branch or desk it is."""
    zone: ZoneName = "UTC"
    """Whose clock its hours are on."""
    hours: OpeningHours = OpeningHours()
    """When it is at work; business time of its cases runs only then."""
    skills: list[Tag] = Field(default=[], max_length=20)
    """What whoever works here must be able to do."""
    languages: list[Tag] = Field(default=[], max_length=20)
    """The languages that are spoken here; a customer of another is still answered, by whoever is there."""
    assign: Assignment = "pulled"
    """How its work finds its people."""
    first_answer: AnswerWithin | None = None
    """Within what time somebody must have taken a case, where its journey does not say."""
    next_answer: AnswerWithin | None = None
    """Within what time a customer who wrote again must be answered."""
    resolve: AnswerWithin | None = None
    """Within what time it must be decided, where its journey does not say."""
    remind_before: SpanText | None = None
    """So long before each deadline whoever has the case is reminded."""
    silent_after: AnswerWithin | None = None
    """Who has a case and does nothing for so long loses it to somebody else."""
    escalate_to: Slug | None = None
    """The queue that a case goes to when a deadline has passed, where its journey does not say."""
    pending_for: SpanText = SpanText("7d")
    """So long the customer's answer is waited for; then the case comes back to whoever has it."""
    reopen_within: SpanText = SpanText("14d")
    """So long after it was resolved the same matter opens the same case again."""


class Grants(Model):
    """Up to which amount a decision may go by whoever has this role."""

    agent: float = Field(default=0, ge=0)
    """Whoever answers customers."""
    lead: float = Field(default=0, ge=0)
    """Whoever leads them."""

    def of(self, role: MemberRole) -> float | None:
        """Up to which amount; None is without limit."""
        match role:
            case "agent":
                return self.agent
            case "lead":
                return self.lead
            case "admin":
                return None
            case "editor" | "analyst":
                return 0.0


class QueuesFile(Model):
    """A file `queues.yaml`: the queues of the house."""

    queues: list[Queue] = Field(min_length=1, max_length=500)
    """Each of them."""
    grants: Grants | None = None
    """Up to which amount members of staff may decide, unless it is said of one of them; without it no limit holds."""

    def knows(self, queue: str) -> bool:
        """Whether somebody wrote it down."""
        return any(each.queue == queue for each in self.queues)

    def named(self, queue: str) -> Queue:
        """The queue of this name; one that nobody wrote down has office hours and no deadlines."""
        return next((each for each in self.queues if each.queue == queue), Queue(queue=queue))


def titles_of(house: QueuesFile | None) -> dict[str, str]:
    """What each queue that was written down is called."""
    return {each.queue: each.title or each.queue for each in (house.queues if house else [])}


def queue_calendar(queue: Queue) -> BusinessCalendar:
    """When it is at work."""
    return queue.hours.calendar(queue.zone)


Fault = tuple[tuple[str | int, ...], str, str]


def queue_faults(read: QueuesFile) -> Iterator[Fault]:
    """What is wrong between the parts of the file: path, message, remedy."""
    known = {each.queue for each in read.queues}
    for index, queue in enumerate(read.queues):
        if queue.escalate_to is not None and queue.escalate_to not in known:
            said = f"there is no queue {queue.escalate_to!r}"
            yield ("queues", index, "escalate_to"), said, f"they are {', '.join(sorted(known))}"
        if queue.escalate_to == queue.queue:
            path = ("queues", index, "escalate_to")
            yield path, "a case would escalate to where it is", "name another queue"
        yield from _spans(index, queue)
    if read.grants is not None and read.grants.lead < read.grants.agent:
        yield ("grants", "lead"), "a lead may grant less than an agent", "give the lead as much"


def _spans(index: int, queue: Queue) -> Iterator[Fault]:
    calendar = queue_calendar(queue)
    if not calendar.reaches(NextBusiness()):
        path = ("queues", index, "hours", "week")
        yield path, "it is never at work", "name a day with hours: monday: 09:00-17:00"
        return
    for name in ("first_answer", "next_answer", "resolve", "silent_after"):
        within: str | None = getattr(queue, name)
        wanted = read_business_span(within) if within is not None else None
        if wanted is not None and not calendar.reaches(wanted):
            said = f"{within} take more than ten years"
            yield ("queues", index, name), said, "write fewer, or open the queue longer"
