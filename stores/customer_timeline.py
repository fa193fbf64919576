"""Everything of one customer on one line of time: over all channels and journeys, with the reason of each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from pydantic import JsonValue

from stores.database import Pool, one_statement

MOST_LINES = 200

# Each part gives its newest lines by an index of the customer; the newest of all of them are the page.
_LINES: LiteralString = """
with own as (
    select entry, journey, key from runs where customer = %(customer)s
     order by entered_at desc limit 500
), lines as (
    (select received_at as at, 'touchpoint' as kind, event as title, '' as why, properties as said,
            null::text as journey, null::bigint as entry,
            coalesce(context ->> 'channel', subject_kind || ' ' || subject_id, '') as place,
            false as bad, 0::bigint as nth
       from touchpoints where customer = %(customer)s and received_at < %(before)s and event !~ '^[$]'
      order by received_at desc limit %(most)s)
    union all
    (select coalesce(settled_at, run_time), 'message', message,
            concat_ws(': ', state, nullif(reason, ''), nullif(words, '')),
            jsonb_strip_nulls(jsonb_build_object('subject', sent_subject, 'text', sent_text)), journey, entry,
            coalesce(channel, ''),
            state in ('refused', 'unknown'), 0
       from deliveries where customer = %(customer)s and coalesce(settled_at, run_time) < %(before)s
      order by run_time desc limit %(most)s)
    union all
    (select received_at, 'reply', coalesce(nullif(subject, ''), kind), left(text, 2000), '{}', null, entry,
            channel, false, 0
       from inbound_messages where customer = %(customer)s and received_at < %(before)s
      order by received_at desc limit %(most)s)
    union all
    (select opened_at, 'case', queue, concat_ws(': ', state, decision, nullif(reason, '')),
            jsonb_build_object('case', "case"), journey, entry, coalesce(place, ''), state = 'expired', 0
       from cases where customer = %(customer)s and opened_at < %(before)s order by opened_at desc limit %(most)s)
    union all
    (select at, 'answer', survey, answer_group || coalesce(': ' || nullif(words, ''), ''),
            jsonb_strip_nulls(jsonb_build_object('score', score, 'choice', choice)), null, entry, 'survey', false, 0
       from answers where customer = %(customer)s and at < %(before)s order by at desc limit %(most)s)
    union all
    (select granted_at, 'offer', offer, concat_ws(': ', state, nullif(reason, '')),
            jsonb_strip_nulls(jsonb_build_object('amount', amount)), journey, entry, '', state = 'refused', 0
       from coupons where customer = %(customer)s and granted_at < %(before)s order by granted_at desc limit %(most)s)
    union all
    (select at, 'consent', purpose || coalesce(' by ' || nullif(channel, ''), ''),
            case when given then 'given' else 'taken back' end || ' (' || source || ')', '{}', null, null, '', false, 0
       from consents where customer = %(customer)s and at < %(before)s order by at desc limit %(most)s)
    union all
    (select at, 'feeling', feeling, evidence, '{}', null, null, source, false, 0
       from feelings where customer = %(customer)s and at < %(before)s order by at desc limit %(most)s)
    union all
    (select r.entered_at, 'not entered', r.journey, concat_ws(': ', r.reason, nullif(r.detail, '')), '{}',
            r.journey, r.entry, '', true, 0
       from runs r where r.customer = %(customer)s and r.state = 'not_admitted' and r.entered_at < %(before)s
      order by r.entered_at desc limit %(most)s)
    union all
    (select p.at, 'promise', p.name, concat_ws(': ', replace(p.state, '_', ' '), nullif(p.reason, '')), '{}',
            o.journey, o.entry, '', p.state in ('late', 'broken', 'kept_late'), 0
       from own o join promises p using (entry) where p.at < %(before)s order by p.at desc limit %(most)s)
    union all
    (select t.at, 'decision', t.kind, t.why, '{}', o.journey, o.entry, t.address,
            t.kind in ('failed', 'condition_error', 'stopped', 'not_sent'), t.sequence
       from own o join trace t using (entry) where t.at < %(before)s and %(decisions)s
      order by t.at desc, t.sequence desc limit %(most)s)
)
select at, kind, title, why, said, journey, entry, place, bad from lines
 order by at desc, nth desc, kind limit %(most)s
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class Line:
    """Something that happened. `why`: the reason or what became of it; `said`: what came with it; `bad`: to look at.

    `place`: the channel, or the step of a decision. Decisions and messages stand at run time, all else at wall time.
    """

    at: datetime
    kind: str
    title: str
    why: str
    said: dict[str, JsonValue]
    journey: str | None
    entry: int | None
    place: str
    bad: bool


class CustomerTimelineStore:
    """Reads one customer's line of time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def lines(
        self,
        customer: str,
        before: datetime,
        *,
        decisions: bool = True,
        most: int = MOST_LINES,
    ) -> list[Line]:
        """The newest before an instant, the newest of them first. `decisions`: with what runs decided and why."""
        asked: dict[str, Any] = {
            "customer": customer,
            "before": before,
            "decisions": decisions,
            "most": most,
        }
        async with one_statement(self._pool) as connection:
            rows = await (await connection.execute(_LINES, asked)).fetchall()
        return [Line(**row) for row in rows]
