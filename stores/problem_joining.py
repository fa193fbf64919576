"""Joining a problem: each customer once, in the transaction that found them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString

from stores.database import Connection, jsonb

_JOIN: LiteralString = """
with wanted as (
    select distinct on (w.customer) w.customer, w.how, w.run, w."case"
      from jsonb_to_recordset(%(rows)s) as w(customer text, how text, run text, "case" text)
     order by w.customer
), known as (
    update problem_touched t set "case" = coalesce(w."case", t."case"), run = coalesce(t.run, w.run)
      from wanted w
     where t.problem = %(problem)s and t.customer = w.customer
       and (w."case" is not null and t."case" is distinct from w."case"
            or w.run is not null and t.run is null)
)
insert into problem_touched (touched, problem, customer, how, run, "case", joined_at)
select %(problem)s || '/' || w.customer, %(problem)s, w.customer, w.how, w.run, w."case", %(at)s
  from wanted w
 where not exists (select 1 from problem_touched t
                    where t.problem = %(problem)s and t.customer = w.customer)
on conflict (touched) do nothing
"""


async def join(
    connection: Connection, problem: str, rows: Sequence[Mapping[str, str | None]], at: datetime
) -> int:
    """Let customers join: `customer`, `how`, and the `run` or `case` that ties them to it.

    Who has joined before stays as they are, but for a run or case that was not known.
    Returns how many are new.
    """
    if not rows:
        return 0
    values = {"problem": problem, "rows": jsonb([dict(row) for row in rows]), "at": at}
    return (await connection.execute(_JOIN, values)).rowcount
