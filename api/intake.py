"""Taking in what was reported: customers, traits, touchpoints and outbox in one transaction."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout
from pydantic import JsonValue

from api.device_in_context import device_of
from api.refusals import RefusedRequestError
from api.reported import Identity, Refused, Reported
from api.segment_messages import GROUP
from contracts.fault_points import reach
from contracts.ids import message_id
from journey.touchpoint import TRAITS_CHANGED
from stores.customers import CustomerStore, normalised
from stores.database import Connection, Pool, one_statement
from stores.devices import devices_seen
from stores.groups import join_group
from stores.identities import known_customers, make_customers
from stores.identity_graph import lock_rows
from stores.refused_touchpoints import RefusedTouchpoint, as_text, park
from stores.touchpoints import NewTouchpoint, seen_before, store_touchpoints
from stores.trait_types import TraitTypes

READ_BY_US = {
    "feeling": "a feeling is read from evidence: POST /v1/customers/{identity}/feeling",
    "personas": "who fits a persona is read from its evidence in personas.yaml",
}
"""Traits that nobody reports, and why."""

_Names = tuple[Identity, ...]

ATTEMPTS = 4
_UNSTORABLE = "the database cannot hold a value in it"


class Bell(Protocol):
    """Wakes the routers."""

    def ring(self) -> None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Taken:
    """What became of a request: how many touchpoints are new, and which were refused."""

    new: int
    refused: list[Refused]


class Intake:
    """Stores what clients report. It returns only when everything is committed."""

    def __init__(self, pool: Pool, customers: CustomerStore, bell: Bell) -> None:
        self._pool = pool
        self._customers = customers
        self._bell = bell
        self._types = TraitTypes()

    async def take(
        self, source: str, reported: Sequence[tuple[int, Any, Reported]], refused: list[Refused]
    ) -> Taken:
        """Store what was read (index, message, what it says) and park what was refused.

        Raises: `RefusedRequestError` 503 where the database is away; then nothing is stored, and
        the same request may be sent again.
        """
        try:
            named, wrong = await self._of_somebody(reported)
            wrong = sorted([*refused, *wrong], key=lambda one: one.index)
            return await self._with_retries(source, named, wrong)
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed) as error:
            said = "the database is away; nothing was stored, send it again"
            raise RefusedRequestError(503, "unavailable", said, retry_after=2) from error

    async def _of_somebody(
        self, reported: Sequence[tuple[int, Any, Reported]]
    ) -> tuple[list[tuple[int, Any, Reported]], list[Refused]]:
        """What leads to somebody, or is about a thing; what has only names that are nobody's is refused."""
        async with self._pool.connection() as connection:
            rules = await self._customers.rules.read(connection)
        named: list[tuple[int, Any, Reported]] = []
        wrong: list[Refused] = []
        for index, message, one in reported:
            blocked = [each for each in one.names if rules.is_blocked(*normalised(*each))]
            if blocked and (one.kind == "alias" or len(blocked) == len(one.names)):
                if one.subject is None or one.kind == "alias":
                    kind, value = blocked[0]
                    why = f"the {kind} {value[:40]!r} is a name of nobody; identities.yaml says which are"
                    wrong.append(Refused(index=index, reason=why, message=message))
                    continue
                one = replace(one, names=())  # noqa: PLW2901 -- it is about a thing all the same
            named.append((index, message, one))
        return named, wrong

    async def _with_retries(
        self, source: str, reported: Sequence[tuple[int, Any, Reported]], refused: list[Refused]
    ) -> Taken:
        try:
            new = await self._patiently(lambda: self._store(source, reported, refused))
        except psycopg.DataError:
            return await self._one_by_one(source, reported, refused)
        return Taken(new=new, refused=refused)

    async def _one_by_one(
        self, source: str, reported: Sequence[tuple[int, Any, Reported]], refused: list[Refused]
    ) -> Taken:
        """Something in the batch cannot be stored: find out what, and keep the rest."""
        new, wrong = 0, list(refused)
        for index, message, one in reported:
            alone = [(index, message, one)]
            try:
                new += await self._store(source, alone, [])
            except psycopg.DataError:
                wrong.append(Refused(index=index, reason=_UNSTORABLE, message=message))
        await self._store(source, [], wrong)
        return Taken(new=new, refused=sorted(wrong, key=lambda one: one.index))

    async def _patiently(self, store: Callable[[], Any]) -> int:
        for attempt in range(ATTEMPTS):
            try:
                return await store()
            except (errors.DeadlockDetected, errors.SerializationFailure):
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(0.05 * 2**attempt)
        raise AssertionError

    async def _store(
        self, source: str, reported: Sequence[tuple[int, Any, Reported]], refused: Sequence[Refused]
    ) -> int:
        told = [one for _, _, one in reported]
        owners = await self._owners(told)
        parked = [
            RefusedTouchpoint(
                source=source,
                reason=one.reason,
                message=as_text(one.message),
                message_id=_said_id(one.message),
            )
            for one in refused
        ]
        async with self._pool.connection() as connection:
            touchpoints = await self._touchpoints(connection, source, told, owners)
            stored = await store_touchpoints(connection, touchpoints)
            devices = map(device_of, told, owners)
            await devices_seen(connection, [device for device in devices if device])
            await park(connection, parked)
            reach("ingest.before_commit")
        reach("ingest.after_commit")
        new = sum(number is not None for number in stored)
        if new:
            self._bell.ring()
        return new

    # -- whose it is

    async def _owners(self, told: Sequence[Reported]) -> list[str | None]:
        """The customer of each; new ones are made in short transactions of their own.

        So no transaction holds locks on many names, and a batch that fails leaves only names.
        """
        named = [one for one in told if one.names]
        wanted = list(dict.fromkeys(one.names for one in named if one.kind != "alias"))
        found = await self._known(wanted)
        missing = [names for names in wanted if names not in found]
        if len(missing) > 1:
            async with self._pool.connection() as connection:
                rules = await self._customers.rules.read(connection)
                await make_customers(connection, missing, rules)
            found |= await self._known(missing)
        for names in missing:
            if names not in found:
                found[names] = await self._resolve(names)
        for one in told:
            if one.kind == "alias":
                found[one.names] = await self._alias(one)
        return [found[one.names] if one.names else None for one in told]

    async def _known(self, wanted: Sequence[_Names]) -> dict[_Names, str]:
        if not wanted:
            return {}
        # Two looks that need not see the same instant; the rules are read anew only every few seconds.
        async with one_statement(self._pool) as connection:
            rules = await self._customers.rules.read(connection)
            known = await known_customers(connection, wanted, rules)
        return {names: one for names, one in zip(wanted, known, strict=True) if one}

    async def _resolve(self, names: Sequence[Identity]) -> str:
        async with self._pool.connection() as connection:
            return await self._customers.resolve(connection, names)

    async def _alias(self, one: Reported) -> str:
        async with self._pool.connection() as connection:
            (_, now), (_, before) = one.names
            return await self._customers.alias(connection, now, before)

    # -- what it says

    async def _touchpoints(
        self,
        connection: Connection,
        source: str,
        told: Sequence[Reported],
        owners: Sequence[str | None],
    ) -> list[NewTouchpoint]:
        changes = [(one, owner) for one, owner in zip(told, owners, strict=True)]
        identifies = [(one, owner) for one, owner in changes if _changes_traits(one) and owner]
        seen: set[str] = set()
        if identifies:
            # A repeated identify must not bring an older trait back over a newer one.
            seen = await seen_before(connection, [one.message_id for one, _ in identifies])
            await lock_rows(connection, [owner for _, owner in identifies if owner])
        touchpoints: list[NewTouchpoint] = []
        fresh = [
            one for one, _ in identifies if one.kind == "identify" and one.message_id not in seen
        ]
        for one, owner in changes:
            changed = one
            if owner and _changes_traits(one) and one.message_id not in seen:
                seen.add(one.message_id)
                traits = one.properties
                if one.event == GROUP:
                    touchpoints.append(_touchpoint(one, owner))
                    traits = await _of_group(connection, one, owner)
                changed = await self._merged(connection, source, one, owner, traits)
            touchpoints.append(_touchpoint(changed, owner))
        if fresh:
            rules = await self._customers.rules.read(connection)
            await self._types.observe(connection, rules, [one.properties for one in fresh])
        return touchpoints

    async def _merged(
        self,
        connection: Connection,
        source: str,
        one: Reported,
        owner: str,
        traits: dict[str, JsonValue],
    ) -> Reported:
        """What a message changed, as the touchpoint that tells it; what is of a wrong type is parked."""
        told = {name: value for name, value in traits.items() if name not in READ_BY_US}
        merged = await self._customers.merge_traits(connection, owner, told)
        refused = {name: READ_BY_US[name] for name in traits if name in READ_BY_US}
        await park(
            connection,
            [
                RefusedTouchpoint(
                    source=source,
                    reason=why,
                    message=as_text({name: traits[name]}),
                    message_id=one.message_id,
                )
                for name, why in (refused | dict(merged.refused)).items()
            ],
        )
        if one.event == GROUP:
            told = message_id("group", one.message_id)
            one = replace(one, kind="identify", event=TRAITS_CHANGED, message_id=told)
        return replace(one, properties=merged.changed)


def _changes_traits(one: Reported) -> bool:
    told = one.event == GROUP and isinstance(one.properties.get("groupId"), str)
    return one.kind == "identify" or told


async def _of_group(connection: Connection, one: Reported, owner: str) -> dict[str, JsonValue]:
    traits = {name: value for name, value in one.properties.items() if name != "groupId"}
    return await join_group(connection, owner, str(one.properties["groupId"]), traits)


def _touchpoint(one: Reported, owner: str | None) -> NewTouchpoint:
    return NewTouchpoint(
        message_id=one.message_id,
        event=one.event,
        occurred_at=one.occurred_at,
        customer=owner,
        subject=one.subject,
        properties=one.properties,
        context=one.context,
        routed=one.kind == "touchpoint" or (one.kind == "identify" and bool(one.properties)),
    )


def _said_id(message: Any) -> str | None:
    """The message id that a refused message claims, where it is one."""
    said: Any = message.get("messageId") if isinstance(message, dict) else None  # pyright: ignore[reportUnknownVariableType] -- JSON
    return as_text(said)[1:-1] if isinstance(said, str) else None
