"""Which hosts addresses from outside may lead to: those that a list names, and no others."""

from collections.abc import Collection

PUSH_SERVICES = (
    "fcm.googleapis.com",  # Chrome, Edge on Android, Opera, Samsung
    "android.googleapis.com",  # Chrome's of before 2017
    "*.push.services.mozilla.com",  # Firefox
    "*.push.apple.com",  # Safari
    "*.notify.windows.com",  # Edge
)
"""Where browsers have their push services: no endpoint of a real subscription is anywhere else."""


def is_known(host: str, names: Collection[str]) -> bool:
    """Whether a host is named: by itself, by `*.` before a domain it is in, or by `*`, which names all."""
    host = host.lower().rstrip(".")
    for name in names:
        wanted = name.lower()
        if wanted in ("*", host) or (wanted.startswith("*.") and host.endswith(wanted[1:])):
            return True
    return False
