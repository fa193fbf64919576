"""Programs that Go builds from source, where there is Go."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

LAST_WORDS = 500


class GoBuildError(RuntimeError):
    """Go could not build them; the message is the last of what it said."""


def go_install(go: str, wanted: Mapping[str, Path]) -> None:
    """Build each package (`module/path@version`) and put its program at the path. Raises: `GoBuildError`."""
    [cache] = {file.parent for file in wanted.values()}
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        environment = {**os.environ, "GOBIN": folder, "CGO_ENABLED": "0", "GOFLAGS": ""}
        built = subprocess.run(
            [go, "install", *wanted], env=environment, check=False, capture_output=True, text=True
        )
        if built.returncode != 0:
            raise GoBuildError(built.stderr.strip()[-LAST_WORDS:])
        for package, file in wanted.items():
            (Path(folder) / Path(package.partition("@")[0]).name).rename(file)
