"""What docs/moment.md shows is taken as it stands there."""

import re
from pathlib import Path

import orjson
import pytest

from journey.house_files import house_kind, read_house_file
from journey.moment_events import MOMENT_EVENTS
from stores.suggestions import AGAIN_AFTER

PAGE = (Path(__file__).parents[2] / "docs" / "moment.md").read_text(encoding="utf-8")
YAML = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)


def test_each_of_its_files_is_shown() -> None:
    shown = sorted(source.partition(":")[0] for source in YAML)
    assert shown == ["feelings", "personas", "problems"]


@pytest.mark.parametrize("source", YAML)
def test_each_file_on_the_page_has_nothing_wrong(source: str) -> None:
    kind = house_kind(source.partition(":")[0])
    assert kind is not None
    read_house_file(kind, source, f"{kind}.yaml")


def test_what_comes_back_is_what_the_api_takes() -> None:
    [told] = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    assert orjson.loads(told)["again_after"] == AGAIN_AFTER


def test_the_page_names_all_our_touchpoints() -> None:
    assert [event for event in MOMENT_EVENTS if f"`{event}`" not in PAGE] == []


def test_the_options_on_the_page_exist() -> None:
    from typer.main import get_command

    from cli.main import app

    group = get_command(app)
    commands = group.commands["problem"].commands  # type: ignore[attr-defined]  # a group of groups
    for name, options in re.findall(r"clew problem (\w+) ((?:[^\n\\]|\\\n)*)", PAGE):
        known = {option for each in commands[name].params for option in each.opts}
        assert set(re.findall(r"--[a-z-]+", options)) <= known
