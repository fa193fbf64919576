"""The rules of a journey in words: who enters, what ends it at once, and what it reacts to."""

from collections.abc import Iterator

from journey.definition import Entry, Exit, Reaction

_MODES = {
    "queue": None,
    "restart": "anew when it comes again meanwhile",
    "ignore-while-running": "what comes meanwhile is left alone",
}


def entry_in_words(enter: Entry) -> Iterator[str]:
    """What brings customers in, then for whom and how often."""
    yield _way_in(enter)
    if enter.at is not None:
        yield f"at {enter.at}"
    if enter.every is not None:
        yield f"every {enter.every}"
    if enter.schedule is not None:
        yield enter.schedule
    if enter.audience is not None:
        yield f"{'whom it is true of' if enter.date or enter.schedule else 'once it is true'}: {enter.audience}"
    for name, counted in enter.counts.items():
        within = f" within {counted.within}" if counted.within else ""
        yield f"counts.{name}: {counted.on}{within}"
    if enter.existing:
        yield "also who is of it already"
    if enter.when is not None:
        yield f"when {enter.when}"
    if enter.key is not None:
        yield f"one run for each {enter.key}"
    yield "once only" if enter.again == "never" else f"again: {enter.again}"
    if enter.cap is not None:
        caps = (("hour", enter.cap.per_hour), ("day", enter.cap.per_day))
        yield " and ".join(f"at most {most:,} an {each}" for each, most in caps if most).replace(
            "an day", "a day"
        )
    if enter.hold_out:
        yield f"{enter.hold_out:g} % are held out"


def _way_in(enter: Entry) -> str:
    if enter.on is not None:
        return enter.on
    if enter.date is not None:
        offset = f"{enter.offset or ''}".strip()
        if not offset:
            return f"on {enter.date}"
        side = "before" if offset.startswith("-") else "after"
        return f"{offset.lstrip('+-').strip()} {side} {enter.date}"
    if enter.schedule is not None:
        return "by schedule"
    return "by request" if enter.audience is None else "coming to be of the audience"


def exit_in_words(rule: Exit) -> Iterator[str]:
    """What ends the run, then what must hold of it."""
    if rule.leaves_audience:
        yield "leaving the audience"
        return
    yield from _comes(rule)


def reaction_in_words(rule: Reaction) -> Iterator[str]:
    """What it reacts to, then how."""
    what, *more = _comes(rule)
    yield f"whenever {what}"
    yield from more
    if rule.settle is not None:
        yield f"once it is quiet for {rule.settle}"
    if mode := _MODES[rule.mode]:
        yield mode


def _comes(rule: Exit | Reaction) -> Iterator[str]:
    if rule.on is None:
        yield from ("it becomes true", f"{rule.when}")
        return
    yield rule.on
    if rule.about is not None:
        yield f"about {rule.about}"
    if rule.when is not None:
        yield f"when {rule.when}"
