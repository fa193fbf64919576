"""Ids that several processes must agree on."""

import hashlib
from urllib.parse import quote, unquote


def workflow_id(journey: str, customer: str, key: str | None = None) -> str:
    """The id a run is started under: `journey/<journey>/<customer>[/<key>]`, parts percent-encoded.

    It is stored with the run and never recomputed from there on.
    """
    parts = [journey, customer] if key is None else [journey, customer, key]
    return "/".join(["journey", *(quote(part, safe="") for part in parts)])


def named_by(workflow_id: str) -> tuple[str, str] | None:
    """The journey and the customer in the id of a run or of its case; None where it was started under another id."""
    parts = workflow_id.split("/")
    if parts[0] == "case" and len(parts) in (6, 7):  # of a run's case: the run's id, entry, n
        parts = parts[1:-2]
    if parts[0] == "journey" and len(parts) in (3, 4):
        return unquote(parts[1], errors="replace"), unquote(parts[2], errors="replace")
    return None


def owner_of(workflow_id: str) -> str:
    """Whose key seals the history of this workflow: the customer's in the id of a run, else its own."""
    named = named_by(workflow_id)
    return (workflow_id if named is None else named[1]).replace("\0", "\ufffd")


def effect_key(run: str, entry: int, n: int) -> str:
    """The key of one effect of one admission: of its ledger row, its case, its promise."""
    return f"{run}:{entry}:{n}"


def message_id(kind: str, key: str) -> str:
    """The message id of a touchpoint of our own about an effect; at most 200 characters."""
    named = f"{kind}/{key}"
    return named if len(named) <= 200 else f"{kind}/{hashlib.sha256(key.encode()).hexdigest()}"


def case_id(run: str, entry: int, n: int) -> str:
    """The id of the case that effect `n` opened."""
    return f"case/{effect_key(run, entry, n)}"


def case_clock_id(run: str, entry: int, n: int) -> str:
    """The id of the workflow that keeps the time of the case that effect `n` opened."""
    return f"case/{run}/{entry}/{n}"


def case_clock_of(unique: str) -> str:
    """The id of the workflow that keeps the time of a case that no journey opened."""
    return f"case/{unique}"


def case_page(public_url: str, name: str) -> str:
    """Where staff see a case, by its short name, in our own inbox."""
    return f"{public_url.rstrip('/')}/staff/case/{quote(name, safe='')}"
