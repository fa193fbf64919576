"""The device that a touchpoint came from, as Segment's spec has it: `context.device.token` and `type`.

https://segment.com/docs/connections/spec/common/#context
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from api.reported import Reported
from stores.devices import SeenDevice

_LONGEST = 2_000
_OF_APPLE = re.compile(r"[0-9a-fA-F]{64}|[0-9a-fA-F]{160}")
"""A token of APNs itself: FCM takes only its own, which the app has too where it uses FCM."""


def device_of(reported: Reported, customer: str | None) -> SeenDevice | None:
    """The phone behind a touchpoint, where it names one that FCM can reach."""
    told: Any = reported.context.get("device")
    device = cast("Mapping[str, Any]", told if isinstance(told, dict) else {})
    token, platform = device.get("token"), device.get("type")
    if customer is None or not isinstance(token, str):
        return None
    token = token.strip()
    if not 0 < len(token) <= _LONGEST or _OF_APPLE.fullmatch(token):
        return None
    return SeenDevice(
        channel="push",
        token=token,
        customer=customer,
        at=reported.occurred_at,
        platform=platform[:40] if isinstance(platform, str) else "",
    )
