"""Giving coupons, one for each key, and settling them."""

from dataclasses import dataclass
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.run_record import RunRecords
from contracts.customer_offer import (
    GrantCustomerOffer,
    OfferGranted,
    OfferSettled,
    SettleCustomerOffer,
)
from contracts.ids import effect_key
from contracts.journey_run import RunReference
from contracts.names import GRANT_OFFER, SETTLE_OFFER
from journey.effects import GrantOffer, SettleOffer


class UnknownOfferError(LookupError):
    """There is no such offer; publish its `offers.yaml`, then resume the run."""


class Coupons(Protocol):
    """Where coupons are kept."""

    async def grant(self, key: str, run: RunReference, order: GrantOffer) -> OfferGranted:
        """Give a coupon, or say again what was given. Raises: `UnknownOfferError`."""
        ...

    async def settle(self, key: str, run: RunReference, order: SettleOffer) -> OfferSettled:
        """Say how a coupon ended; what has ended stays as it is."""
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class CustomerOffers:
    """Gives coupons and settles them: never two for one key, whatever crashes."""

    coupons: Coupons
    records: RunRecords

    @activity.defn(name=GRANT_OFFER)
    async def grant_offer(self, order: GrantCustomerOffer) -> OfferGranted:
        """Give the customer a coupon. Raises: non-retryable `UnknownOfferError`."""
        run = order.run
        if order.record is not None:
            await self.records.write(run, order.record)
        key = effect_key(run.workflow_id, run.entry, order.grant.n)
        try:
            return await self.coupons.grant(key, run, order.grant)
        except UnknownOfferError as error:
            kind = UnknownOfferError.__name__
            raise ApplicationError(str(error), type=kind, non_retryable=True) from error

    @activity.defn(name=SETTLE_OFFER)
    async def settle_offer(self, order: SettleCustomerOffer) -> OfferSettled:
        """Say how the coupon ended; one that was redeemed stays redeemed."""
        run = order.run
        if order.record is not None:
            await self.records.write(run, order.record)
        key = effect_key(run.workflow_id, run.entry, order.settle.grant)
        return await self.coupons.settle(key, run, order.settle)
