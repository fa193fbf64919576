"""Public holidays by country or part of one, from the `holidays` package.

They belong to the engine, as zone data does: a correction of the package may move a deadline, so it
comes with a new engine only. Every year there is comes at once, where definitions are read, because
the package reads files as it computes, which no run may. It takes about a second for the first
country, so it is loaded only where a journey names one.
"""

import warnings
from datetime import date
from functools import lru_cache

FIRST_YEAR, LAST_YEAR = 1990, 2100
"""Outside these no day is a holiday; the package knows none after 2100."""


@lru_cache(maxsize=1_024)
def fault_in(code: str) -> tuple[str, str] | None:
    """What is wrong with a code such as `CZ` or `US-NY`: message and remedy; None where it is known."""
    from holidays import list_supported_countries

    country, _, part = code.partition("-")
    parts = list_supported_countries(include_aliases=False).get(country)
    if parts is None:
        return (
            f"the holidays of {code[:20]!r} are not known",
            "write an ISO 3166 code in capitals such as CZ, or with a part of the country: US-NY",
        )
    if country == code or part in parts:
        return None
    message = f"the holidays of {country} are known, but not of a part {part[:20]!r}"
    return message, f"write {', '.join([country, *(f'{country}-{known}' for known in parts)])}"


@lru_cache(maxsize=1_024)
def holidays_in(code: str) -> frozenset[date]:
    """The public holidays of all years, those moved to a working day included, of a code that is known."""
    from holidays import country_holidays

    country, _, part = code.partition("-")
    with warnings.catch_warnings():
        # Some feasts that follow the moon are known for fewer years; the others are right.
        warnings.simplefilter("ignore", UserWarning)
        return frozenset(
            country_holidays(
                country, subdiv=part or None, years=range(FIRST_YEAR, LAST_YEAR + 1), expand=False
            )
        )
