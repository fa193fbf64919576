"""The brief of a case: who this is, what they went through, what they were told, what we suggest, what may be done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, LiteralString, cast

from pydantic import JsonValue

from contracts.case_brief import CaseBrief, Felt, Passed, Promised, Suggested, Who
from journey.assurance import ASK_THEM, Assured, Verified, assured
from journey.case_clock import OVER
from journey.feelings import felt
from journey.programs import Programs
from journey.suggestions import ranked
from journey.worked_before import against_selling, worked_before
from stores.brief_choices import choices, does
from stores.brief_thread import failed, thread
from stores.case_outcomes import past_decisions
from stores.case_rows import Case, clock_of
from stores.conversations import ConversationStore
from stores.database import Connection, Pool, one_statement
from stores.definitions import load_definition
from stores.house import HouseStore
from stores.members import read_member
from stores.moment import JourneyWords, Moment, MomentStore

PLACE = "agent"
"""Where shows of journeys reach whoever works at a case."""

VALUE_TRAITS = ("value", "tier", "loyalty", "lifetime_value")
"""Traits that say what a customer is worth to the house, the first of them that is there."""

# Each part is one look at an index of the customer; nothing here grows with the number of customers.
_ABOUT: LiteralString = """
select c.run_clock, c.asked, r.version,
  (select coalesce(jsonb_agg(v), '[]') from (
       select at, why from case_events where "case" = c."case" and did = 'verified') v) as verified,
  (select coalesce(jsonb_agg(t), '[]') from (
       select event, occurred_at as at, context from touchpoints
        where customer = c.customer order by received_at desc limit 60) t) as touchpoints,
  (select coalesce(jsonb_agg(a), '[]') from (
       select survey, score, answer_group, words, at from answers
        where customer = c.customer order by at desc limit 20) a) as answers,
  (select coalesce(jsonb_agg(o), '[]') from (
       select o.entry || ':' || o.n as name, o.queue, o.state, o.decision, o.opened_at, o.brief, o.under_way
         from cases o where o.customer = c.customer and o."case" <> c."case"
        order by o.opened_wall desc limit 20) o) as cases,
  (select coalesce(jsonb_agg(p), '[]') from (
       select p.name, p.by, p.state, p.at, p.reason from promises p join runs own using (entry)
        where own.customer = c.customer and p.state <> 'dropped' order by p.at desc limit 20) p) as promises,
  (select coalesce(jsonb_agg(s), '[]') from (
       select distinct on (purpose, channel) purpose, channel, given from consents
        where customer = c.customer order by purpose, channel, consent desc) s) as consents,
  (select to_jsonb(p) from preferences p where p.customer = c.customer) as preferences
  from cases c left join runs r on r.entry = c.entry and c.workflow_id <> ''
 where c."case" = %s
