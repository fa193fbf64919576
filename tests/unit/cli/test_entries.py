"""What staff ask for by command is refused before anything is asked, with what to write instead."""

from pathlib import Path

import pytest

from cli.entries import enter
from cli.output import WRONG_USE, CommandError


@pytest.mark.parametrize(
    ("customer", "given", "said"),
    [
        ("anna", ["journey=other"], "--property journey: this is a name of our own"),
        ("anna", ["plan=gold", "asked_by=me"], "--property asked_by: this is a name of our own"),
        (" ", [], "--customer: name the customer, in at most 200 characters"),
        ("x" * 201, [], "--customer: name the customer, in at most 200 characters"),
    ],
)
def test_what_cannot_be_asked_for_is_told_with_its_place(
    tmp_path: Path, customer: str, given: list[str], said: str
) -> None:
    with pytest.raises(CommandError) as refused:
        enter("upgrade", customer, given, state=tmp_path)

    assert refused.value.code == WRONG_USE
    assert said in str(refused.value)
