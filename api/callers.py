"""From where a request comes, and that it came encrypted: what is asked in the clear is not answered.

A proxy that is declared is believed: whom it names (`X-Forwarded-For`) is the caller, and what it says came
in the clear did. Nobody else is believed. Whoever asks from this machine itself may ask in the clear.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from api.refusals import RefusedRequestError

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_MOST_HOPS = 20
_log = structlog.get_logger(__name__)


class Callers:
    """Stands before an application. `proxies`: where those stand that end TLS for us."""

    def __init__(self, app: ASGIApp, proxies: Sequence[Network] = ()) -> None:
        self._app = app
        self._proxies = tuple(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = _read(scope["client"][0]) if scope.get("client") else None
        encrypted = scope["scheme"] == "https"
        fine = encrypted or address is None or address.is_loopback
        if address is not None and self._is_proxy(address):
            told = _told(scope)
            # A proxy that says nothing has TLS: that is what it was declared for.
            fine = told.get("x-forwarded-proto", "https").rpartition(",")[2].strip() == "https"
            caller = self._caller(address, told.get("x-forwarded-for", ""))
            scope = {**scope, "client": (str(caller), 0), "scheme": "https"}
        if fine:
            await self._app(scope, receive, send)
        else:
            await _refuse(scope, receive, send)

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)

    def _caller(self, proxy: Address, named: str) -> Address:
        """Whom the proxies name: read from the end, as far as each hop is one of ours."""
        caller = proxy
        for each in reversed(named.split(",")[-_MOST_HOPS:]):
            hop = _read(each.strip())
            if hop is None:
                break
            caller = hop
            if not self._is_proxy(hop):
                break
        return caller


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    _log.warning("refused in the clear", ip=scope["client"][0])
    said = "this is answered over https only"
    await RefusedRequestError(403, "https_only", said).response()(scope, receive, send)


def _told(scope: Scope) -> dict[str, str]:
    """What proxies said; several headers of one name are one list."""
    found: dict[str, list[str]] = {}
    headers: Sequence[Any] = scope["headers"]
    for name, value in headers:
        if name in (b"x-forwarded-for", b"x-forwarded-proto"):
            found.setdefault(name.decode(), []).append(value.decode("latin-1"))
    return {name: ",".join(values) for name, values in found.items()}


def _read(text: str) -> Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
