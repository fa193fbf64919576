"""What a step, a touchpoint or an entry puts on a customer-journey map."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from insight.map_parts import Card, Row
from journey.definition import Entry, Exit
from journey.landscape import TouchpointDescription
from journey.language import Step
from journey.steps.ask import Ask
from journey.steps.call import Call
from journey.steps.handoff import Handoff
from journey.steps.offer import Offer
from journey.steps.promise import Promise
from journey.steps.run import Run
from journey.steps.send import Send
from journey.steps.show import Show

_ROOTS = re.compile(r"(?<![\w.])(?:event\.properties|run)\.(?=[a-z_])")
_VALUES = re.compile(r"\{\{-?\s*([\w.]+)[^}]*\}\}")
_TAGS = re.compile(r"\{%[^%]*%\}")
_AGAIN = {"never": "once only", "always": "each time", "join": "joins the one that runs"}


def words(name: str) -> str:
    """A name as people say it: `not-there` is `not there`."""
    return name.replace("-", " ").replace("_", " ")


def sentence(name: str) -> str:
    """The same at the beginning of a line."""
    said = words(name)
    return said[:1].upper() + said[1:]


def plainly(source: str) -> str:
    """CEL without what it says for the machine only: where a name comes from."""
    return _ROOTS.sub("", " ".join(source.split()))


def without_liquid(text: str) -> str:
    """A template as it reads to those who do not write any: `until {{ run.due | date }}` is `until [due]`."""
    named = _VALUES.sub(lambda found: f"[{words(found[1].rpartition('.')[2])}]", text)
    return " ".join(_TAGS.sub("", named).split())


def told(*notes: str | None) -> tuple[str, ...]:
    """Those notes that say something."""
    return tuple(note for note in notes if note)


def touchpoint_card(event: str, description: TouchpointDescription | None, *more: str) -> Card:
    """A touchpoint with its interface and why it happens."""
    if description is None:
        return Card(kind="touchpoint", title=event, notes=told("not described", *more))
    subject = description.subject
    return Card(
        kind="touchpoint",
        title=event,
        chips=tuple(map(words, description.interface)),
        why=description.intent or "",
        notes=told(f"happens to the {words(subject)}" if subject else None, *more),
    )


def data_card(event: str, description: TouchpointDescription | None, read: Iterable[str]) -> Card:
    """What a touchpoint tells, and what it may be used for."""
    described = (description.properties or {}) if description else {}
    personal = [name for name, each in described.items() if each.personal]
    used = ", ".join(sorted(read))
    return Card(
        kind="data",
        title=event,
        notes=told(
            f"used: {used}" if used else None,
            f"personal: {', '.join(personal)}" if personal else None,
            f"may use: {description.may_use}" if description and description.may_use else None,
        ),
    )


def entry_card(enter: Entry, description: TouchpointDescription | None) -> Card:
    """How customers come in."""
    cap = enter.cap
    rules = told(
        f"when {plainly(enter.when)}" if enter.when else None,
        _AGAIN.get(enter.again, f"again {enter.again}"),
        f"{enter.hold_out:g}% are held out" if enter.hold_out else None,
        f"at most {cap.per_hour} an hour" if cap and cap.per_hour else None,
        f"at most {cap.per_day} a day" if cap and cap.per_day else None,
    )
    if enter.on is not None:
        return touchpoint_card(enter.on, description, *rules)
    title, notes = "Comes to be of an audience", told(enter.audience)
    if enter.date is not None:
        offset = f", {enter.offset}" if enter.offset else ""
        title, notes = "On a date", told(f"{enter.date}{offset}", enter.audience)
    elif enter.schedule is not None:
        title, notes = "By schedule", told(enter.schedule, enter.audience)
    elif enter.by is not None:
        title, notes = "By request", ("the API, staff or another journey",)
    return Card(kind="touchpoint", title=title, notes=(*notes, *rules))


def exit_card(rule: Exit, description: TouchpointDescription | None) -> Card:
    """What ends the journey at once."""
    ends = f"ends it: {words(rule.outcome)}"
    if rule.on is not None:
        return touchpoint_card(rule.on, description, ends)
    what = "Leaves the audience" if rule.leaves_audience else "Comes true"
    return Card(
        kind="touchpoint", title=what, notes=told(plainly(rule.when) if rule.when else None, ends)
    )


def step_card(step: Step) -> tuple[Row, Card] | None:
    """What a step puts on the map, and in which row; None where it is neither seen nor somebody's work."""
    match step:
        case Send() | Ask() | Offer() | Show() | Promise():
            return "front", _front(step)
        case Handoff():
            return "staff", _handoff(step)
        case Call():
            host = urlsplit(step.url).hostname if step.url else step.activity
            return "staff", Card(kind="system", title=str(host), notes=("another system is asked",))
        case Run():
            title = sentence(step.journey)
            return "staff", Card(kind="system", title=title, notes=("another journey begins",))
        case _:
            return None


def _front(step: Send | Ask | Offer | Show | Promise) -> Card:
    match step:
        case Send():
            good = f"good for {step.good_for}" if step.good_for else None
            kind = "marketing, with consent" if step.purpose == "marketing" else None
            replaces = "corrects the one before" if step.replaces else None
            return _message(sentence(step.message), step.via, kind, good, replaces)
        case Ask():
            return _message(f"Asks: {words(step.survey)}", step.via, step.type, _until(step.until))
        case Offer():
            return _message(f"Offers: {words(step.coupon)}", [], f"expires {step.expires}")
        case Show():
            return _message(f"Says: {without_liquid(step.say)}", step.places, _until(step.until))
        case Promise():
            notes = told(
                f"kept by {step.kept_by.on}" if step.kept_by else None,
                f"kept when {plainly(step.kept_when)}" if step.kept_when else None,
                f"by {plainly(step.by)}",
            )
            return Card(kind="promise", title=f"“{step.text}”", notes=notes)


def _message(title: str, by: list[str], *notes: str | None) -> Card:
    return Card(kind="message", title=title, chips=tuple(map(words, by)), notes=told(*notes))


def _until(moment: str | None) -> str | None:
    return f"until {moment}" if moment else None


def _handoff(step: Handoff) -> Card:
    first = f"first answer within {step.first_answer}" if step.first_answer else None
    if first and step.escalate_to:
        first = f"{first}, else {words(step.escalate_to)}"
    decisions = [offered.title or words(name) for name, offered in step.decisions.items()]
    return Card(
        kind="staff",
        title=sentence(step.queue),
        notes=told(
            first,
            f"decided within {step.resolve}" if step.resolve else None,
            f"may decide: {'; '.join(decisions)}",
        ),
    )
