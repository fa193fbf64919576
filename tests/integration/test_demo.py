"""The demo ends by itself, and everyone who booked is accounted for."""

from datetime import date
from pathlib import Path

import pytest

from cli.demo.left import clock_of
from tests.integration.flown_demo import FlownDemo

pytestmark = pytest.mark.timeout(420)


async def test_everyone_who_booked_is_accounted_for_at_the_end_of_the_day(tmp_path: Path) -> None:
    demo = await FlownDemo.begin(tmp_path, "--passengers", "20", "--speed", "1000", "--no-browser")
    async with demo:
        account = await demo.account()

    assert account["passengers"] == 20
    assert account["finished"] + account["travelling"] + account["with_staff"] == 20
    assert (account["lost"], account["twice"], account["unknown"]) == (0, 0, 0)
    assert account["touchpoints"] > 100
    assert account["deliveries"]["sent"] > 0
    assert account["cases"] > 0
    assert account["seconds"] > 0
    assert {"p50", "p99"} <= account["lateness"].keys()
    assert "balances: 20 passengers" in demo.said()
    assert "generated passengers" in demo.said()

    # `clew up --state` shows that day afterwards, not the empty one of today.
    clock = clock_of(tmp_path / "state")
    assert clock is not None
    assert clock.run_epoch.date() == date(2013, 2, 9)


async def test_a_folder_of_somebody_elses_is_never_emptied(tmp_path: Path) -> None:
    precious = tmp_path / "state" / "precious.txt"
    precious.parent.mkdir()
    precious.write_text("mine")

    demo = await FlownDemo.begin(tmp_path, "--passengers", "1", "--no-browser")
    with pytest.raises(AssertionError, match="not from a demo"):
        await demo.account()

    assert precious.read_text() == "mine"


@pytest.mark.parametrize(
    ("day", "words"), [("2014-01-01", "no flights on 2014-01-01"), ("soon", "not a day")]
)
async def test_a_day_without_flights_is_refused_in_words(
    tmp_path: Path, day: str, words: str
) -> None:
    demo = await FlownDemo.begin(tmp_path, "--day", day, "--no-browser")

    with pytest.raises(AssertionError, match=words):
        await demo.account()
