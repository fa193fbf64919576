"""Moments and conditions with what becomes of them: the tables are worked out, not written."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from deploy.language_docs.fields import cell
from journey import conditions
from journey.business_time import BusinessCalendar
from journey.moments import read_moment

ZONE = "Europe/Prague"
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BEFORE_SUMMER = datetime(2026, 3, 28, 9, 0, tzinfo=UTC)
"""The day before the clock goes forward."""
BEFORE_EASTER = datetime(2026, 4, 2, 14, 0, tzinfo=UTC)
"""The Thursday before Good Friday."""
BUSINESS = BusinessCalendar(zone=ZONE, holidays="CZ")

NAMES: dict[str, object] = {
    "event": {
        "name": "Order Completed",
        "timestamp": "2026-03-02T09:00:00Z",
        "properties": {
            "total": 80.0,
            "items": [{"sku": "a1", "price": 30.0}, {"sku": "b2", "price": 50.0}],
        },
        "context": {},
    },
    "customer": {"id": "c-1", "zone": ZONE, "tier": "gold", "born": "1990-07-14"},
    "run": {
        "key": "o1",
        "stage": "paying",
        "departs": "2026-03-10T09:00:00Z",
        "bags": ["b1", "b2"],
    },
    "help": {"decision": "refunded", "amount": 20},
    "now": MONDAY,
}
_MOMENTS = (
    (MONDAY, ("90m", "4h", "2d", "1d12h", "2w", "1mo", "1y", "PT36H", "P1M")),
    (MONDAY, ("next 09:00", "next 18:00", "next weekday 09:00", "next monday 09:00")),
    (MONDAY, ("next 1st 09:00", "next last 09:00")),
    (MONDAY, ("2 business hours", "1 business day", "next business hour")),
    (BEFORE_EASTER, ("2 business hours", "1 business day", "next business day 09:00")),
    (MONDAY, ("run.departs", "run.departs - 24h", "run.departs + 1d")),
    (BEFORE_SUMMER, ("1d", "24h", "next 02:30")),
)
_CONDITIONS = (
    "event.properties.total >= 50.0",
    "event.properties.total >= 50.0 && customer.tier == 'gold'",
    "customer.tier in ['gold', 'silver']",
    "has(event.properties.coupon)",
    "has(event.properties.coupon) && event.properties.coupon == 'TEN'",
    "event.properties.coupon == 'TEN'",
    "event.properties.items.exists(item, item.price > 40.0)",
    "event.properties.items.map(item, item.sku)",
    "size(run.bags)",
    "run.key.startsWith('o')",
    "help.decision == 'refunded' && help.amount >= 20",
    "timestamp(run.departs) - now > duration('48h')",
    "event.properties.total > 50",
    "customer.tier == 'gold' ? 0.2 : 0.1",
    "run.departs",
)


def moments() -> str:
    """Moments, each with the instant that it is for a step reached at a certain time."""
    lines = ["| written | reached | comes to |", "| --- | --- | --- |"]
    for began, texts in _MOMENTS:
        for text in texts:
            at = read_moment(text).resolve(began, ZONE, BUSINESS, NAMES)
            lines.append(f"| `{text}` | {_local(began)} | {_local(at)} |")
    return "\n".join(lines)


def values() -> str:
    """Expressions, each with its value."""
    rows = [f"| `{cell(source)}` | {cell(_value(source))} |" for source in _CONDITIONS]
    return "\n".join(["| expression | value |", "| --- | --- |", *rows])


def _value(source: str) -> str:
    try:
        value: JsonValue = conditions.json_value(source, NAMES)
    except conditions.ConditionError as error:
        return f"cannot be told: {str(error).removeprefix(f'{source!r}: ')}"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(ZONE)):%A %Y-%m-%d %H:%M}"
