"""The time zone that a telephone number tells, where it tells one."""

from functools import lru_cache


@lru_cache(maxsize=10_000)
def zone_of_phone(number: str) -> str | None:
    """The zone of an international number (`+420…`); None where it may be in several, or says nothing."""
    if not number.startswith("+"):
        return None
    # Loads tables of megabytes: only where somebody without a zone has a number.
    from phonenumbers import NumberParseException, parse
    from phonenumbers.timezone import time_zones_for_number

    try:
        zones = time_zones_for_number(parse(number, None))
    except NumberParseException:
        return None
    return zones[0] if len(zones) == 1 and zones[0] != "Etc/Unknown" else None
