"""Giving a customer a coupon, and saying how it ended."""

from dataclasses import dataclass

from contracts.journey_run import RunReference
from journey.effects import GrantOffer, SentRecord, SettleOffer


@dataclass(slots=True, frozen=True, kw_only=True)
class GrantCustomerOffer:
    """Give a coupon under `effect_key(run.workflow_id, run.entry, grant.n)`; twice is once."""

    run: RunReference
    grant: GrantOffer
    record: SentRecord | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class OfferGranted:
    """The code that was given; None where none was, for a reason."""

    code: str | None
    reason: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class SettleCustomerOffer:
    """Say how the coupon under `effect_key(run.workflow_id, run.entry, settle.grant)` ended."""

    run: RunReference
    settle: SettleOffer
    record: SentRecord | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class OfferSettled:
    """The coupon as it stands now: open, redeemed, expired, voided or refused."""

    state: str
