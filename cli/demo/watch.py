"""Looks at the real installation while the day is played: figures, mails and the followed run."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from channels.mail_store import MailStore, ReceivedMail
from cli.demo.follow import Story, ToldCase, ToldMessage
from cli.demo.scene import local
from console.flight_picture import ShownMail
from contracts.clock import RunClock
from examples.flight.day import Day
from stores.case_rows import Case
from stores.cases import CaseStore
from stores.demo_figures import DemoFigures, Standing
from stores.runs import RunStore
from workers.embedded.stack import Addresses

JOURNEY = "flight"
LATEST_MAILS = 14


class Watcher:
    """Reads only; raises what the database raises while it is away."""

    def __init__(
        self,
        day: Day,
        clock: RunClock,
        addresses: Addresses,
        figures: DemoFigures,
        runs: RunStore,
        cases: CaseStore,
        mails: MailStore,
    ) -> None:
        self.standing = Standing(
            people=(), deliveries=(), promises=(), cases={}, unrouted_seconds=0.0, wakes_at=None
        )
        self.story: Story | None = None
        self.run_url = self.workflow_id = ""
        self._users = {passenger.pnr: user for user, passenger in day.passengers.items()}
        self._by_customer: dict[str, str] = {}
        self._featured = day.featured
        self._clock = clock
        self._addresses = addresses
        self._figures = figures
        self._runs = runs
        self._cases = cases
        self._mails = mails

    @property
    def mails_url(self) -> str:
        """Where the followed passenger's mails are read."""
        return f"{self._addresses.mailbox}?to={quote(self._featured.email)}"

    async def look(self) -> None:
        """See how everything stands now."""
        self.standing = await self._figures.standing(JOURNEY)
        for person in self.standing.people:
            self._by_customer[person.customer] = person.key or ""
        self.story = await self._story()

    def user_of(self, customer: str) -> str | None:
        """Who a customer of the database is in the day; None while that was not seen yet."""
        key = self._by_customer.get(customer)
        return self._users.get(key) if key else None

    def late_alarm(self, now: datetime) -> float:
        """By how many seconds of the wall the earliest alarm of any run is overdue."""
        wakes_at = self.standing.wakes_at
        if wakes_at is None:
            return 0.0
        return max(0.0, self._clock.wall_duration(now - wakes_at).total_seconds())

    def latest_mails(self) -> tuple[ShownMail, ...]:
        """The newest mails, the last one first."""
        return tuple(
            ShownMail(
                at=local(self._clock.now(datetime.fromisoformat(mail.received_at))),
                to=mail.to,
                subject=mail.subject,
                href=self._href(mail),
            )
            for mail in self._mails.received()[: -LATEST_MAILS - 1 : -1]
        )

    def _href(self, mail: ReceivedMail) -> str:
        return f"{self._addresses.mailbox}/{quote(mail.name, safe='')}"

    async def _story(self) -> Story | None:
        found = next(
            (each for each in self.standing.people if each.key == self._featured.pnr), None
        )
        story = await self._runs.run(found.entry) if found else None
        if found is None or story is None:
            return None
        self.workflow_id = found.workflow_id
        if self._addresses.temporal_ui:
            run = quote(found.workflow_id, safe="")
            space = self._addresses.temporal_namespace
            self.run_url = f"{self._addresses.temporal_ui}/namespaces/{space}/workflows/{run}"
        cases = await self._cases.cases(customer=found.customer)
        return Story(
            stage=story.run.stage,
            waits_for=story.run.waits_for,
            outcome=story.run.outcome,
            trace=story.trace,
            promises=story.promises,
            messages=await self._messages(found.entry),
            cases=[told_case(case) for case in cases],
        )

    async def _messages(self, entry: int) -> Sequence[ToldMessage]:
        received = {
            mail.message_id: mail
            for mail in self._mails.received()
            if mail.to == self._featured.email
        }
        told: list[ToldMessage] = []
        for row in await self._figures.deliveries_of(entry):
            mail = received.get(row.provider_id or "")
            held = row.state == "refused"
            told.append(
                ToldMessage(
                    at=row.run_time,
                    state="held" if held else "sent" if row.state == "accepted" else "under way",
                    words=mail.subject if mail else _not_sent(row.message, row.words, held),
                    href=self._href(mail) if mail else "",
                )
            )
        return told


def _not_sent(message: str, words: str, held: bool) -> str:
    name = message.replace("-", " ")
    return f"{name} ({words})" if held and words else name


def told_case(case: Case) -> ToldCase:
    """A case as the story tells it."""
    return ToldCase(
        case=case.case,
        queue=case.queue,
        brief=case.brief,
        state=case.state,
        decision=case.decision,
        by=case.decided_by,
        decisions=case.decisions,
    )


def wall_now() -> datetime:
    """The time on the wall."""
    return datetime.now(UTC)
