"""What erasing a customer does with searches that staff keep, and with the files of them."""

from typing import LiteralString

from stores.held_rules import Goes, Held

TABLES_OF_SEARCHES: dict[LiteralString, Held] = {
    "search_files": Held(
        erase=Goes(),
        whose="t.customers && %(ids)s::text[]",
        withheld={
            "a file of many customers, made of rows that are given": "file search due_at made_at rows cut"
            " customers content failed"
        },
    ),
    "saved_searches": Held(
        erase=Goes(),
        whose="(lower(trim(t.conditions ->> 'value')) = any(%(addresses)s) or exists ("
        "select from identities i where i.customer = any(%(ids)s)"
        " and lower(i.value) = lower(t.conditions ->> 'value')))",
        withheld={
            "what staff search for": "search name conditions traits format every weekday hour zone saved_by"
            " saved_at next_at due_at failures"
        },
    ),
}
"""Files before the searches that they are of, and both before identities, by which a search is known."""
