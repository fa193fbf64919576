"""`clew backtest` from its files to what it prints."""

import json
from pathlib import Path

import pytest

from cli.main import app
from cli.output import CommandError
from tests.unit.insight.recordings import TEA


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "tea"
    (folder / "messages").mkdir(parents=True)
    (folder / "journey.yaml").write_text(TEA)
    (folder / "messages" / "how-was-it.md").write_text(
        '---\nsubject: "How was it?"\npurpose: marketing\n---\nTell us.\n'
    )
    return folder


def bought(customer: str, at: str, price: float = 3.0) -> str:
    told = {"price": price}
    return json.dumps(
        {"customer": customer, "event": "Tea Bought", "timestamp": at, "properties": told}
    )


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "past.jsonl"
    lines = [bought(f"guest-{n}", f"2026-03-0{n % 5 + 1}T10:00:00Z") for n in range(20)]
    path.write_text("\n".join([*lines, "nonsense", bought("ann", "2026-03-20T10:00:00Z")]) + "\n")
    return path


def backtest(*arguments: object) -> None:
    app(["backtest", *map(str, arguments)], standalone_mode=False)


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_last_line_of_json_is_one_object_with_all_figures(
    shop: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backtest(shop, "--events", events, "--json", "--examples", 1)
    figures = told(capsys)

    assert (figures["runs"], figures["customers"], figures["lines_wrong"]) == (21, 21, 1)
    assert figures["outcomes"]
    assert len(figures["examples"]) == 1  # pyright: ignore[reportArgumentType]


def test_a_person_reads_who_entered_and_why_not_and_which_line_is_wrong(
    shop: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backtest(shop, "--events", events)
    printed = capsys.readouterr()

    assert "tea: 21 touchpoints of 21 customers, 2026-03-01 to 2026-03-20" in printed.out
    assert "How it ended" in printed.out
    assert "held_out" in printed.out
    assert f"{events}:21: is not JSON" in printed.err


def test_only_what_is_between_the_days_counts(
    shop: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backtest(shop, "--events", events, "--json", "--from", "2026-03-02", "--until", "2026-03-03")

    assert told(capsys)["runs"] == 8


def test_a_sample_is_of_so_many_customers(
    shop: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backtest(shop, "--events", events, "--json", "--customers", 5)

    assert told(capsys)["customers"] == 5


def test_traits_are_told_beside_the_recording_and_staff_decide_by_rule(
    shop: Path, events: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    traits, staff = tmp_path / "customers.jsonl", tmp_path / "staff.yaml"
    gold = [
        json.dumps({"customer": f"guest-{n}", "traits": {"tier": "gold", "name": "Guest"}})
        for n in range(20)
    ]
    traits.write_text("\n".join([*gold, '{"traits": {}}']) + "\n")
    staff.write_text("hosts: {decision: came, after: 1h}\n")

    backtest(shop, "--events", events, "--traits", traits, "--staff", staff, "--json")
    figures = told(capsys)

    assert figures["cases"] == [{"queue": "hosts", "decided": "came", "cases": 20}]
    assert figures["lines_wrong"] == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--events", "nowhere.jsonl"), "nowhere.jsonl: there is no such file"),
        (("--events", "{events}", "--from", "soon"), "--from soon: is no day"),
        (("--events", "{events}", "--from", "2027-01-01"), "No touchpoint is between"),
        (("--events", "{events}", "--day", "2013-02-08"), "--day chooses a day of"),
        (("--events", "{events}", "--staff", "rules.yaml"), "there is no such file"),
        (("--events", "{events}", "--traits", "who.jsonl"), "there is no such file"),
        (("--events", "flights", "--day", "2014-02-08"), "There are no flights on 2014-02-08"),
    ],
)
def test_what_cannot_be_done_names_the_option_and_the_remedy(
    shop: Path, events: Path, arguments: tuple[str, ...], said: str
) -> None:
    given = [each.replace("{events}", str(events)) for each in arguments]

    with pytest.raises(CommandError, match=said):
        backtest(shop, *given)


def test_a_journey_with_a_fault_is_not_played(
    shop: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "journey.yaml").write_text(TEA.replace("finish: lost", "go: nowhere"))

    with pytest.raises(CommandError, match="nothing was played"):
        backtest(shop, "--events", events)
    assert "nowhere" in capsys.readouterr().err


def test_purchases_that_are_not_installed_say_how_to_get_them(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("insight.recorded_touchpoints.find_spec", lambda _: None)

    with pytest.raises(CommandError, match=r"uv pip install --no-deps lifetimes"):
        backtest(shop, "--events", "cdnow")


def test_a_real_day_of_flights_is_played_with_the_desk_of_that_day(
    capsys: pytest.CaptureFixture[str],
) -> None:
    journey = Path(__file__).parents[3] / "examples" / "flight"

    backtest(journey, "--events", "flights", "--passengers", 40, "--json")
    figures = told(capsys)

    assert figures["runs"] == 40
    assert figures["promises"]
    assert all(case["decided"] != "open" for case in figures["cases"] if case["queue"] == "baggage")  # pyright: ignore[reportGeneralTypeIssues]
