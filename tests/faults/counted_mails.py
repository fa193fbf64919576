"""Mails that arrived, by the ledger key that each is of."""

from collections import Counter
from collections.abc import Sequence

from channels.mail import message_id
from contracts.evidence import SeenDelivery


def by_key(deliveries: Sequence[SeenDelivery], counts: Counter[str]) -> dict[str, int]:
    """How often the mail of each ledger key arrived; a mail without a key counts as twice too many."""
    keys = message_ids(deliveries, counts)
    strange = {each: times + 1 for each, times in counts.items() if each not in keys}
    return {keys[each]: times for each, times in counts.items() if each in keys} | strange


def message_ids(deliveries: Sequence[SeenDelivery], counts: Counter[str]) -> dict[str, str]:
    """Message-ID → ledger key, as mails of these domains have them."""
    domains = {each.rpartition("@")[2].rstrip(">") for each in counts}
    return {message_id(each.key, domain): each.key for each in deliveries for domain in domains}
