"""Which message a provider speaks of: by our mark, by its key, or by the id that the ledger has of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.delivery_feedback import Feedback
from contracts.delivery_mark import delivery_mark, marked
from journey.effects import Purpose
from stores.database import Connection, jsonb

_FIND = """
with asked as (
    select * from jsonb_to_recordset(%s) as a(place int, key text, entry bigint, n bigint, ids text[])
)
select a.place, a.entry is not null and a.entry = d.entry and a.n = d.n as by_mark, d.key,
       d.customer, d.journey, d.message, d.channel, d.address, d.purpose
  from asked a join lateral (
      select 1 as surely, * from deliveries where key = a.key
      union all
      select 2, * from deliveries where entry = a.entry and n = a.n
      union all
      select 3, * from deliveries where provider_id = any(a.ids)
  ) d on d.channel is not null
 order by a.place, d.surely, d.key
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class ReportedDelivery:
    """A message that left, as far as what is reported of it concerns."""

    key: str
    customer: str
    journey: str
    message: str
    channel: str
    address: str | None
    purpose: Purpose


KnownFeedback = tuple[Feedback, ReportedDelivery]


async def find_deliveries(
    connection: Connection, reported: Sequence[Feedback]
) -> list[KnownFeedback]:
    """Each report with its delivery, where it has one."""
    cursor = await connection.execute(
        _FIND, [jsonb([_asked(place, each) for place, each in enumerate(reported)])]
    )
    found: dict[int, ReportedDelivery] = {}
    for row in await cursor.fetchall():
        place: int = row.pop("place")
        if row.pop("by_mark") and reported[place].mark != delivery_mark(row["key"]):
            continue  # the numbers are those of another installation
        found.setdefault(place, ReportedDelivery(**row))
    return [(each, found[place]) for place, each in enumerate(reported) if place in found]


def _asked(place: int, feedback: Feedback) -> dict[str, object]:
    entry, n = marked(feedback.mark) or (None, None)
    return {
        "place": place,
        "key": feedback.mark,
        "entry": entry,
        "n": n,
        "ids": [each for each in feedback.provider_ids if each],
    }
