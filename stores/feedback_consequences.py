"""What follows from what a provider reports: for the ledger, and for the messages that would come next."""

from collections.abc import Sequence

from contracts.delivery_feedback import Feedback
from stores.consents import say, suppress
from stores.database import Connection, jsonb
from stores.reported_deliveries import KnownFeedback, ReportedDelivery

_LONGEST = 500
_OF_DEVICES = ("push", "webpush")

# Whatever a provider reports of a message shows that it has it, as an acceptance that came late does
# (`stores.ledger`). A bounce alone says nothing against a refusal: it may be the same one.
_SETTLE = """
update deliveries d set state = 'accepted', reason = '', words = 'accepted, as the provider reports',
    provider_id = coalesce(d.provider_id, r.provider_id),
    settled_at = coalesce(d.settled_at, r.at), claimed_until = null
  from jsonb_to_recordset(%s) as r(key text, provider_id text, at timestamptz, bounced boolean)
 where d.key = r.key
   and (d.state in ('unknown', 'intended') or d.state = 'refused' and not r.bounced)
"""

_AGREED_SINCE = """
select 1 from consents where customer = %s and purpose = 'marketing' and channel in (%s, '')
   and given and at > %s
"""

_GONE = """
update devices set gone_at = %(at)s
 where channel = %(channel)s and token = %(token)s and gone_at is null and seen_at <= %(at)s
"""


async def settle_late(connection: Connection, fresh: Sequence[KnownFeedback]) -> None:
    """Tell the ledger what it did not know: that the provider has them."""
    if not fresh:
        return
    left: dict[str, dict[str, object]] = {}
    for feedback, delivery in fresh:
        bounced = feedback.kind == "bounced"
        row = left.setdefault(
            delivery.key,
            {
                "key": delivery.key,
                "provider_id": next(iter(feedback.provider_ids), None),
                "at": feedback.at,
                "bounced": bounced,
            },
        )
        row["bounced"] = row["bounced"] and bounced
    await connection.execute(_SETTLE, [jsonb(list(left.values()))])


async def follow(connection: Connection, feedback: Feedback, delivery: ReportedDelivery) -> None:
    """What it means for the messages that would come next."""
    if feedback.kind == "bounced" and feedback.hard:
        await _unreachable(connection, feedback, delivery)
    elif feedback.kind == "complained":
        await _no_more_marketing(connection, feedback, delivery)
        if delivery.address:
            await suppress(
                connection,
                delivery.channel,
                delivery.address,
                _why("complained", feedback),
                marketing_only=delivery.purpose == "marketing",
                at=feedback.at,
            )
    elif feedback.kind == "unsubscribed":
        await _no_more_marketing(connection, feedback, delivery)


async def _unreachable(
    connection: Connection, feedback: Feedback, delivery: ReportedDelivery
) -> None:
    address = delivery.address
    if not address:
        return
    if delivery.channel in _OF_DEVICES:
        gone = {"at": feedback.at, "channel": delivery.channel, "token": address}
        await connection.execute(_GONE, gone)
        return
    why = _why("bounced", feedback)
    await suppress(connection, delivery.channel, address, why, at=feedback.at)


async def _no_more_marketing(
    connection: Connection, feedback: Feedback, delivery: ReportedDelivery
) -> None:
    """Withdraw consent, unless the customer agreed again after what is reported only now."""
    cursor = await connection.execute(
        _AGREED_SINCE, [delivery.customer, delivery.channel, feedback.at]
    )
    if await cursor.fetchone() is None:
        await say(
            connection,
            delivery.customer,
            "marketing",
            delivery.channel,
            given=False,
            source="provider",
            proof=feedback.event_id,
        )


def _why(what: str, feedback: Feedback) -> str:
    return f"{what}: {feedback.detail}"[:_LONGEST] if feedback.detail else what
