"""What hostile people send, one file for each door that it is sent to."""

from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent / "corpora"


def corpus(name: str) -> Any:
    """What stands in a file of payloads."""
    return yaml.safe_load((_FOLDER / name).read_text(encoding="utf-8"))


def lines(name: str) -> list[str]:
    """Payloads of one line each; what begins with `## ` says of which kind those below are."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return [line for line in text.split("\n") if line and not line.startswith("## ")]
