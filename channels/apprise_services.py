"""The long tail of messengers, through Apprise: `uv sync --extra apprise`.

Apprise says yes or no, and its no hides everything: a wrong token, a network that is down, a service
that took the message and never answered. So its no is an unknown outcome, never a refusal; its yes is
one. What can be told apart beforehand is: an address of a service that is not switched on, or that
Apprise cannot read, is refused.
"""

import asyncio
import hashlib
import re
import warnings
from collections.abc import Collection, Sequence
from datetime import timedelta
from types import ModuleType
from typing import Any

import httpx2

from activities.message_channel import (
    ProviderAnswer,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)
from activities.service_call import CallRefusedError, ServiceBusyError
from channels.connection_guard import only_public
from channels.http_call import Find, addresses_of, look_up
from channels.known_hosts import is_known
from channels.unsubscribe_link import UnsubscribeLinks, marketing_link
from channels.way_out import with_link

_SERVICE = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_ON_THIS_MACHINE = frozenset(
    {"dbus", "qt", "kde", "glib", "gnome", "macosx", "windows", "syslog", "exec", "serial"}
)
_MOST_ADDRESSES = 5


class AppriseMissingError(Exception):
    """Apprise is not installed: run `uv sync --extra apprise`, or take CLEW_APPRISE_SERVICES away."""


class AppriseChannel:
    """Messages by the services named in `services` (Apprise's schemas, such as `tgram`).

    An address is one or more of Apprise's URLs, apart by a space. They come from traits, which
    whoever has a write key can set: so no other service is called, and no private address that is
    not `allowed`. Raises: `AppriseMissingError`; `ValueError` for a service that is this machine.
    """

    name = "apprise"
    provider = "apprise"
    key_window: timedelta | None = None
    looks_up = False

    def __init__(
        self,
        services: Collection[str],
        links: UnsubscribeLinks,
        *,
        allowed: Collection[str] = (),
        known: Collection[str] = ("*",),
        find: Find = look_up,
    ) -> None:
        self._apprise = _load()
        self._services = frozenset(name.lower().removesuffix("://") for name in services)
        if here := sorted(self._services & _ON_THIS_MACHINE):
            raise ValueError(f"{', '.join(here)}: shows messages on this machine, to nobody")
        self._links, self._find = links, find
        self._allowed = frozenset(host.lower() for host in allowed)
        self._known = tuple(known)

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Notify; the provider's id is made of the key, for Apprise gives none.

        Raises: `ProviderRefusedError` for an address that cannot be used, `UnknownOutcomeError`
        where Apprise said no.
        """
        urls = message.address.split()
        found = [await self._check(url) for url in urls[:_MOST_ADDRESSES]]
        if not urls or len(urls) > _MOST_ADDRESSES:
            words = f"write one to {_MOST_ADDRESSES} addresses of Apprise"
            raise ProviderRefusedError(words, reason="unreachable")
        # Not `add(url)`: that takes several in one text, of which we would have looked at one.
        asset: Any = self._apprise.AppriseAsset(async_mode=False)
        services = [
            self._apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
            for url in urls
        ]
        if None in services:
            raise ProviderRefusedError("Apprise cannot read the address", reason="unreachable")
        title, text = message.subject, self._text(message)
        known = [address for addresses in found for address in addresses]
        # Apprise is synchronous. It has time-outs of its own, below that of a delivery.
        if not await asyncio.to_thread(self._notify, services, title, text, known):
            raise UnknownOutcomeError("Apprise said no, which does not say whether it left")
        key = hashlib.sha256(message.key.encode()).hexdigest()[:32]
        return ProviderAnswer(provider_id=f"apprise-{key}")

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """Apprise cannot be asked."""
        raise NotImplementedError(f"Apprise cannot say what became of {key}")

    async def close(self) -> None:
        """There is nothing to close."""

    def _notify(self, services: Sequence[Any], title: str, text: str, known: list[str]) -> bool:
        """Tell each in turn, in this one thread: whether all took it. No address but `known` may be private."""
        said: list[bool] = []
        with only_public(known):
            for service in services:
                service.redirects = False  # whatever the address asks for
                notifier: Any = self._apprise.Apprise(asset=service.asset)
                notifier.add(service)
                said.append(bool(notifier.notify(body=text, title=title)))
        return all(said)

    async def _check(self, url: str) -> Sequence[str]:
        """Where it leads; nowhere that we know where a token stands in place of a host."""
        service = _SERVICE.match(url)
        if service is None or service.group(1).lower() not in self._services:
            on = ", ".join(sorted(self._services))
            words = f"its service is not switched on (CLEW_APPRISE_SERVICES has {on})"
            raise ProviderRefusedError(words, reason="unreachable")
        try:
            host = httpx2.URL(url).copy_with(scheme="https")
            found = await addresses_of(host, self._find, self._allowed)
        except httpx2.InvalidURL as error:
            raise ProviderRefusedError(
                "Apprise cannot read the address", reason="unreachable"
            ) from error
        except CallRefusedError as error:
            raise ProviderRefusedError(str(error), reason="unreachable") from error
        except ServiceBusyError:
            return ()  # no host: of many services it is a token that stands in its place
        if host.host not in self._allowed and not is_known(host.host, self._known):
            words = "the address leads to a host that CLEW_CALLS_HOSTS does not name"
            raise ProviderRefusedError(words, reason="unreachable")
        return found

    def _text(self, message: RenderedMessage) -> str:
        text = message.text.strip()
        if message.link is not None:
            text += f"\n{message.link}"
        return with_link(text, marketing_link(self._links, message, self.name), message.locale)


def _load() -> ModuleType:
    try:
        # It warns of what its own parts import; and it loads them on first use.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import apprise

            apprise.Apprise.instantiate("json://localhost")
    except ImportError:
        raise AppriseMissingError(
            "Apprise is not installed: run uv sync --extra apprise, or take"
            " CLEW_APPRISE_SERVICES away"
        ) from None
    return apprise
