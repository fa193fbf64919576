"""All that is known of a customer in the moment in which they look or ask: few statements, each row by an index."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, LiteralString

import orjson

from journey.feelings import Reading, felt
from journey.personas import Fit
from journey.suggestions import Allowed, Candidate, Counted
from stores.customers import Customer, find_customer, normalised
from stores.database import Connection, Pool, clean_text, one_statement
from stores.definitions import load_definition
from stores.house import HouseStore
from stores.moment_candidates import Row, candidates_of, coupon_key, show_key
from stores.personas import fitting, with_evidence

FEW, SEVERAL = 5, 20
"""How many of a kind are told: of messages, and of all else."""

# Each part is one look at an index of the customer; nothing here grows with the number of customers.
_ALL: LiteralString = """
with own as materialized (
    select entry, workflow_id, journey, version, stage, state, waits_for, wakes_at, entered_at,
           outcome, held_out, holds, finished_at
      from runs where customer = %(customer)s and state <> 'not_admitted'
     order by entered_at desc limit 50
), opened as (
    select * from own where state = 'open'
)
select
  (select jsonb_agg(i) from (
       select kind, value, created_at as since from identities
        where customer = %(customer)s order by created_at limit 50) i) as identities,
  (select jsonb_agg(i.customer) from (
       select distinct customer from identities
        where value = any(%(spellings)s) and customer <> %(customer)s
       union select whose from refused_ties
        where value = any(%(spellings)s) and leads_to = %(customer)s limit 5) i) as others,
  (select jsonb_agg(f) from (
       select feeling, source, evidence, by, at, fades_at from feelings
        where customer = %(customer)s and fades_at > %(now)s order by at desc limit 20) f) as feelings,
  (select jsonb_agg(p) from (
       select p.name, p.by, p.state, p.at, p.reason, r.journey, r.workflow_id as run
         from promises p join own r using (entry)
        where p.state not in ('dropped', 'kept') order by p.state <> 'open', p.by limit 20) p) as promises,
  (select jsonb_agg(r) from (select * from opened order by entered_at desc limit 20) r) as runs,
  (select jsonb_agg(c) from (
       select "case", entry, n, queue, brief, state, claimed_by, opened_at, first_answer_by, resolve_by
         from cases where customer = %(customer)s and under_way
        order by opened_at desc limit 20) c) as cases,
  (select jsonb_agg(p) from (
       select p.problem, p.title, p.words, p.state, p.opened_at, p.mended_at, p.places, t.how,
              t."case", t.told_at, t.mended_told_at
         from problem_touched t join problems p using (problem)
        where t.customer = %(customer)s
          and (p.state = 'open' or p.mended_at > %(now)s - interval '7 days')
        order by p.opened_at desc limit 20) p) as problems,
  (select jsonb_agg(p) from (
       select p.problem, p.title, p.words, p.opened_at, p.places
         from problems p where not p.settled and p.state = 'open'
          and %(place)s::text = any(p.places) limit 20) p) as anyones,
  (select jsonb_agg(d) from (
       select message, channel, state, reason, purpose, journey,
              coalesce(settled_at, intended_at, run_time) as at
         from deliveries where customer = %(customer)s and state in ('accepted', 'unknown')
        order by run_time desc limit 5) d) as told,
  (select jsonb_agg(m) from (
       select channel, subject, left(text, 500) as text, received_at as at, "case" from inbound_messages
        where customer = %(customer)s and kind in ('reply', 'stop', 'start', 'help')
        order by received_at desc limit 5) m) as heard,
  (select jsonb_agg(s) from (
       select s.entry, s.n, s.name, s.say, s."values", s.priority, s.until, r.journey,
              r.workflow_id as run, r.held_out, r.stage
         from shows s join opened r using (entry)
        where s.customer = %(customer)s and s.shown and %(place)s::text = any(s.places)
        limit 100) s) as shows,
  (select jsonb_agg(c) from (
       select key, offer, code, amount, expires_at, journey, granted_at from coupons
        where customer = %(customer)s and state = 'open' order by granted_at desc limit 20) c) as coupons,
  (select jsonb_agg(t) from (
       select distinct on (suggestion, key) suggestion, key, told, again_at from (
           select suggestion, key, told, again_at, at from suggestions_told
            where customer = %(customer)s order by at desc limit 200) newest
        where told <> 'shown'
        order by suggestion, key, at desc) t) as answers,
  exists (select 1 from (
       select distinct on (channel) channel, given from consents
        where customer = %(customer)s and purpose = 'marketing'
        order by channel, consent desc) said
     where not given and channel in ('', %(place)s)) as unsubscribed,
  (select paused_until from preferences where customer = %(customer)s) as paused_until,
  (select journey from opened where holds is not null limit 1) as held_by
"""

_ALL_IN_ONE_LINE = " ".join(_ALL.split())
"""Under 4,096 characters, up to which psycopg remembers how a statement is prepared."""

_COUNTS: LiteralString = """
select key, sum(shown)::bigint as shown, sum(taken)::bigint as taken, sum(refused)::bigint as refused
  from suggestion_counts where key = any(%s) and place = %s group by key
"""

_ANYONE: LiteralString = """
select problem, title, words, opened_at from problems
 where not settled and state = 'open' and %s = any(places) order by opened_at desc limit 20
