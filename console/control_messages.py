"""A message as a customer reads it, before anybody does: each of its files, for nobody or for one customer."""

import asyncio
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from starlette.responses import HTMLResponse, Response

from activities.message_text import MessageRenderer, PublishedMessage, RenderFor
from channels.message_file import MessageFileError
from channels.message_samples import (
    Looked,
    Written,
    filled_in,
    looked_at,
    read_values,
    written,
)
from channels.notification import LONGEST_TEXT
from channels.plain_html import as_text
from channels.way_out import with_stop
from console.control_door import control_page
from console.inbox_door import CONTROL, HEADERS, InboxDoor, RefusedPageError, Visit, to
from contracts.sealing import SealBrokenError, seal_bytes, unseal_bytes
from journey.channels import CHANNELS
from journey.document import InvalidDocumentError
from journey.message_variant import read_locale
from journey.preferences import Preferences
from journey.text_segments import segments
from stores.customers import Customer, NameOfNobodyError
from stores.delivery_facts import CustomerNow

MOST_MESSAGES = 500
LONGEST_VALUES = 3_000
"""Bytes of values that somebody types: they travel in the address of the frame that shows the mail, sealed."""

LONGEST_PREHEADER = 140
"""Letters of a mail that lists of mails show beside its subject, about."""

FRAME = {
    **HEADERS,
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
}
"""A mail in its frame: no script, no form, nothing fetched, and an origin of its own."""

_PLACE = b"values of a preview"


class Messages(Protocol):
    """Where messages are kept."""

    async def live(self, name: str) -> PublishedMessage | None: ...


class MessageNames(Protocol):
    """All messages that are live."""

    async def all_live(self) -> list[PublishedMessage]: ...


class Customers(Protocol):
    """Who has a name."""

    async def find(self, identity: str) -> Customer | None: ...


class Wishes(Protocol):
    """How customers want to be reached."""

    async def of(self, customer: str) -> Preferences: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Asked:
    """What of a message is looked at, as the address says it; `given`: values that somebody typed, sealed."""

    name: str
    channel: str
    locale: str | None
    tone: str | None
    customer: str
    given: str

    def query(self, **other: str) -> str:
        """The same with something else, as the query of an address."""
        told = {
            "channel": self.channel,
            "locale": self.locale or "",
            "tone": self.tone or "",
            "customer": self.customer,
            "given": self.given,
        } | other
        return urlencode({name: value for name, value in told.items() if value})


