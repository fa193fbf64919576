"""`/v1/customers/{identity}/devices`: which phones and browsers a customer can be reached on.

With the write key, as apps and web pages hold it: they know best. It can do no more here than it can
with `identify`, which sets the address of any customer as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.key_rates import KeyRates
from api.named_customer import named_customer
from api.refusals import RefusedRequestError, json_response
from api.request_body import (
    MESSAGE_BYTES,
    UnacceptableValueError,
    check_values,
    read_body,
    read_json,
)
from api.write_key_check import WriteKeyCheck
from stores.customers import Customer

LONGEST_TOKEN = 2_000
_FIELDS = ("channel", "token", "platform", "endpoint", "keys", "expirationTime", "writeKey")

Channel = Literal["push", "webpush"]


class Devices(Protocol):
    """Where devices are kept."""

    async def seen(
        self,
        customer: str,
        channel: Channel,
        token: str,
        *,
        keys: Mapping[str, str] | None = None,
        platform: str = "",
    ) -> None: ...

    async def forget(self, customer: str, channel: Channel, token: str) -> bool: ...


class Customers(Protocol):
    """Where customers are kept."""

    async def known(self, identity: str) -> str: ...
    async def find(self, identity: str) -> Customer | None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Device:
    """A device as it was told. Of a browser, `token` is the endpoint of its subscription."""

    channel: Channel
    token: str
    platform: str = ""
    keys: dict[str, str] = field(default_factory=dict[str, str])


def devices_router(
    devices: Devices,
    customers: Customers,
    write_keys: WriteKeyCheck,
    vapid_public: str | None,
    rates: KeyRates | None = None,
) -> APIRouter:
    """For apps and web pages. `vapid_public`: what browsers subscribe with, where web push is on.

    `rates`: how many devices a second each write key may tell of; each counts as a message.
    """
    router = APIRouter(tags=["devices"])
    told = _Told(write_keys, rates or KeyRates(0))

    @router.put("/v1/customers/{identity}/devices")
    async def seen(request: Request) -> Response:
        """`{"channel": "push", "token", "platform"}`, or a browser's PushSubscription as it is.

        Each start of the app may say it again: the device seen last is the one that is written to.
        """
        try:
            device = _read(await told.read(request))
            customer = await customers.known(_identity(request))
        except RefusedRequestError as refusal:
            return refusal.response()
        await devices.seen(
            customer,
            device.channel,
            device.token,
            keys=device.keys,
            platform=device.platform,
        )
        return json_response({"success": True})

    @router.delete("/v1/customers/{identity}/devices")
    async def forget(request: Request) -> Response:
        """`{"channel", "token"}` or a PushSubscription: when the customer logs out, or wants no more."""
        try:
            device = _read(await told.read(request), forgets=True)
            known = await customers.find(_identity(request))
        except RefusedRequestError as refusal:
            return refusal.response()
        if known is None or not await devices.forget(known.customer, device.channel, device.token):
            said = "this customer has no such device"
            return RefusedRequestError(404, "unknown_device", said).response()
        return json_response({"success": True})

    @router.get("/v1/webpush/key")
    async def key() -> Response:
        """What a web page gives the browser as `applicationServerKey`."""
        if vapid_public is None:
            said = "web push is off: set CLEW_VAPID_KEY for the API process too"
            return RefusedRequestError(404, "webpush_off", said).response()
        headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "max-age=3600"}
        return json_response({"public_key": vapid_public}, headers=headers)

    return router


class _Told:
    """What is told, by whoever has a write key and has not told too much."""

    def __init__(self, write_keys: WriteKeyCheck, rates: KeyRates) -> None:
        self._keys, self._rates = write_keys, rates

    async def read(self, request: Request) -> dict[str, Any]:
        """The body. Raises: `RefusedRequestError`."""
        source = await self._keys.source(request)
        raw, sure = read_json(await read_body(request, MESSAGE_BYTES))
        if not isinstance(raw, dict):
            raise _bad("expected one JSON object")
        told = cast("dict[str, Any]", raw)
        source = source or await self._keys.source(request, told)
        self._rates.take(source or "", 1)
        return _checked(told, sure=sure)


def _checked(told: dict[str, Any], *, sure: bool) -> dict[str, Any]:
    try:
        check_values(told, "body", sure=sure)
    except UnacceptableValueError as error:
        raise _bad(str(error)) from None
    for name in told:
        if name not in _FIELDS:
            raise _bad(f"{name[:60]}: is not known here; known are {', '.join(_FIELDS)}")
    return told


def _read(told: dict[str, Any], *, forgets: bool = False) -> Device:
    """The device. Raises: `RefusedRequestError`."""
    endpoint = told.get("endpoint")
    channel = told.get("channel", "webpush" if endpoint is not None else None)
    if channel not in ("push", "webpush"):
        raise _bad("channel: expected push or webpush")
    token = endpoint if endpoint is not None else told.get("token")
    if not isinstance(token, str) or not 1 <= len(token.strip()) <= LONGEST_TOKEN:
        raise _bad(f"token: expected text of 1 to {LONGEST_TOKEN} characters")
    platform = told.get("platform", "")
    if not isinstance(platform, str) or len(platform) > 40:
        raise _bad("platform: expected text such as ios, of at most 40 characters")
    if channel == "push" or forgets:
        return Device(channel=channel, token=token.strip(), platform=platform)
    return Device(
        channel="webpush", token=_endpoint(token), platform=platform, keys=_keys(told.get("keys"))
    )


def _endpoint(token: str) -> str:
    if not token.strip().startswith("https://"):
        raise _bad("endpoint: expected the address of a push service, which begins with https://")
    return token.strip()


def _keys(given: Any) -> dict[str, str]:
    # What looks at keys loads a library of its own: only where a browser is told of.
    from channels.webpush import are_keys

    keys = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    held = {name: keys[name] for name in ("p256dh", "auth") if isinstance(keys.get(name), str)}
    if not are_keys(held):
        raise _bad("keys: expected p256dh and auth, as the browser's PushSubscription has them")
    return held


def _identity(request: Request) -> str:
    text = named_customer(request).strip()
    if not 1 <= len(text) <= 320:
        raise _bad("expected an identity of 1 to 320 characters")
    return text


def _bad(message: str) -> RefusedRequestError:
    return RefusedRequestError(400, "invalid_request", message)
