"""The subscription of a browser, as it tells it."""

import json
from typing import Any


def push_subscription(told: str) -> tuple[str, dict[str, str]]:
    """The address and keys, from what `PushSubscription.toJSON()` gives. Raises: `ValueError`."""
    try:
        read: Any = json.loads(told)
        return str(read["endpoint"]), {str(key): str(of) for key, of in read["keys"].items()}
    except (ValueError, TypeError, LookupError, AttributeError):
        raise ValueError(
            'write the browser\'s subscription: {"endpoint": "https://…", "keys": {…}}'
        ) from None
