"""Which fields a role may write is documented door by door, and is what the doors go by (ASVS V8.1.2)."""

from pathlib import Path

from api.doors import DOORS, Door

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security" / "who-may-what.md"


def line_of(door: Door) -> str:
    """The line of a door in the table of fields."""
    fields = [*(f"`{each}`" for each in door.fields), *(f"`{each}`?" for each in door.optional)]
    return f"| {door.method} {door.path} | {door.role} | {', '.join(fields)} |"


def written(page: str) -> list[str]:
    """The lines of the table of fields."""
    table = page.partition("## Fields\n")[2].partition("\n\nWho writes")[0]
    return [each for each in table.splitlines() if each.startswith("| ") and " /" in each]


def test_each_field_that_staff_may_write_is_documented_with_the_role_that_it_takes() -> None:
    taking = [each for each in DOORS if each.proof == "staff" and (each.fields or each.optional)]

    assert len(taking) > 10
    assert written(PAGE.read_text()) == [line_of(each) for each in taking]


def test_what_depends_on_the_state_and_who_reads_what_is_documented() -> None:
    page = PAGE.read_text()

    for each in ("a case", "a problem", "a customer, by their own link", "a sealed history"):
        assert f"| {each} |" in page
    assert "once it was decided or closed" in page
