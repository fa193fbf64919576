"""Feelings, problems and personas are checked and published from their files."""

from pathlib import Path

import pytest

from cli.journey_files import check_files, find_files

FEELINGS = "feelings: [{feeling: upset}]\nrules: [{feeling: upset, on: Payment Failed, for: 3d}]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "feelings.yaml").write_text(FEELINGS)
    return tmp_path


def test_a_folder_or_the_file_itself_names_the_feelings_of_the_house(folder: Path) -> None:
    for path in (folder, folder / "feelings.yaml"):
        checked = check_files(find_files([path]), None)
        assert [(each.kind, each.path) for each in checked.house] == [
            ("feelings", folder / "feelings.yaml")
        ]
        assert checked.problems == []


def test_what_is_wrong_with_them_is_told_once_with_its_place(folder: Path) -> None:
    (folder / "feelings.yaml").write_text(FEELINGS.replace("{feeling: upset}", "{feeling: glad}"))
    (folder / "personas.yaml").write_text(
        "personas: [{persona: p, title: T, match: [{when: counts.x > 1, because: b}]}]"
    )
    found = find_files([folder, folder / "personas.yaml"])

    checked = check_files(found, None)

    told = [str(problem) for problem in checked.problems]
    assert len(told) == 2
    assert f"{folder / 'feelings.yaml'}:2:10" in told[0]
    assert "counts.x is not counted" in told[1]
    assert checked.house == []


def test_personas_beside_a_journey_are_published_only_where_they_are_named(folder: Path) -> None:
    personas = folder / "personas.yaml"
    personas.write_text("personas: [{persona: p, title: T}]")
    assert [each.kind for each in check_files(find_files([folder]), None).house] == ["feelings"]
    assert [each.kind for each in check_files(find_files([personas]), None).house] == ["personas"]
