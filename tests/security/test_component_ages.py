"""What we are made of is as new as SECURITY.md promises, and known weaknesses are mended in time (ASVS V15.2.1)."""

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.component_ages import (
    KEPT,
    MENDED_WITHIN,
    NEWER_WITHIN,
    OTHERS,
    Behind,
    behind,
    main,
    touching,
)
from deploy.software_bill import LOCK, locked

CLONE = Path(__file__).resolve().parents[2]
KNOWN = date(2026, 11, 1)
OURS = {"httpx2": {"version": "2.0.1"}, "starlette": {"version": "1.0.0"}}


def record(
    name: str = "httpx2", *versions: str, severity: str = "HIGH", **more: Any
) -> dict[str, Any]:
    """A weakness, as OSV tells it."""
    affected = {
        "package": {"ecosystem": "PyPI", "name": name},
        "versions": list(versions or ("2.0.0", "2.0.1")),
    }
    return {
        "id": "GHSA-1",
        "published": f"{KNOWN}T10:00:00Z",
        "affected": [affected],
        "database_specific": {"severity": severity},
        **more,
    }


def reported() -> tuple[date, list[Behind]]:
    """When the index was asked last, and what was behind then."""
    kept = json.loads(KEPT.read_text())
    return date.fromisoformat(kept["asked"]), [
        Behind(
            name=each["name"],
            ours=each["ours"],
            newest=each["newest"],
            newest_since=date.fromisoformat(each["newest_since"]),
        )
        for each in kept["behind"]
    ]


def test_the_report_is_of_the_lock_that_is_shipped() -> None:
    kept = json.loads(KEPT.read_text())
    assert kept["lock"] == hashlib.sha256(LOCK.read_bytes()).hexdigest(), (
        "the lock changed: python -m deploy.component_ages"
    )
    versions = {name: package["version"] for name, package in locked().items()}
    assert {each.name: each.ours for each in reported()[1]}.items() <= versions.items()


def test_nothing_in_the_report_is_overdue() -> None:
    asked, found = reported()
    assert [each.name for each in found if each.overdue(asked)] == []


def test_what_is_behind_is_found_and_overdue_once_its_time_is_over() -> None:
    since = {"sdist": {"upload-time": f"{KNOWN}T10:00:00Z"}}
    newest = {"httpx2": {"version": "2.0.2", **since}, "starlette": {"version": "1.0.0", **since}}

    (one,) = behind(OURS, newest)

    assert (one.name, one.ours, one.newest, one.newest_since) == ("httpx2", "2.0.1", "2.0.2", KNOWN)
    assert not one.overdue(KNOWN + NEWER_WITHIN)
    assert one.overdue(KNOWN + NEWER_WITHIN + timedelta(days=1))


@pytest.mark.parametrize(
    ("severity", "within"),
    [("CRITICAL", 7), ("HIGH", 30), ("MODERATE", 90), ("LOW", 90), ("UNKNOWN", 90)],
)
def test_a_known_weakness_has_its_time(severity: str, within: int) -> None:
    (one,) = touching(OURS, [record(severity=severity)])

    assert (one.id, one.name, one.version) == ("GHSA-1", "httpx2", "2.0.1")
    assert one.mended_by == KNOWN + timedelta(days=within)


@pytest.mark.parametrize(
    "told",
    [
        record("httpx2", "2.0.0"),
        record("requests"),
        record(withdrawn="2026-11-02T00:00:00Z"),
        {**record(), "affected": [{"package": {"ecosystem": "npm", "name": "httpx2"}}]},
    ],
)
def test_a_weakness_of_others_is_none_of_ours(told: dict[str, Any]) -> None:
    assert touching(OURS, [told]) == []


def test_the_check_of_weaknesses_asks_nobody_and_fails_when_a_time_is_over(tmp_path: Path) -> None:
    name, package = next((each, found) for each, found in locked().items() if each == "httpx2")
    file = tmp_path / "osv.json"
    file.write_text(json.dumps([record(name, package["version"])]))

    assert main(["--weaknesses", str(file)], KNOWN + timedelta(days=30)) == 0
    assert main(["--weaknesses", str(file)], KNOWN + timedelta(days=31)) == 1


def test_the_time_frames_are_those_that_are_promised() -> None:
    promised = " ".join((CLONE / "SECURITY.md").read_text().split())

    assert f"within {MENDED_WITHIN['CRITICAL'].days} days" in promised
    assert f"high severity within {MENDED_WITHIN['HIGH'].days}" in promised
    assert f"any other within {OTHERS.days}" in promised
    assert f"taken up within {NEWER_WITHIN.days} days" in promised
