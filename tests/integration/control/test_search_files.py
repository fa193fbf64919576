"""What is found becomes a file, safe in a spreadsheet and in the audit; on time too, once, and not for long."""

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import httpx2 as httpx
import pytest

from stores import run_files
from stores.erased_rows import seek, take_out
from stores.run_files import FileWanted
from stores.saved_searches import KEPT, SavedSearchStore, Schedule
from stores.wanted_runs import WantedRuns
from tests.integration.control.conftest import Control
from tests.integration.control.test_search_page import counted, give, searched
from tests.integration.inbox.staff_house import HOSTILE, Browser, said
from tests.security.payloads import corpus

SEARCH = "/control/search"
NOW = datetime(2026, 11, 28, 5, tzinfo=UTC)
FORMULAS: list[str] = corpus("injection.yaml")["formulas"]
KEEPING = {"name": "All of tea", "format": "csv", "every": "day", "hour": "6", "zone": "UTC"}


def read(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


async def deeds(control: Control, did: str) -> list[dict[str, Any]]:
    return await control.house.rows(
        "select who, object, detail from audit where did = %s order by audit", did
    )


async def as_member(control: Control, member: str, role: Any) -> Browser:
    if role is not None:
        await control.house.hire(member, member.title(), role, [])
    await control.house.signed_in(control.agent.client, member)
    await control.agent.goes(SEARCH)
    return control.agent


async def test_a_file_has_everybody_who_was_found_with_where_they_stand(control: Control) -> None:
    await give(control, 400, plan="gold", tags=["a", "b"])
    await searched(control.lead, journey="tea", state="under_way")

    answer = await control.lead.client.post(
        f"{SEARCH}/file",
        data={"csrf": control.lead.csrf, "journey": "tea", "state": "under_way", "format": "csv",
              "with": ["plan", "tags"]},
    )  # fmt: skip

    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    lines = read(answer)
    assert len(lines) == await counted(control, "r.state = 'open'")
    [row] = await control.house.rows(
        "select r.customer, r.version, r.stands, r.waits_for, r.wakes_at, i.value as named"
        " from runs r join identities i using (customer)"
        " where r.state = 'open' order by entry desc limit 1"
    )
    first = lines[0]
    assert (first["customer"], first["user_id"]) == (row["customer"], row["named"])
    assert (first["trait.plan"], first["trait.tags"]) == ("gold", '["a", "b"]')
    assert (first["journey"], first["version"], first["stage"]) == (
        "tea",
        row["version"],
        "tasting",
    )
    assert first["step"] == "; ".join(sorted(set(row["stands"]) - {"tasting"}))
    assert first["waits_for"] == "; ".join(row["waits_for"])
    assert datetime.fromisoformat(first["wakes_at"]) == row["wakes_at"]
    assert answer.content.count(b"\r\n") == len(lines) + 1
    [deed] = await deeds(control, "exported")
    assert deed["who"] == "lena"
    assert deed["detail"]["journey"] == "tea"
    assert deed["detail"]["rows"] == len(lines)


async def test_parquet_has_the_same_with_types(control: Control) -> None:
    await give(control, 400, plan="gold")
    await searched(control.lead, journey="tea", state="ended")
    answer = await control.lead.client.post(
        f"{SEARCH}/file",
        data={"csrf": control.lead.csrf, "journey": "tea", "state": "ended", "with": "plan", "format": "parquet"},
    )  # fmt: skip
    parquet: Any = import_module("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO(answer.content))
    rows: list[dict[str, Any]] = table.to_pylist()
    assert len(rows) == await counted(control, "r.state = 'finished'")
    kept = await control.house.rows(
        "select customer, outcome, goal, finished_at from runs where state = 'finished' order by entry desc"
    )
    assert [(r["customer"], r["ended_how"], r["goal"], r["ended_at"]) for r in rows] == [
        (r["customer"], r["outcome"], r["goal"], r["finished_at"]) for r in kept
    ]
    assert {r["trait.plan"] for r in rows} == {"gold"}


async def test_no_cell_is_a_formula_and_a_long_value_is_cut(control: Control) -> None:
    people = await give(control, len(FORMULAS), long="x" * 100_000)
    async with control.house.pool.connection() as connection:
        for customer, formula in zip(people, FORMULAS, strict=True):
            await control.house.customers.merge_traits(connection, customer, {"=1+1": formula})
        await connection.execute("update runs set key = %s", [HOSTILE + '",\r\n=2+2'])
    await control.lead.goes(SEARCH)
    answer = await control.lead.client.post(
        f"{SEARCH}/file",
        data={"csrf": control.lead.csrf, "journey": "tea", "with": ["=1+1", "long"], "format": "csv"},
    )  # fmt: skip
    cells = [c for row in csv.reader(io.StringIO(answer.content.decode(), newline="")) for c in row]
    blank = " \t\r\n\xa0\ufeff\u200b\0"
    assert [c for c in cells if c.lstrip(blank).startswith(("=", "+", "-", "@"))] == []
    assert max(map(len, cells)) <= 1_100
    told = {row["trait.=1+1"] for row in read(answer)}
    assert any(FORMULAS[0].strip()[:4] in each for each in told)


async def test_an_analyst_has_the_ids_of_the_house_and_no_addresses(control: Control) -> None:
    async with control.house.pool.connection() as connection:
        await connection.execute(
            "insert into identities (kind, value, customer)"
            " select 'email', customer || '@shop.example', customer from (select distinct customer from runs) c"
        )
    analyst = await as_member(control, "ana", None)
    fields = {"journey": "tea", "format": "csv"}
    by_analyst = await analyst.sends(f"{SEARCH}/file", **fields)
    await control.lead.goes(SEARCH)
    by_lead = await control.lead.sends(f"{SEARCH}/file", **fields)

    assert "@shop.example" not in by_analyst.text
    assert "email" not in read(by_analyst)[0]
    assert read(by_analyst)[0]["user_id"]
    assert read(by_lead)[0]["email"].endswith("@shop.example")


async def test_the_audit_of_a_file_names_nobody_but_by_our_id(control: Control) -> None:
    [customer] = await give(control, 1, email="anna@shop.example")
    await give(control, 5, plan="gold")
    for fields in (
        {"trait": "email", "comparison": "is", "value": "anna@shop.example"},
        {"trait": "plan", "comparison": "is", "value": "gold"},
    ):
        page = await searched(control.lead, **fields)
        number = str(page.url).rpartition("sought=")[2]
        asked = {"trait": fields["trait"], "comparison": "is", "sought": number, "format": "csv"}
        answer = await control.lead.sends(f"{SEARCH}/file", **asked)
        assert answer.status_code == 200
    of_one, of_many = await deeds(control, "exported")
    assert "anna" not in str(of_one["detail"])
    assert of_one["detail"]["customer"] == customer
    assert of_many["detail"]["value"] == "gold"


async def test_a_file_has_so_many_rows_at_most_and_says_so(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_files, "MOST_ROWS", 10)
    await control.lead.goes(SEARCH)
    answer = await control.lead.sends(f"{SEARCH}/file", journey="tea", format="csv")
    assert len(read(answer)) == 10
    assert "-first-10.csv" in answer.headers["content-disposition"]
    [deed] = await deeds(control, "exported")
    assert (deed["detail"]["rows"], deed["detail"]["cut"]) == (10, True)


async def test_a_search_that_is_kept_has_its_file_on_time_and_once(control: Control) -> None:
    control.house.now = NOW
    editor = await as_member(control, "edith", "editor")
    page = await editor.sends(f"{SEARCH}/saved", journey="tea", state="under_way", **KEEPING)
    assert "All of tea" in said(page)
    assert "2026-11-28 06:00 UTC" in said(page)
    routers = [SavedSearchStore(control.house.pool, control.house.clock) for _ in range(2)]

    assert not any([await each.round() for each in routers])
    control.house.now = NOW + timedelta(hours=1)
    made = await asyncio.gather(*(each.round() for each in routers))

    assert sorted(made) == [False, True]
    assert not any([await each.round() for each in routers])
    [file] = await control.house.rows("select file, rows, content, due_at from search_files")
    n = await counted(control, "r.state = 'open'")
    assert (file["rows"], file["due_at"]) == (n, control.house.now)
    listed = await control.lead.goes(SEARCH)
    assert f"{n} rows" in said(listed)
    given = await control.lead.sends(f"{SEARCH}/files/{file['file']}")
    assert given.content == file["content"]
    assert 'filename="All-of-tea-2026-11-28.csv"' in given.headers["content-disposition"]
    assert [d["who"] for d in await deeds(control, "downloaded a file")] == ["lena"]
    assert [d["who"] for d in await deeds(control, "made a file")] == ["clew"]
    assert [d["who"] for d in await deeds(control, "kept a search")] == ["edith"]


async def kept(control: Control, runs: WantedRuns) -> SavedSearchStore:
    """A search that is kept, and its first file."""
    control.house.now = NOW
    store = SavedSearchStore(control.house.pool, control.house.clock)
    schedule = Schedule(every="day", hour=6, zone="UTC")
    await store.keep("Tea", FileWanted(runs=runs), schedule, by="edith")
    control.house.now = NOW + timedelta(hours=1)
    assert await store.round()
    return store


async def test_a_search_that_fails_says_so_on_the_page_and_may_be_ended(control: Control) -> None:
    store = await kept(control, WantedRuns(journey="tea"))
    async with control.house.pool.connection() as connection:
        await connection.execute('update saved_searches set conditions = \'{"since": "x"}\'')
    control.house.now = NOW + timedelta(hours=25)
    assert await store.round()

    words = said(await control.lead.goes(SEARCH))

    assert "What it asks for cannot be read: end it, and keep it anew." in words
    assert "2026-11-29 06:05 UTC again; not made once" in words
    [row] = await control.house.rows("select search from saved_searches")
    opened = await control.lead.goes(f"{SEARCH}?saved={row['search']}")
    assert (opened.status_code, "end it, and keep it anew" in said(opened)) == (400, True)
    admin = await as_member(control, "root", None)
    assert "None. An editor" in said(await admin.sends(f"{SEARCH}/saved/{row['search']}/end"))


async def test_a_file_is_kept_seven_days_and_no_more(control: Control) -> None:
    store = await kept(control, WantedRuns(journey="tea"))
    [file] = await control.house.rows("select file from search_files")
    assert KEPT.days == 7

    control.house.now = NOW + timedelta(hours=1) + KEPT
    assert await store.give(file["file"], by="lena") is None, "also before it is deleted"
    await store.round()

    left = await control.house.rows("select made_at from search_files")
    assert [each["made_at"] for each in left] == [control.house.now], "what was missed is one file"


async def test_erasing_a_customer_takes_every_file_out_that_has_them(control: Control) -> None:
    await give(control, 3, plan="gold")
    await kept(control, WantedRuns(trait="plan", value="gold"))
    [gold] = await control.house.rows("select file, customers from search_files")
    others = await control.house.rows(
        "select customer from customers where customer <> all(%s) limit 1", gold["customers"]
    )
    for customer, left in ((others[0]["customer"], 1), (gold["customers"][0], 0)):
        async with control.house.pool.connection() as connection:
            sought = await seek(connection, customer)
            assert sought is not None
            await take_out(connection, sought)
        assert len(await control.house.rows("select from search_files")) == left
    assert len(await control.house.rows("select from saved_searches")) == 1


async def test_a_search_that_names_an_erased_customer_goes_with_them(control: Control) -> None:
    shop = control.house
    customer = await shop.known("anna", email="anna@shop.example")
    await kept(control, WantedRuns(trait="email", value="Anna@shop.example"))
    async with shop.pool.connection() as connection:
        sought = await seek(connection, customer)
        assert sought is not None
        await take_out(connection, sought)
    assert await shop.rows("select from saved_searches") == []


async def test_who_may_not_keep_or_download_is_told_who_may(control: Control) -> None:
    await kept(control, WantedRuns(journey="tea"))
    [file] = await control.house.rows("select file, search from search_files")
    await control.lead.goes(SEARCH)
    refused = await control.lead.sends(f"{SEARCH}/saved", journey="tea", **KEEPING)
    assert (refused.status_code, "An editor or an admin" in said(refused)) == (403, True)
    ended = await control.lead.sends(f"{SEARCH}/saved/{file['search']}/end")
    assert ended.status_code == 403
    analyst = await as_member(control, "ana", None)
    denied = await analyst.sends(f"{SEARCH}/files/{file['file']}")
    assert (denied.status_code, "a lead, an editor or an admin" in said(denied)) == (403, True)
    assert len(await control.house.rows("select from saved_searches")) == 1


async def test_an_admin_ends_a_search_and_its_files(control: Control) -> None:
    await kept(control, WantedRuns(journey="tea"))
    [file] = await control.house.rows("select file, search from search_files")
    admin = await as_member(control, "root", None)
    answer = await admin.sends(f"{SEARCH}/saved/{file['search']}/end")
    assert "None. An editor" in said(answer)
    assert await control.house.rows("select from search_files") == []
    again = await admin.sends(f"{SEARCH}/saved/{file['search']}/end")
    assert again.status_code == 404
    assert (await admin.sends(f"{SEARCH}/files/{file['file']}")).status_code == 404


async def test_what_is_not_kept_is_refused_with_the_remedy(control: Control) -> None:
    editor = await as_member(control, "edith", "editor")
    for fields, words in (
        ({"name": ""}, "Give the search a name"),
        ({"zone": "Prague"}, "such as Europe/Prague"),
        ({"hour": "25"}, "an hour from 0 to 23"),
        ({"every": "minute"}, "each day or each week"),
        ({"format": "xlsx"}, "Choose a format"),
        ({"journey": "nope"}, "no such journey"),
    ):
        answer = await editor.sends(f"{SEARCH}/saved", **{"journey": "tea", **KEEPING, **fields})
        assert answer.status_code == 400
        assert words in said(answer)
    page = await editor.sends(SEARCH, identity="guest-1")
    number = str(page.url).rpartition("sought=")[2]
    named = await editor.sends(f"{SEARCH}/saved", sought=number, **KEEPING)
    assert "asks for no identity" in said(named)
    assert await control.house.rows("select from saved_searches") == []
    await editor.sends(f"{SEARCH}/saved", journey="tea", **KEEPING)
    twice = await editor.sends(f"{SEARCH}/saved", journey="tea", **KEEPING)
    assert "give it another" in said(twice)
