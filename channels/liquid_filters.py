"""The filters of ours: money, and moments in the customer's own time.

None of them reads a clock or a locale of the machine; `now` and the zone come with the values.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from html import unescape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import nh3
from liquid import Markup, RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.filter import liquid_filter, with_context
from liquid.undefined import Undefined

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
_WITHOUT_CENTS = {"JPY", "KRW", "VND", "CLP", "ISK", "HUF"}
_DIRECTIVES = re.compile(r"%(-?[aAbBdejmMyYHIpSZz%]|.|$)", re.DOTALL)
_NO_PADDING = {"d", "e", "j", "m", "H", "I", "M", "S"}


@liquid_filter
def money(value: object, currency: object = None) -> str:
    """`1234.5 | money` → 1,234.50; `1234.5 | money: "EUR"` → €1,234.50."""
    _defined(value)
    _defined(currency)
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise FilterArgumentError(f"money: {value!r} is not a number", token=None) from error
    if isinstance(value, bool) or not amount.is_finite() or abs(amount) >= 10**15:
        raise FilterArgumentError(f"money: {str(value)[:40]!r} is not an amount", token=None)
    code = "" if currency is None else str(currency).upper()
    if code and not re.fullmatch(r"[A-Z]{3}", code):
        raise FilterArgumentError(
            "money: the currency is a code of three letters, such as EUR", token=None
        )
    digits = 0 if code in _WITHOUT_CENTS else 2
    written = f"{abs(amount):,.{digits}f}"
    sign = "-" if amount < 0 and Decimal(written.replace(",", "")) else ""
    symbol = _SYMBOLS.get(code, f"{code} " if code else "")
    return f"{sign}{symbol}{written}"


@liquid_filter
def safe_html(value: object) -> Markup:
    """Markup that came from outside, with only what cannot harm: no script, no style, no form."""
    _defined(value)
    return Markup(nh3.clean(str(value)))


@liquid_filter
def without_markup(value: object) -> str:
    """The same where there is no markup: its text."""
    _defined(value)
    return unescape(nh3.clean(str(value), tags=set()))


@with_context
@liquid_filter
def time(value: object, zone: object = None, *, context: RenderContext) -> str:
    """The time of day of a moment, 14:02, in the customer's zone (or the one named).

    A customer whose zone is not known reads it in UTC, and reads that it is.
    """
    _defined(value)
    known = _zone(context, zone)
    local = _moment(value, context).astimezone(known or UTC)
    return f"{local:%H:%M}" if known else f"{local:%H:%M} UTC"


@with_context
@liquid_filter
def date_in_words(
    value: object, pattern: object = "%-d %B %Y", zone: object = None, *, context: RenderContext
) -> str:
    """A moment by a pattern of `%` directives, in the customer's zone; `'now'` is the run's now."""
    _defined(value)
    _defined(pattern)
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        day = _day(value)
        local = datetime(day.year, day.month, day.day, tzinfo=UTC)
    else:
        local = _moment(value, context).astimezone(_zone(context, zone) or UTC)
    if len(str(pattern)) > 200:
        raise FilterArgumentError("date: the pattern is too long", token=None)
    return _DIRECTIVES.sub(lambda found: _directive(local, found.group(1)), str(pattern))


def _directive(local: datetime, directive: str) -> str:
    name = directive.removeprefix("-")
    if name == "%":
        return "%"
    if not name or name not in "aAbBdejmMyYHIpSZz":
        raise FilterArgumentError(f"date: %{directive} is not known here", token=None)
    if name == "e":
        return str(local.day)
    written = local.strftime(f"%{name}")
    if directive.startswith("-") and name in _NO_PADDING:
        return written.lstrip("0") or "0"
    return written


def _moment(value: object, context: RenderContext) -> datetime:
    if isinstance(value, str) and value == "now":
        value = context.get(["now"], token=None, default=None)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise FilterArgumentError(
                f"{value[:40]!r} is not a moment such as 2026-11-22T09:00:00Z", token=None
            ) from error
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise FilterArgumentError(
            "is not a moment with a zone, such as 2026-11-22T09:00:00Z", token=None
        )
    return value


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise FilterArgumentError(f"{value!r} is not a day", token=None) from error


def _zone(context: RenderContext, named: object) -> ZoneInfo | None:
    _defined(named)
    asked = named or context.get(["customer", "zone"], token=None, default=None)
    if not asked:
        return None
    zone = _known_zone(str(asked))
    if zone is None:
        raise FilterArgumentError(f"{str(asked)[:60]!r} is not an IANA time zone", token=None)
    return zone


@lru_cache(maxsize=600)
def _known_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _defined(value: object) -> None:
    if isinstance(value, Undefined):
        value.poke()
        str(value)
