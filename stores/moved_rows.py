"""What of a customer moves when two become one: every table with a column `customer` is named here.

A table that is made later is one more line. A row that moves is logged, so that it goes back when
the two are parted.
"""

from dataclasses import dataclass
from typing import LiteralString, cast


@dataclass(slots=True, frozen=True, kw_only=True)
class Moves:
    """Its rows get the id of the one that stays.

    `key`: columns that name a row. `place`: columns of which each customer has one row: where the
    one that stays has it already, `fold` says what becomes of that row (`s`) by the other one
    (`g`), which gives way.
    """

    key: tuple[LiteralString, ...] = ()
    place: tuple[LiteralString, ...] | None = None
    fold: LiteralString | None = None


@dataclass(slots=True, frozen=True)
class Keeps:
    """Its rows keep the id that they have, for this reason."""

    why: str


_PREFERENCES = """
    preferred_channel = coalesce(s.preferred_channel, g.preferred_channel),
    channels_off = array(select distinct unnest(s.channels_off || g.channels_off) order by 1),
    topics_off = array(select distinct unnest(s.topics_off || g.topics_off) order by 1),
    quiet_from = case when s.quiet_from is null then g.quiet_from else s.quiet_from end,
    quiet_to = case when s.quiet_from is null then g.quiet_to else s.quiet_to end,
    paused_until = greatest(s.paused_until, g.paused_until),
    locale = coalesce(s.locale, g.locale)
"""

_CONVERSATIONS = """
    address = case when g.heard_at > s.heard_at then g.address else s.address end,
    heard_at = greatest(s.heard_at, g.heard_at)
"""

TABLES: dict[LiteralString, Moves | Keeps] = {
    "answers": Moves(key=("ask",)),
    "cases": Moves(key=("case",)),
    "consents": Moves(key=("consent",)),
    "conversations": Moves(place=("channel",), fold=_CONVERSATIONS),
    "coupons": Moves(key=("key",)),
    "deliveries": Moves(key=("key",)),
    "delivery_feedback": Moves(key=("event_id",)),
    "devices": Moves(key=("channel", "token")),
    "entry_looks": Moves(place=("journey",)),
    "feelings": Moves(key=("reading",)),
    "group_members": Moves(place=("group_id",)),
    "identities": Moves(key=("kind", "value")),
    "inbound_messages": Moves(key=("reply",)),
    "inbox_messages": Moves(key=("message",)),
    "problem_signs": Moves(key=("sign",)),
    "problem_touched": Moves(key=("touched",)),
    "preferences": Moves(place=(), fold=_PREFERENCES),
    "short_links": Moves(key=("token",)),
    "shows": Moves(key=("entry", "n")),
    "suggestions_told": Moves(key=("message_id",)),
    "arrivals": Keeps("numbers are of one unit of routing; read for all ids of the customer"),
    "touchpoints": Keeps("many, and partitioned; read for all ids of the customer"),
    "runs": Keeps("follow when what was on its way to them has come: stores.joined_runs"),
    "listening": Keeps("follows its run"),
    "computed_traits": Keeps("folded from both by its rules: stores.computed_traits"),
    "customers": Keeps("the row of the one that goes stays, with merged_into"),
    "unsubscribes": Keeps("read by nobody since consents hold what stood in it"),
}
"""Every table with a column `customer`, and what becomes of its rows."""

_LOG = 'insert into merge_rows (merge, "table", key, was, made)'


def moving_statement() -> LiteralString:
    """One statement that moves all rows of `goes` to `stays`, and logs each under `merge`."""
    parts: list[LiteralString] = []
    for table, what in TABLES.items():
        if isinstance(what, Moves):
            parts += _parts(table, what)
    return "with " + ",\n".join(parts) + "\nselect 1"


def undoing_statements() -> list[LiteralString]:
    """Statements that take back what `moving_statement` logged, as far as it is still as it made it."""
    return [
        statement
        for table, what in TABLES.items()
        if isinstance(what, Moves)
        for statement in _undone(table, what)
    ]


def move_back_statement(table: LiteralString, columns: tuple[LiteralString, ...]) -> LiteralString:
    """Give rows of a table that were logged as moved back to `goes`."""
    same = " and ".join(f't."{column}" = k."{column}"' for column in columns) or "true"
    return f"""
        update {table} t set customer = %(goes)s
          from (select k.* from merge_rows r
                 cross join lateral jsonb_populate_record(null::{table}, r.key) k
                 where r.merge = %(merge)s and r."table" = '{table}'
                   and r.was is null and r.made is null) k
         where {same} and t.customer = %(stays)s
        """


def _parts(table: LiteralString, what: Moves) -> list[LiteralString]:
    columns = what.key if what.place is None else what.place
    key = ", ".join(f"'{column}', {{row}}.\"{column}\"" for column in columns)
    free = "true"
    parts: list[str] = []
    if what.place is not None:
        same = " and ".join(["s.customer = %(stays)s", *(f"s.{c} = g.{c}" for c in what.place)])
        free = f"not exists (select 1 from {table} s where {same})"
        parts = [
            f"gone_{table} as (delete from {table} g using {table} s"
            f" where g.customer = %(goes)s and {same} returning g.*)",
            f"gave_{table} as ({_LOG} select %(merge)s, '{table}', jsonb_build_object("
            f"{key.format(row='g')}), to_jsonb(g), null from gone_{table} g)",
        ]
        if what.fold is not None:
            parts += [
                f"folded_{table} as (update {table} s set {what.fold} from {table} g"
                f" where g.customer = %(goes)s and {same} returning s.*)",
                f"kept_{table} as ({_LOG} select %(merge)s, '{table}', jsonb_build_object("
                f"{key.format(row='s')}), to_jsonb(s), to_jsonb(f) from {table} s"
                f" join folded_{table} f on s.customer = f.customer"
                + "".join(f" and s.{c} = f.{c}" for c in what.place)
                + ")",
            ]
    parts += [
        f"moved_{table} as (update {table} g set customer = %(stays)s"
        f" where g.customer = %(goes)s and {free} returning g.*)",
        f"logged_{table} as ({_LOG} select %(merge)s, '{table}', jsonb_build_object("
        f"{key.format(row='g')}), null, null from moved_{table} g)",
    ]
    return cast("list[LiteralString]", parts)


def _undone(table: LiteralString, what: Moves) -> list[LiteralString]:
    if what.place is None:
        return [move_back_statement(table, what.key)]
    logged = f"""from merge_rows r where r.merge = %(merge)s and r."table" = '{table}'"""
    put_back = f"insert into {table} select p.* from (select r.was {logged} and r.was is not null"
    folded = [
        f"delete from {table} t using (select r.made {logged} and r.made is not null"
        f" and r.was is not null) r where to_jsonb(t) = r.made",
        f"{put_back} and r.made is not null) r"
        f" cross join lateral jsonb_populate_record(null::{table}, r.was) p on conflict do nothing",
    ]
    gave_way = (
        f"{put_back} and r.made is null) r"
        f" cross join lateral jsonb_populate_record(null::{table}, r.was) p on conflict do nothing"
    )
    statements = [move_back_statement(table, what.place), gave_way]
    return cast("list[LiteralString]", [*(folded if what.fold else []), *statements])
