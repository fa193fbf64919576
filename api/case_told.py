"""A case as JSON has it."""

from dataclasses import asdict
from typing import Any

from stores.case_rows import Case


def told(case: Case) -> dict[str, Any]:
    """All of it, and what people call it."""
    return {**asdict(case), "name": case.short_name}
