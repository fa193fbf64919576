"""A workflow that counts over Czech holidays as soon as it is loaded, for the sandbox to look at."""

from datetime import UTC, datetime

from temporalio import workflow

from journey.business_time import BusinessCalendar, BusinessSpan

DUE = BusinessCalendar(zone="Europe/Prague", holidays="CZ").after(
    BusinessSpan(count=1, unit="day"), datetime(2026, 4, 2, 16, tzinfo=UTC)
)
assert datetime(2026, 4, 7, 15, tzinfo=UTC) == DUE


@workflow.defn(name="count_business_days")
class CountBusinessDays:
    """Its answer is known before it begins."""

    @workflow.run
    async def run(self) -> str:
        """The instant at which one business day has passed."""
        return DUE.isoformat()
