"""Migrations only add: while a deployment rolls, the code of the release before works on the same tables.

A statement that takes something away, or asks for more than before, says in a comment within it, beginning
`-- old code:`, why the release before does not mind: which release stopped using it, or what it never did.
"""

import re
from pathlib import Path

import pytest

VERSIONS = Path(__file__).parents[2] / "stores" / "migrations" / "versions"
REASON = "-- old code:"

CONTRACTS = {
    "takes something away": r"\bdrop\s+(table|column|index|constraint|view|function|type|sequence|trigger)\b",
    "changes a name": r"\brename\s+(to|column|constraint)\b",
    "changes a type": r"\balter\s+column\s+\w+\s+(set\s+data\s+)?type\b",
    "asks for a value": r"\balter\s+column\s+\w+\s+set\s+not\s+null\b",
    "takes a default away": r"\balter\s+column\s+\w+\s+drop\s+default\b",
    "refuses what was allowed": r"\balter\s+table\b[^;]*\badd\s+constraint\b",
}


def statements(sql: str) -> list[tuple[str, str]]:
    """Each statement without its comments, and its comments, those above it included."""
    found = list[tuple[str, str]]()
    for part in re.split(r";[ \t]*(?:--[^\n]*)?(?:\n|$)", sql):
        comments = "\n".join(re.findall(r"--[^\n]*", part))
        found.append((re.sub(r"--[^\n]*", "", part).lower(), comments))
    return found


def contracting(sql: str) -> list[str]:
    """What the statements of a migration demand of old code without saying why it does not mind."""
    made = set(re.findall(r"create table (?:if not exists )?(\w+)", sql.lower()))
    found = list[str]()
    for statement, comments in statements(sql):
        if REASON in comments:
            continue
        words = " ".join(statement.split())[:90]
        found += [
            f"{why}: {words}" for why, form in CONTRACTS.items() if re.search(form, statement)
        ]
        if _new_duty(statement):
            found.append(f"asks for a value: {words}")
        unique = re.search(r"create unique index (?:if not exists )?\w+\s+on (\w+)", statement)
        if unique is not None and unique[1] not in made:
            found.append(f"refuses what was allowed: {words}")
    return found


def _new_duty(statement: str) -> bool:
    added = re.findall(r"add column (?:if not exists )?(\w+ [^,]*(?:\([^)]*\)[^,]*)*)", statement)
    return any(
        "not null" in column and "default" not in column and "generated" not in column
        for column in added
    )


@pytest.mark.parametrize("file", sorted(VERSIONS.glob("*.sql")), ids=lambda file: file.stem)
def test_the_release_before_works_on_the_new_tables(file: Path) -> None:
    assert contracting(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "sql",
    [
        "drop table runs;",
        "alter table runs drop column stage;",
        "alter table runs rename column stage to place;",
        "alter table runs alter column stage set not null;",
        "alter table runs\n    add column place text not null, -- where\n    add column n integer;",
        "alter table runs alter column key type integer;",
        "create unique index one_name on customers (name);",
        "alter table runs add constraint known check (state <> 'odd');",
        "drop index one_open_run;",
    ],
)
def test_what_old_code_would_stumble_over_is_refused(sql: str) -> None:
    assert len(contracting(f"-- What it is for.\n{sql}\n")) == 1
    assert contracting(f"-- old code: 0.1 stopped reading it\n{sql}\n") == []


def test_what_only_adds_is_welcome() -> None:
    sql = """
    create table visits (visit bigint primary key, at timestamptz not null);
    create unique index one_visit on visits (at);
    alter table runs add column place text not null default '', add column seen numeric(10, 2);
    create index runs_by_place on runs (place);
    """
    assert contracting(sql) == []
