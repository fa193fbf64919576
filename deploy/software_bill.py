"""The packages that run in an installation, as CycloneDX: `python -m deploy.software_bill [FILE]`.

Made of uv.lock alone, so that the same lock gives the same bytes: no time, no serial number. It has what any
platform may need of the runtime, and nothing of development.
"""

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

CLONE = Path(__file__).resolve().parents[1]
LOCK = CLONE / "uv.lock"
BILL = CLONE / "docs" / "security" / "sbom.cdx.json"
US = "clew"

Package = Mapping[str, Any]


def locked(lock: Path = LOCK) -> dict[str, Package]:
    """Every package of the lock, by its name."""
    found: list[dict[str, Any]] = tomllib.loads(lock.read_text())["package"]
    return {each["name"]: each for each in found}


def runtime(packages: Mapping[str, Package]) -> dict[str, Package]:
    """What an installation runs, directly or by way of another; not ourselves, and no extra of ours."""
    waiting: list[tuple[str, tuple[str, ...]]] = [(US, ())]
    reached: set[tuple[str, tuple[str, ...]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) not in reached:
            reached.add((name, extras))
            waiting.extend(_needs(packages[name], extras))
    return {name: packages[name] for name in sorted({name for name, _ in reached} - {US})}


def direct(packages: Mapping[str, Package]) -> list[str]:
    """What we name ourselves."""
    return sorted({name for name, _ in _needs(packages[US], ())})


def bill(packages: Mapping[str, Package]) -> dict[str, Any]:
    """The bill as CycloneDX 1.6."""
    parts = runtime(packages)
    us = {
        "type": "application",
        "bom-ref": US,
        "name": US,
        "version": packages[US]["version"],
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    edges = {US: direct(packages)} | {
        name: sorted({needed for needed, _ in _needs(part, tuple(part.get("optional-dependencies", ())))} & set(parts))
        for name, part in parts.items()
    }  # fmt: skip
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": us},
        "components": [_component(part) for part in parts.values()],
        "dependencies": [
            {"ref": name, "dependsOn": needed} for name, needed in sorted(edges.items())
        ],
    }


def text(packages: Mapping[str, Package]) -> str:
    """The file."""
    return json.dumps(bill(packages), indent=1, sort_keys=True) + "\n"


def _needs(package: Package, extras: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    named = list(package.get("dependencies", ()))
    for extra in extras:
        named.extend(package.get("optional-dependencies", {}).get(extra, ()))
    for each in named:
        yield each["name"], tuple(sorted(each.get("extra", ())))


def _component(package: Package) -> dict[str, Any]:
    """The hash is of the source archive; the lock has those of every wheel."""
    name, version = package["name"], package["version"]
    archive = package.get("sdist") or package["wheels"][0]
    algorithm, _, value = archive["hash"].partition(":")
    return {
        "type": "library",
        "bom-ref": name,
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "hashes": [{"alg": {"sha256": "SHA-256"}[algorithm], "content": value}],
    }


if __name__ == "__main__":
    written = Path(sys.argv[1]) if len(sys.argv) > 1 else BILL
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(text(locked()))
    sys.stdout.write(f"{written}: {len(runtime(locked()))} packages\n")
