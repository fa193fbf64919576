"""What staff may do: roles in a row, of which each may do what those before it may."""

from typing import Literal, get_args

Role = Literal["viewer", "agent", "lead", "operator"]
"""Reads; answers customers; decides for many of them; stops and starts what the house sends."""

ROLES: tuple[Role, ...] = get_args(Role)

READS = frozenset({"GET", "HEAD"})
"""Methods that change nothing."""


def may(role: str, needed: Role) -> bool:
    """Whether a role goes as far as what is needed; one that nobody knows goes nowhere."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(needed)