@dataclass(slots=True, frozen=True, kw_only=True)
class MessagesPage:
    """All messages, and one in words. `now`: the time that messages are told, that of runs."""

    door: InboxDoor
    messages: Messages
    names: MessageNames
    customers: Customers
    wishes: Wishes
    renderer: MessageRenderer
    now: Callable[[], datetime]

    async def several(self, visit: Visit) -> Response:
        """Each message that is live, and for whom it has words."""
        found = await self.names.all_live()
        rows = await asyncio.to_thread(lambda: [_row(each) for each in found[:MOST_MESSAGES]])
        values = {
            "rows": rows,
            "left_out": max(0, len(found) - MOST_MESSAGES),
            "channels": CHANNELS,
        }
        return control_page(self.door, visit, "control-messages.html", values)

    async def show(self, visit: Visit) -> Response:
        """`?channel=`, `?locale=`, `?tone=`, `?customer=` an id; `?given=` what `ask` sealed."""
        message = await self._message(visit)
        return await self._page(visit, message, _asked(visit), _opened(visit))

    async def ask(self, visit: Visit) -> Response:
        """Other values, and another customer by any identity: both stand in the form, and open in no address."""
        message, asked = await self._message(visit), _asked(visit)
        typed, identity = (
            visit.form.raw("values").replace("\r\n", "\n").strip(),
            visit.form.line("q", 500),
        )
        try:
            read_values(typed, "values")
        except InvalidDocumentError as error:
            wrong = "; ".join(str(each) for each in error.problems[:5])
            return await self._page(visit, message, asked, typed, wrong)
        if len(typed.encode(errors="replace")) > LONGEST_VALUES:
            wrong = f"That is more than {LONGEST_VALUES:,} bytes of values: leave out what this message does not name."
            return await self._page(visit, message, asked, typed, wrong)
        if identity:
            customer = await self._customer(identity)
            if customer is None:
                wrong = f"Nobody is known as {identity}."
                return await self._page(visit, message, asked, typed, wrong, status=404)
            asked = replace(asked, customer=customer.customer, locale=None)
        query = replace(asked, given=_sealed(visit, typed) if typed else "").query()
        return to(f"{CONTROL}/message/{quote(message.name, safe='')}?{query}")

    async def mail(self, visit: Visit) -> Response:
        """The markup of a mail alone, for the frame that shows it."""
        message = await self._message(visit)
        asked = _asked(visit)
        looked, _ = await self._look(message, asked, await self._chosen(asked), _opened(visit))
        if looked.words is None or looked.words.html is None:
            raise RefusedPageError(404, "There is no mail to be shown here.")
        return HTMLResponse(looked.words.html, headers=FRAME)

    async def _page(
        self, visit: Visit, message: PublishedMessage, asked: Asked, typed: str, wrong: str = "", status: int = 400
    ) -> Response:  # fmt: skip
        customer = await self._chosen(asked)
        looked, whom = await self._look(message, asked, customer, "" if wrong else typed)
        files = _files(message)
        words = looked.words
        values: dict[str, Any] = {
            "name": message.name,
            "revision": message.revision[:12],
            "asked": replace(asked, customer=customer.customer if customer else ""),
            "language": whom.locale,
            "here": f"{CONTROL}/message/{quote(message.name, safe='')}",
            "looked": looked,
            "words": words,
            "files": [(each, _query_of(asked, each)) for each in files],
            "chosen": words.chosen.split(" ", 1) if words else [],
            "channels": CHANNELS,
            "locales": _locales(files, asked.locale),
            "tones": sorted({tone for each in files for tone in each.variant.tones}),
            "typed": typed,
            "wrong": wrong,
            "longest": LONGEST_TEXT,
        }
        if words is not None:
            values |= self._shown(message, words.text, words.html, whom.channel, words.locale)
        answer = control_page(
            self.door, visit, "control-message.html", values, status if wrong else 200
        )
        answer.headers["Content-Security-Policy"] += "; frame-src 'self'"
        return answer

    def _shown(
        self, message: PublishedMessage, text: str, html: str | None, channel: str, locale: str | None
    ) -> dict[str, Any]:  # fmt: skip
        """What is shown of it beside its words: how many text messages, and how a mail begins in a list."""
        if html is not None:
            return {"preheader": " ".join(as_text(html).split())[:LONGEST_PREHEADER]}
        if channel != "sms":
            return {}
        text = text.strip()
        if self.renderer.purpose(message) == "marketing":
            text = with_stop(text, locale)
        return {"text": text, "segments": segments(text)}

    async def _look(
        self, message: PublishedMessage, asked: Asked, customer: Customer | None, typed: str
    ) -> tuple[Looked, RenderFor]:
        """The message in words, and for whom: in the language of the customer, where one is chosen and no other is."""
        traits: Mapping[str, Any] = {}
        language = None
        if customer is not None:
            now = CustomerNow(
                customer=customer.customer, traits=customer.traits, zone=customer.zone
            )
            traits, language = now.values(), now.language(await self.wishes.of(customer.customer))
        whom = RenderFor(
            channel=asked.channel, locale=asked.locale or language, feeling=asked.tone, run="preview",
            address="anna@example.com",
        )  # fmt: skip
        try:
            given = read_values(typed, "values")
            looked = await asyncio.to_thread(
                looked_at, self.renderer, message, filled_in(given, traits), whom, self.now()
            )
        except (MessageFileError, InvalidDocumentError) as error:
            looked = Looked(words=None, problem=str(error))
        return looked, whom

    async def _message(self, visit: Visit) -> PublishedMessage:
        name = visit.request.path_params["name"]
        found = await self.messages.live(name) if name.isprintable() else None
        if found is None:
            raise RefusedPageError(
                404, "No message of this name is live. Mission control lists those that are."
            )
        return found

    async def _chosen(self, asked: Asked) -> Customer | None:
        """For whom; None for nobody. Raises: `RefusedPageError`."""
        if not asked.customer:
            return None
        customer = await self._customer(asked.customer)
        if customer is None:
            raise RefusedPageError(404, "There is no such customer.")
        return customer

    async def _customer(self, identity: str) -> Customer | None:
        try:
            return await self.customers.find(identity)
        except NameOfNobodyError:
            return None


def _asked(visit: Visit) -> Asked:
    query = visit.request.query_params
    channel = query.get("channel") or "email"
    if channel not in CHANNELS:
        known = ", ".join(CHANNELS)
        raise RefusedPageError(404, f"There is no channel {channel[:40]!r}. There are: {known}.")
    return Asked(
        name=visit.request.path_params["name"],
        channel=channel,
        locale=read_locale(query.get("locale", "")[:40]),
        tone=query.get("tone", "")[:64] or None,
        customer=query.get("customer", "")[:500],
        given=query.get("given", "")[: 4 * LONGEST_VALUES],
    )


def _key(visit: Visit) -> bytes:
    return hmac.new(visit.cookie.encode(errors="replace"), _PLACE, hashlib.sha256).digest()


def _sealed(visit: Visit, typed: str) -> str:
    """Values for an address: only this session reads them there."""
    sealed = seal_bytes(_key(visit), typed.encode(errors="replace"), _PLACE)
    return urlsafe_b64encode(sealed).decode()


def _opened(visit: Visit) -> str:
    given = _asked(visit).given
    if not given:
        return ""
    try:
        return unseal_bytes(_key(visit), urlsafe_b64decode(given), _PLACE).decode()
    except (SealBrokenError, ValueError):
        words = "These values were typed in another session. Open the message again, and type them anew."
        raise RefusedPageError(404, words) from None


def _row(message: PublishedMessage) -> dict[str, Any]:
    files = _files(message)
    return {
        "name": message.name,
        "subject": next((each.subject for each in files), ""),
        "marketing": any(each.purpose == "marketing" for each in files),
        "files": files,
    }


def _files(message: PublishedMessage) -> list[Written]:
    """Its files; none where it cannot be read, which its page says in words."""
    try:
        return written(message)
    except MessageFileError:
        return []


def _query_of(asked: Asked, file: Written) -> str:
    """The address of what this file is for."""
    variant = file.variant
    return asked.query(
        channel=min(variant.channels, default="email"),
        locale=variant.locale or "",
        tone=min(variant.tones, default=""),
    )


def _locales(files: Sequence[Written], chosen: str | None) -> list[str]:
    return sorted(
        {each.variant.locale for each in files if each.variant.locale} | {chosen or ""} - {""}
    )
