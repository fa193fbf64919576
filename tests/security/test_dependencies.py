"""What an installation runs that others wrote: named, pinned by hash, from one registry, under licences we may ship."""

import re
from datetime import date
from importlib import metadata
from typing import Any

import pytest

from deploy.software_bill import BILL, US, bill, direct, locked, runtime, text

REGISTRY = {"registry": "https://pypi.org/simple"}
SHA_256 = re.compile(r"sha256:[0-9a-f]{64}")
# GPL and AGPL bind whoever ships us; LGPL (psycopg) and MPL bind changes of the library itself.
REFUSED = re.compile(r"(?<![A-Za-z])A?GPL|GNU (?:Affero )?General Public", re.IGNORECASE)
# Their metadata says nothing; their repositories do.
SAYS_NOTHING = {"mrml"}


def licence_of(name: str) -> str:
    told = metadata.metadata(name)
    classifiers = [each for each in told.get_all("Classifier") or [] if "License ::" in each]
    return told["License-Expression"] or "; ".join(classifiers) or (told["License"] or "")[:200]


def refused(licences: dict[str, str]) -> list[str]:
    return [name for name, said in licences.items() if REFUSED.search(said)]


def test_the_bill_of_what_runs_is_the_one_that_is_published() -> None:
    assert text(locked()) == BILL.read_text(), "the lock changed: make sbom"


def test_every_archive_is_pinned_by_its_hash_and_comes_from_one_registry() -> None:
    for name, package in locked().items():
        if name == US:
            continue
        assert package["source"] == REGISTRY, name
        archives = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        assert archives, name
        assert all(SHA_256.fullmatch(each["hash"]) for each in archives), name


def test_nothing_that_runs_is_under_a_licence_that_would_bind_ours() -> None:
    licences = {name: licence_of(name) for name in runtime(locked()) if _installed(name)}

    assert refused(licences) == []
    assert {name for name, said in licences.items() if not said} == SAYS_NOTHING


@pytest.mark.parametrize(
    "said", ["GPL-3.0-only", "AGPL-3.0-or-later", "GNU General Public License v3"]
)
def test_a_licence_that_would_bind_ours_is_noticed(said: str) -> None:
    assert refused({"one": said, "two": "LGPL-3.0-only", "three": "MIT"}) == ["one"]


def test_figures() -> None:
    packages = locked()
    parts, named = runtime(packages), direct(packages)
    oldest = min((_released(part), name) for name, part in parts.items())
    print(f"\n{len(named)} direct, {len(parts) - len(named)} by way of them, oldest {oldest}")
    assert set(named) <= set(parts)
    assert len(bill(packages)["components"]) == len(parts)


def _released(package: Any) -> date:
    archives = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
    return max(date.fromisoformat(each["upload-time"][:10]) for each in archives)


def _installed(name: str) -> bool:
    """Packages of other platforms are in the lock and not here."""
    try:
        metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return False
    return True
