"""Whether what we are made of is as new as SECURITY.md promises: `python -m deploy.component_ages [--weaknesses FILE]`.

Asks the package index once, by `uv lock --upgrade` on a copy, which newer versions our bounds allow, and keeps the
answer in docs/security/components.json. With `--weaknesses` it asks nobody: it reads records in the form of OSV
(https://ossf.github.io/osv-schema; a file with a list, or the archive that osv.dev publishes for PyPI) and says
which of them touch the lock, since when, and until when they must be mended. Exit code 1: a time frame is over.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.software_bill import CLONE, LOCK, Package, locked

KEPT = CLONE / "docs" / "security" / "components.json"
NEWER_WITHIN = timedelta(days=30)
"""A newer version that our bounds allow is taken up so soon after it came out."""

MENDED_WITHIN = {"CRITICAL": timedelta(days=7), "HIGH": timedelta(days=30)}
"""A weakness is mended so soon after it became known, by how severe its record says it is; others within `OTHERS`."""

OTHERS = timedelta(days=90)
COPIED = ("pyproject.toml", "uv.lock", "README.md")


@dataclass(slots=True, frozen=True, kw_only=True)
class Behind:
    """A component of which there is a newer version; days when each came out."""

    name: str
    ours: str
    newest: str
    newest_since: date

    def overdue(self, today: date) -> bool:
        """Whether the newer one has been there for longer than we allow ourselves."""
        return today - self.newest_since > NEWER_WITHIN


@dataclass(slots=True, frozen=True, kw_only=True)
class Weakness:
    """A known weakness of a version that we have."""

    id: str
    name: str
    version: str
    severity: str
    known_since: date

    @property
    def mended_by(self) -> date:
        """The last day on which it may still be there."""
        return self.known_since + MENDED_WITHIN.get(self.severity, OTHERS)


def behind(ours: Mapping[str, Package], newest: Mapping[str, Package]) -> list[Behind]:
    """What is not the newest that our bounds allow."""
    return [
        Behind(
            name=name,
            ours=ours[name]["version"],
            newest=package["version"],
            newest_since=came_out(package),
        )
        for name, package in sorted(newest.items())
        if name in ours and package["version"] != ours[name]["version"]
    ]


def came_out(package: Package) -> date:
    """The day on which the first archive of a version was there, as the index says."""
    archives = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
    return min(datetime.fromisoformat(each["upload-time"]).date() for each in archives)


def touching(ours: Mapping[str, Package], records: Iterable[Mapping[str, Any]]) -> list[Weakness]:
    """The weaknesses of versions in the lock; what was withdrawn is none."""
    return [
        Weakness(
            id=record["id"],
            name=name,
            version=ours[name]["version"],
            severity=str(record.get("database_specific", {}).get("severity", "UNKNOWN")).upper(),
            known_since=datetime.fromisoformat(record["published"]).date(),
        )
        for record in records
        if not record.get("withdrawn")
        for name in sorted(_named(record) & set(ours))
        if ours[name]["version"] in _versions(record, name)
    ]


def _named(record: Mapping[str, Any]) -> set[str]:
    return {
        each["package"]["name"].lower().replace("_", "-")
        for each in record.get("affected", ())
        if each.get("package", {}).get("ecosystem") == "PyPI"
    }


def _versions(record: Mapping[str, Any], name: str) -> set[str]:
    """Each version by itself, as records of PyPI list them beside their ranges."""
    return {
        version
        for each in record["affected"]
        if each["package"]["name"].lower().replace("_", "-") == name
        for version in each.get("versions", ())
    }


def read_records(file: Path) -> Iterator[Mapping[str, Any]]:
    """Records of a file with a list of them, or of an archive with one in each file."""
    if file.suffix == ".zip":
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                yield json.loads(archive.read(name))
        return
    yield from json.loads(file.read_text())


def newest() -> dict[str, Package]:
    """What the index has now, within our bounds; our own lock stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        for name in COPIED:
            shutil.copy(CLONE / name, Path(folder) / name)
        uv = shutil.which("uv", path=f"{CLONE / '.venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin")
        subprocess.run([uv or "uv", "lock", "--upgrade", "--quiet"], cwd=folder, check=True)
        return locked(Path(folder) / "uv.lock")


def told(found: Sequence[Behind], today: date) -> dict[str, Any]:
    """What is kept: of which lock, of which day, and what was behind."""
    return {
        "lock": hashlib.sha256(LOCK.read_bytes()).hexdigest(),
        "asked": today.isoformat(),
        "behind": [
            {
                "name": each.name,
                "ours": each.ours,
                "newest": each.newest,
                "newest_since": each.newest_since.isoformat(),
            }
            for each in found
        ],
    }


def main(arguments: Sequence[str], today: date) -> int:
    """0 where every time frame is kept."""
    words = argparse.ArgumentParser(prog="python -m deploy.component_ages")
    words.add_argument("--weaknesses", type=Path, help="records of OSV: a list, or an archive")
    file: Path | None = words.parse_args(arguments).weaknesses
    if file is not None:
        known = touching(locked(), read_records(file))
        for each in known:
            late = "OVERDUE" if today > each.mended_by else "mend"
            print(f"{each.name} {each.version}: {each.id}, {late} by {each.mended_by}")
        print(f"{len(known)} known weaknesses")
        return 1 if any(today > each.mended_by for each in known) else 0
    found = behind(locked(), newest())
    KEPT.write_text(json.dumps(told(found, today), indent=2) + "\n")
    for one in found:
        late = " OVERDUE" if one.overdue(today) else ""
        print(f"{one.name} {one.ours} -> {one.newest}, since {one.newest_since}{late}")
    print(f"{len(found)} of {len(locked())} have a newer version; kept in {KEPT}")
    return 1 if any(one.overdue(today) for one in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], datetime.now(UTC).date()))
