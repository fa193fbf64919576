"""What a kill cost: counted in the database and in the mailbox's own journal, never assumed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from channels.mail import message_id
from channels.mail_store import MailStore
from stores.demo_figures import DemoFigures


@dataclass(slots=True, frozen=True, kw_only=True)
class Verdict:
    """What was lost, what came twice, and what nobody can tell.

    `lost`: touchpoints that ingest acknowledged and that are not there. `twice`: mails that
    arrived more than once though the ledger is sure of them. `unknown`: deliveries of which the
    ledger itself says that nobody can tell.
    """

    lost: int
    twice: int
    unknown: int


async def judge(
    figures: DemoFigures, journey: str, acknowledged: Sequence[str], mails: MailStore
) -> Verdict:
    """Count all three now."""
    lost = await figures.not_stored(acknowledged)
    doubtful = await figures.doubtful(journey)
    return Verdict(lost=len(lost), twice=twice(mails.counts(), doubtful), unknown=len(doubtful))


def twice(received: Counter[str], doubtful: set[str]) -> int:
    """How many mails came more than once, save those that the ledger marks as doubtful."""
    repeated = [each for each, count in received.items() if each and count > 1]
    domains = {each.rpartition("@")[2].rstrip(">") for each in repeated}
    marked = {message_id(key, domain) for key in doubtful for domain in domains}
    return sum(each not in marked for each in repeated)