"""

InWords = Callable[[str, Mapping[str, object], datetime], str | None]


def as_written(template: str, _: Mapping[str, object], __: datetime) -> str | None:
    """What a journey says as its author wrote it, where nobody renders it."""
    return template


@dataclass(slots=True)
class CaseBriefStore:
    """Makes briefs. `in_words` renders what journeys say, or None where it cannot; `now` is wall time."""

    pool: Pool
    house: HouseStore
    in_words: InWords = as_written
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _programs: Programs = field(default_factory=Programs)
    _words: dict[str, JourneyWords] = field(default_factory=dict[str, JourneyWords])

    async def of(self, case: Case, member: str) -> CaseBrief:
        """What a member of staff must know of a case, and may decide; one we do not know may all that it offers."""
        house = (await self.house.house()).queues
        async with one_statement(self.pool) as connection:
            row = await (await connection.execute(_ABOUT, [case.case])).fetchone()
            assert row is not None
            reader = await read_member(connection, member)
            pasts = await past_decisions(connection, house, case.queue)
            await self._know(connection, row["version"])
        now = _run_time(row["run_clock"], self.now())
        moment = await MomentStore(self.pool, self.house, lambda: now, self._words).of(
            case.customer, PLACE
        )
        spoken = await ConversationStore(self.pool).of(case.customer, most=60)
        sure = _assured(case, row, moment)
        lines = thread(spoken, row, open_=not sure.withheld)
        done = self._does(case, row["version"])
        limit = reader.authority(house) if reader is not None else None
        personas = frozenset(fit.persona for fit in moment.personas) if moment else frozenset[str]()
        offered = choices(case.decisions, done, reader, limit, over=case.state in OVER)
        suggested = (
            *_of_figures(worked_before(pasts, case.decisions, personas, case.queue, now), offered),
            *(self._of_rules(case, moment, row, now) if moment and not sure.withheld else ()),
        )
        return CaseBrief(
            who=_who(case, moment, row, sure),
            passed=lines,
            promised=tuple(_promised(each, now) for each in row["promises"]),
            felt=_felt(moment, now),
            failed=_failed(lines, row, now),
            suggested=suggested,
            choices=offered,
            traits={} if sure.withheld or moment is None else dict(moment.customer.traits),
            other_cases=tuple(
                (each["name"], f"{each['state']} in {each['queue']}: {each['brief']}".strip(": "))
                for each in row["cases"]
            ),
        )

    async def _know(self, connection: Connection, version: str | None) -> None:
        """Read a version of a journey once in a process: it never changes."""
        if version is not None and self._programs.get(version) is None:
            canonical = await load_definition(connection, version)
            if canonical is not None:
                self._programs.add(canonical)

    def _does(self, case: Case, version: str | None) -> dict[str, str]:
        program = self._programs.get(version) if version is not None else None
        was = tuple(str(each.get("from")) for each in case.escalations)
        return does(program, case.decisions, (*was, case.queue))

    def _of_rules(
        self, case: Case, moment: Moment, row: Mapping[str, Any], now: datetime
    ) -> Sequence[Suggested]:
        """What the house says to do or to offer now; nothing is sold where the state of things is against it."""
        said, _ = ranked(moment.candidates, moment.allowed, now)
        counts = moment.feels(now)
        against = against_selling(
            feeling=counts.feeling if counts else moment.stage_feeling,
            other_cases=sum(1 for each in row["cases"] if each["under_way"]),
            late_promises=sum(
                1 for each in row["promises"] if _state(each, now) in ("late", "broken")
            ),
            problems=sum(1 for each in moment.problems if each["state"] == "open"),
        )
        told: list[Suggested] = []
        for each in said:
            candidate = each.candidate
            if candidate.kind == "coupon" and (against or case.origin == "mention"):
                continue
            words = self.in_words(candidate.say, moment.values.get(candidate.suggestion, {}), now)
            if words:
                told.append(Suggested(words=words, why="; ".join(each.reasons)))
        return told


def _of_figures(figures: Sequence[Any], offered: Sequence[Any]) -> Sequence[Suggested]:
    titles = {each.decision: each for each in offered}
    return [
        Suggested(
            words=titles[each.decision].title,
            why=f"it worked for {each.worked} of {each.of} {each.among}",
            decision=each.decision,
            worked=each.worked,
            of=each.of,
            rate=round(each.rate, 3),
        )
        for each in figures
        if titles[each.decision].allowed != "no"
    ]


def _assured(case: Case, row: Mapping[str, Any], moment: Moment | None) -> Assured:
    verified = [
        Verified(at=datetime.fromisoformat(each["at"]), how=each["why"]) for each in row["verified"]
    ]
    traits: Mapping[str, JsonValue] = moment.customer.traits if moment else {}
    led = {"phone": "number"} if traits.get("phone") else {}
    led |= {"email": "address"} if traits.get("email") else {}
    asked: str | None = row["asked"]
    return assured(
        origin=case.origin, asked=asked, opened_at=case.opened_at, verified=verified, led_by=led
    )


def _who(case: Case, moment: Moment | None, row: Mapping[str, Any], sure: Assured) -> Who:
    known = Who(customer=case.customer, name="", assured=sure.words)
    if moment is None:
        return known
    traits = moment.customer.traits
    shown = replace(
        known,
        personas=tuple(fit.title for fit in moment.personas),
        locale=f"{traits.get('locale') or traits.get('language') or ''}",
        zone=moment.customer.zone or "",
        withheld=f"{ASK_THEM} {sure.hint}".strip() if sure.withheld else "",
    )
    if sure.withheld:
        return shown
    return replace(
        shown,
        name=_name(traits),
        value=next((f"{traits[each]}" for each in VALUE_TRAITS if traits.get(each)), ""),
        preferences=_preferences(row["preferences"] or {}),
        consent=tuple(
            f"{each['purpose']}{' by ' + each['channel'] if each['channel'] else ''}:"
            f" {'given' if each['given'] else 'withdrawn'}"
            for each in row["consents"]
        ),
    )


def _name(traits: Mapping[str, JsonValue]) -> str:
    parts = [traits.get(each) for each in ("first_name", "last_name")]
    whole = " ".join(each for each in parts if isinstance(each, str) and each)
    said = traits.get("name")
    return whole or (said if isinstance(said, str) else "")


def _preferences(row: Mapping[str, Any]) -> tuple[str, ...]:
    told: list[str] = []
    if not row:
        return ()
    if row.get("preferred_channel"):
        told.append(f"prefers {row['preferred_channel']}")
    channels, topics = cast("list[str]", row["channels_off"]), cast("list[str]", row["topics_off"])
    told += [
        *(f"nothing by {each}" for each in channels),
        *(f"nothing about {each}" for each in topics),
    ]
    if row.get("quiet_from") and row.get("quiet_to"):
        told.append(f"quiet from {row['quiet_from'][:5]} to {row['quiet_to'][:5]}")
    if row.get("paused_until"):
        told.append(f"no marketing before {row['paused_until'][:10]}")
    return tuple(told)


def _state(promise: Mapping[str, Any], now: datetime) -> str:
    """Open, kept, late, broken; one that is open past its time is late."""
    by = promise["by"]
    if promise["state"] == "open" and by is not None and datetime.fromisoformat(by) <= now:
        return "late"
    return "kept" if promise["state"] == "kept_late" else str(promise["state"])


def _promised(promise: Mapping[str, Any], now: datetime) -> Promised:
    by = datetime.fromisoformat(promise["by"]) if promise["by"] else None
    return Promised(words=promise["name"].replace("_", " "), by=by, state=_state(promise, now))


def _felt(moment: Moment | None, now: datetime) -> tuple[Felt, ...]:
    """What counts first, then what else holds; only where nothing was read, what the stage is like."""
    if moment is None:
        return ()
    counts = felt(moment.readings, now)
    if counts is None:
        why = "how customers mostly feel in the stage they are in"
        stage = moment.stage_feeling
        return (Felt(feeling=stage, why=why, at=now),) if stage else ()
    others = [each for each in moment.readings if each != counts]
    return tuple(
        Felt(feeling=each.feeling, why=f"{each.evidence} ({each.source})", at=each.at)
        for each in (counts, *others)
    )


def _failed(lines: Sequence[Passed], row: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    """Failures of the thread, and promises that are late by now."""
    told = failed([each for each in lines if each.kind != "promise"])
    late = [
        f"promised {each['name'].replace('_', ' ')}: {state}"
        for each in row["promises"]
        if (state := _state(each, now)) in ("late", "broken")
    ]
    return (*late, *told)


def _run_time(clock: Any, wall: datetime) -> datetime:
    known = clock_of(clock)
    return known.now(wall) if known else wall
