"""What a demo leaves behind is known again, whatever somebody did to it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.demo.left import clock_of, is_demo, leave

ENDED = datetime(2013, 2, 9, 10, 20, tzinfo=UTC)


def test_who_looks_at_a_day_that_is_over_sees_it_as_it_ended(tmp_path: Path) -> None:
    leave(tmp_path, ENDED)

    clock = clock_of(tmp_path)

    assert clock is not None
    assert clock.now(clock.wall_epoch) == ENDED
    assert clock.now(clock.wall_epoch + timedelta(hours=8)) < ENDED + timedelta(minutes=5)


def test_a_day_that_is_not_over_has_no_time_of_its_own(tmp_path: Path) -> None:
    leave(tmp_path)

    assert is_demo(tmp_path)
    assert clock_of(tmp_path) is None


@pytest.mark.parametrize(
    "written",
    ["", "{", "[]", '"x"', "{}", '{"ended": 3}', '{"ended": "soon"}', '{"ended": "2013-02-09"}'],
)
def test_what_somebody_else_wrote_there_is_no_time(tmp_path: Path, written: str) -> None:
    (tmp_path / "demo.json").write_text(written)

    assert clock_of(tmp_path) is None
    assert not is_demo(tmp_path / "elsewhere")
