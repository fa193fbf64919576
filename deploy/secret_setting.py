"""A secret that a job is told: by a setting, or by the file that the setting with _FILE behind it names."""

import os
from pathlib import Path


def secret_setting(name: str) -> str | None:
    """The secret; None where neither is set. Raises: `OSError` where the file cannot be read."""
    path = os.getenv(f"{name}_FILE")
    return (Path(path).read_text().strip() if path else os.getenv(name)) or None
