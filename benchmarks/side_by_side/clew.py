"""Clew as it is installed: API, router, journey worker and delivery worker, each a process of its own."""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.side_by_side.clew_journeys import journeys, messages
from benchmarks.side_by_side.contender import Ack, History
from benchmarks.side_by_side.http_door import HttpDoor
from benchmarks.side_by_side.postgres_meter import Meter, PostgresMeter, role_url
from benchmarks.side_by_side.programs import Program
from benchmarks.side_by_side.scenario import BEGAN, Scenario
from benchmarks.side_by_side.sink import Sink
from benchmarks.side_by_side.temporal_rig import NAMESPACE, TemporalRig
from contracts.ids import workflow_id
from journey.publication import read_definition
from stores.database import open_pool
from stores.definitions import DefinitionStore
from stores.messages import MessageStore
from stores.migrations import upgrade
from stores.write_keys import WriteKeyStore
from workers.embedded.child_process import free_port

KEY = "write-key-of-the-benchmark"
AT_A_TIME = 100
WORKERS = ("journey", "delivery")
DOORS = ("api", "router")


class Clew:
    """`encrypted`: whether what histories hold is encrypted."""

    def __init__(
        self, scenario: Scenario, *, encrypted: bool = False, production: bool = True
    ) -> None:
        self.name = "clew-encrypted" if encrypted else "clew"
        self.title = "Clew, histories encrypted" if encrypted else "Clew"
        self.without: Mapping[str, str] = {}
        self.licence = "Apache-2.0"
        self._scenario = scenario
        self._encrypted = encrypted
        self._rig = TemporalRig(production=production)
        self._programs: dict[str, Program] = {}
        self._customers: dict[str, str] = {}
        self._told = 0

    async def start(self, folder: Path) -> None:
        """Servers, tables, journeys, and the four processes."""
        await self._rig.start(folder)
        self.sink = Sink(folder / "sent.tsv")
        url = await self._rig.postgres.create_database("clew")
        await asyncio.to_thread(upgrade, url)
        self._pool = await open_pool(url, name="benchmark", most=4)
        await self._publish()
        port = free_port()
        self._door = HttpDoor("127.0.0.1", port, user=KEY)
        settings = self._settings(port)
        for kind in (*DOORS, *WORKERS):
            own = {"CLEW_DATABASE_URL": await role_url(url, f"clew_{kind}")}
            words = ["workers", kind]
            if kind == "delivery":
                words = ["benchmarks.side_by_side.clew_delivery", str(self.sink.path)]
            self._programs[kind] = Program.module(words, folder, kind, {**settings, **own})
        await asyncio.gather(*(program.start() for program in self._programs.values()))

    async def _publish(self) -> None:
        for name, source in journeys(self._scenario).items():
            await DefinitionStore(self._pool).publish(read_definition(source, f"{name}.yaml"))
        for name, source in messages().items():
            await MessageStore(self._pool).publish(name, source)
        await WriteKeyStore(self._pool).add("benchmark", KEY)

    def _settings(self, port: int) -> dict[str, str]:
        return {
            "TEMPORAL_ADDRESS": self._rig.address,
            "TEMPORAL_NAMESPACE": NAMESPACE,
            "CLEW_SMTP_URL": "smtp://127.0.0.1:1",  # nothing is sent by it
            "CLEW_MAIL_FROM": "Clew <hello@clew.example>",
            "CLEW_SECRET": secrets.token_hex(32),
            "CLEW_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "CLEW_API_PORT": str(port),
            "CLEW_LOG_LEVEL": "warning",
            "CLEW_HISTORY_ENCRYPTION": "on" if self._encrypted else "off",
        }

    async def stop(self) -> None:
        """End all of it."""
        await asyncio.gather(*(program.stop() for program in self._programs.values()))
        if self._programs:
            await self._door.close()
            await self._pool.close()
        await self._rig.stop()

    async def know(self, customers: Sequence[str]) -> None:
        """Identify them, and let the router be done with that."""
        for first in range(0, len(customers), AT_A_TIME):
            batch = [
                {
                    "type": "identify",
                    "userId": customer,
                    "messageId": f"identify-{customer}",
                    "traits": {"email": f"{customer}@example.com"},
                }
                for customer in customers[first : first + AT_A_TIME]
            ]
            await self._door.post("/v1/batch", {"batch": batch})
        await self.taken()

    async def taken(self) -> None:
        """Until the router has taken everything to where it belongs."""
        while await self._pending():  # noqa: ASYNC110 -- seen in the database
            await asyncio.sleep(0.1)

    async def _pending(self) -> bool:
        async with self._pool.connection() as connection:
            cursor = await connection.execute("select from outbox limit 1")
            return await cursor.fetchone() is not None

    async def begin(self, journey: str, customer: str, due: str | None = None) -> Ack:
        """Post the touchpoint by which the customer enters."""
        given = {"due": due} if due else {}
        return await self._post(customer, BEGAN, {"journey": journey, **given})

    async def touch(self, journey: str, customer: str, event: str) -> Ack:
        """Post it. Raises: `ConnectionError` where it is not taken."""
        return await self._post(customer, event, {})

    async def _post(self, customer: str, event: str, properties: Mapping[str, Any]) -> Ack:
        self._told += 1
        body: dict[str, Any] = {
            "userId": customer,
            "event": event,
            "messageId": f"m-{self._told}",
            "properties": {"cart_value": 80.0, "currency": "EUR", **properties},
        }
        asked = time.monotonic()
        await self._door.post("/v1/track", body)
        return Ack(asked, time.monotonic())

    async def history(self, journey: str, customer: str) -> History | None:
        """As the server describes it."""
        return await self._rig.history(await self._id(journey, customer))

    async def ended(self, journey: str, customer: str) -> bool:
        """As the server describes it."""
        try:
            return await self._rig.ended(await self._id(journey, customer))
        except KeyError:
            return False  # the router has not met them yet

    async def _id(self, journey: str, customer: str) -> str:
        if customer not in self._customers:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "select value, customer from identities where kind = 'user_id'"
                )
                rows = await cursor.fetchall()
            self._customers |= {row["value"]: row["customer"] for row in rows}
        return workflow_id(journey, self._customers[customer])

    def meter(self) -> Meter | None:
        """Temporal's and our own."""
        return PostgresMeter(self._rig.postgres.url()) if self._rig.production else None

    def pids(self) -> Mapping[str, Sequence[int]]:
        """Journey and delivery worker; API and router; and the rig's."""
        kinds = {"worker": WORKERS, "door": DOORS}
        ours = {
            what: [pid for each in names if (pid := self._programs[each].pid)]
            for what, names in kinds.items()
        }
        return {**ours, **self._rig.pids()}

    async def kill(self, what: str) -> None:
        """Our own here, the others in the rig."""
        ours = {"worker": WORKERS, "door": DOORS}.get(what)
        if ours is None:
            await self._rig.kill(what)
        else:
            await asyncio.gather(*(self._programs[each].again() for each in ours))

    def versions(self) -> Mapping[str, str]:
        """The server and the SDK; our own is the commit."""
        return {**self._rig.versions(), "temporalio": version("temporalio")}