"""

_TIMES = frozenset(
    {
        *("since", "at", "fades_at", "by", "wakes_at", "entered_at", "finished_at", "opened_at"),
        *("first_answer_by", "resolve_by", "mended_at", "told_at", "mended_told_at", "until"),
        *("expires_at", "granted_at", "again_at"),
    }
)


@dataclass(slots=True, frozen=True, kw_only=True)
class JourneyWords:
    """What a version of a journey is called, and its stages: title, and feeling."""

    title: str
    stages: Mapping[str, tuple[str, str | None]]


@dataclass(slots=True, frozen=True, kw_only=True)
class Moment:
    """A customer now. `led_by`: kind of identity and since when; None where our own id was given."""

    customer: Customer
    led_by: tuple[str, datetime] | None
    others: Sequence[str]
    personas: Sequence[Fit]
    readings: Sequence[Reading]
    stage_feeling: str | None
    promises: Sequence[Row]
    runs: Sequence[Row]
    cases: Sequence[Row]
    problems: Sequence[Row]
    told: Sequence[Row]
    heard: Sequence[Row]
    candidates: Sequence[Candidate]
    values: Mapping[str, Mapping[str, Any]]
    """By suggestion: what its words are rendered over."""
    allowed: Allowed

    def feels(self, now: datetime) -> Reading | None:
        """What counts of all that was read."""
        return felt(self.readings, now)


@dataclass(slots=True)
class MomentStore:
    """Reads moments. `now` is run time."""

    pool: Pool
    house: HouseStore
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _words: dict[str, JourneyWords] = field(default_factory=dict[str, JourneyWords])

    async def of(self, identity: str, place: str) -> Moment | None:
        """The moment of whomever this identity leads to; None where nobody is known by it."""
        personas = (await self.house.house()).personas
        async with one_statement(self.pool) as connection:
            found = await find_customer(connection, identity)
            if found is None:
                return None
            spellings = _spellings(identity)
            row = await self._read(connection, found, spellings, place)
            for run in row["runs"]:
                run["words"] = await self._called(connection, run["version"])
            counts = await _counts(connection, row, place)
            evidence = with_evidence(personas.personas) if personas is not None else []
            fits = await fitting(connection, found, evidence, self.now()) if evidence else []
        return _moment(found, row, fits, counts, set(spellings))

    async def said_to_anyone(self, place: str) -> list[Row]:
        """Problems that are told at this place to whoever looks or asks."""
        async with one_statement(self.pool) as connection:
            return await (await connection.execute(_ANYONE, [place])).fetchall()

    async def _read(
        self, connection: Connection, customer: Customer, spellings: Sequence[str], place: str
    ) -> Row:
        cursor = await connection.execute(
            _ALL_IN_ONE_LINE,
            {
                "customer": customer.customer,
                "spellings": list(spellings),
                "place": place,
                "now": self.now(),
            },
        )
        row = await cursor.fetchone() or {}
        return {name: _read_json(name, value) for name, value in row.items()}

    async def _called(self, connection: Connection, version: str | None) -> JourneyWords:
        """The words of a version, read once a process: a version never changes."""
        if version is None:
            return JourneyWords(title="", stages={})
        known = self._words.get(version)
        if known is None:
            canonical = await load_definition(connection, version)
            known = self._words[version] = _words_of(canonical)
        return known


_LISTS = frozenset(
    {
        *("identities", "others", "feelings", "promises", "runs", "cases", "problems", "anyones"),
        *("told", "heard", "shows", "coupons", "answers"),
    }
)


def _read_json(name: str, value: Any) -> Any:
    """A part of the answer; times in it are instants again."""
    if name not in _LISTS:
        return value
    rows: list[Any] = value or []
    for row in rows:
        if isinstance(row, dict):
            told: Row = row  # pyright: ignore[reportUnknownVariableType] -- JSON
            for field_name in _TIMES & told.keys():
                said = told[field_name]
                if isinstance(said, str) and said[:1].isdigit():
                    told[field_name] = datetime.fromisoformat(said).astimezone(UTC)
    return rows


async def _counts(connection: Connection, row: Row, place: str) -> dict[str, Counted]:
    keys = [*map(show_key, row["shows"]), *(coupon_key(each["offer"]) for each in row["coupons"])]
    if not keys:
        return {}
    cursor = await connection.execute(_COUNTS, [keys, place])
    return {each.pop("key"): Counted(**each) for each in await cursor.fetchall()}


def _spellings(identity: str) -> list[str]:
    raw = clean_text(identity).strip()
    return sorted({raw, *(normalised(kind, raw)[1] for kind in ("email", "phone"))})


def _words_of(canonical: bytes | None) -> JourneyWords:
    told: Row = orjson.loads(canonical) if canonical else {}
    stages = {
        each["stage"]: (each.get("title") or each["stage"].replace("-", " "), each.get("feeling"))
        for each in told.get("stages", [])
    }
    return JourneyWords(title=told.get("title") or told.get("journey") or "", stages=stages)


def _moment(
    found: Customer,
    row: Row,
    fits: Sequence[Fit],
    counts: Mapping[str, Counted],
    spellings: set[str],
) -> Moment:
    candidates, values = candidates_of(row, counts)
    over = {each: {**told, "customer": found.profile()} for each, told in values.items()}
    led = [each for each in row["identities"] if each["value"] in spellings]
    feelings: list[str | None] = [
        run["words"].stages[run["stage"]][1]
        for run in row["runs"]
        if run["stage"] in run["words"].stages
    ]
    return Moment(
        customer=found,
        led_by=(led[0]["kind"], led[0]["since"]) if led else None,
        others=row["others"],
        personas=fits,
        readings=[Reading(**each) for each in row["feelings"]],
        stage_feeling=next(filter(None, feelings), None),
        promises=row["promises"],
        runs=row["runs"],
        cases=row["cases"],
        problems=row["problems"],
        told=row["told"],
        heard=row["heard"],
        candidates=candidates,
        values=over,
        allowed=Allowed(
            consent_withheld=found.traits.get("marketing_consent") is False,
            unsubscribed=row["unsubscribed"],
            paused_until=row["paused_until"],
            held_by=row["held_by"],
        ),
    )
