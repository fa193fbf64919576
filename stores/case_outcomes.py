"""What came of the decisions of a queue: the goal of its run, whether the case came again, what the customer felt."""

from datetime import UTC, datetime, timedelta
from typing import LiteralString

from journey.queues import QueuesFile
from journey.spans import read_span
from journey.worked_before import PastDecision
from stores.case_minding import queue_of
from stores.database import Connection

MOST = 500
"""So many of the newest decided cases of a queue are looked at."""

# One look at an index for each case of the queue; nothing here grows with the number of customers.
_PAST: LiteralString = """
with decided as materialized (
    select "case", entry, workflow_id, customer from cases
     where queue = %(queue)s and decision is not null
     order by coalesce(resolved_at, reopened_at) desc nulls last limit %(most)s
), goals as materialized (
    select version, convert_from(canonical, 'UTF8')::jsonb ->> 'goal' is not null as has_goal
      from definitions where version in (select r.version from runs r join decided using (entry))
)
select substr(e.did, 9) as decision, e.at, d.workflow_id <> '' as of_a_run,
       coalesce(p.traits -> 'personas', '[]'::jsonb) as personas,
       (select min(o.at) from case_events o
         where o."case" = d."case" and o.did = 'reopened' and o.event > e.event) as reopened_at,
       (select case when r.goal then true when r.state = 'finished' and g.has_goal then false end
          from runs r left join goals g using (version) where r.entry = d.entry) as goal,
       array(select a.answer_group from answers a
              where a.customer = d.customer and a.at between e.at and e.at + %(within)s) as answers,
       array(select f.feeling from feelings f
              where f.customer = d.customer and f.at > e.at and f.at <= e.at + %(within)s) as feelings
  from decided d join case_events e on e."case" = d."case" and e.did like 'decided %%'
  left join customers p on p.customer = d.customer
"""


async def past_decisions(
    connection: Connection, house: QueuesFile | None, queue: str
) -> list[PastDecision]:
    """The newest decisions of a queue, and what came of each within the time in which it would be opened again."""
    of = queue_of(house, queue)
    span = read_span(of.reopen_within)
    cursor = await connection.execute(
        _PAST, {"queue": queue, "most": MOST, "within": _about(of.reopen_within)}
    )
    found: list[PastDecision] = []
    for row in await cursor.fetchall():
        judged_from = span.after(row["at"], of.zone)
        reopened = row["reopened_at"]
        found.append(
            PastDecision(
                decision=row["decision"],
                personas=frozenset(row["personas"]),
                judged_from=judged_from,
                reopened=reopened is not None and reopened <= judged_from,
                of_a_run=row["of_a_run"],
                goal=row["goal"],
                answers=tuple(row["answers"]),
                feelings=tuple(row["feelings"]),
            )
        )
    return found


def _about(span: str) -> timedelta:
    """A length of time in which answers and feelings are looked for."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return read_span(span).after(start, "UTC") - start
