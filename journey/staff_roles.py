"""What staff may do: roles in a row, of which each may do what those before it may."""

from typing import Literal, get_args

Role = Literal["viewer", "agent", "lead", "operator"]
"""Reads; answers customers; decides for many of them; stops and starts what the house sends."""

MemberRole = Literal["agent", "lead", "editor", "analyst", "admin"]
"""What a member of staff is: answers customers; leads those who do; writes journeys; reads figures; may do all."""

MEMBER_ROLES: tuple[MemberRole, ...] = get_args(MemberRole)

WORKING_ROLES: tuple[MemberRole, ...] = ("agent", "lead", "admin")
"""Those who work on cases, and decide them."""

LEADING_ROLES: tuple[MemberRole, ...] = ("lead", "admin")
"""Those who approve, and act for others."""

RUNNING_ROLES: tuple[MemberRole, ...] = ("lead", "editor", "analyst", "admin")
"""Those who run journeys, and see all customers: agents see those whose cases they have."""

ROLES: tuple[Role, ...] = get_args(Role)

READS = frozenset({"GET", "HEAD"})
"""Methods that change nothing."""


def door_role(role: MemberRole) -> Role:
    """How far a member of staff goes at the doors of the API."""
    match role:
        case "agent":
            return "agent"
        case "lead" | "editor":
            return "lead"
        case "analyst":
            return "viewer"
        case "admin":
            return "operator"


def may(role: str, needed: Role) -> bool:
    """Whether a role goes as far as what is needed; one that nobody knows goes nowhere."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(needed)
