"""What the pages of settings have in common: which there are, and who may change something on them."""

from typing import Any

from starlette.responses import Response

from console.control_door import control_page
from console.inbox_door import CONTROL, InboxDoor, RefusedPageError, Visit
from journey.staff_roles import door_role, may

SETTINGS = f"{CONTROL}/settings"
CHANNELS_PAGE = SETTINGS
KEYS = f"{SETTINGS}/keys"
QUEUES = f"{SETTINGS}/queues"
LIMITS = f"{SETTINGS}/limits"
_TABS = (
    (CHANNELS_PAGE, "Channels"),
    (QUEUES, "Queues and people"),
    (LIMITS, "Caps and quiet hours"),
)


def is_admin(visit: Visit) -> bool:
    """Whether this member may change how the installation is set."""
    return may(door_role(visit.member.role), "operator")


def for_admins(visit: Visit, words: str) -> None:
    """Raises: `RefusedPageError` with these words for whoever is none."""
    if not is_admin(visit):
        raise RefusedPageError(403, words)


def settings_page(
    door: InboxDoor,
    visit: Visit,
    here: str,
    template: str,
    values: dict[str, Any],
    status: int = 200,
) -> Response:
    """A page of settings. `here`: its address, one of those that all of them lead to."""
    tabs = [*_TABS, *([(KEYS, "Write keys")] if is_admin(visit) else [])]
    told = {"tabs": tabs, "here": here, "admin": is_admin(visit), **values}
    return control_page(door, visit, template, told, status)
