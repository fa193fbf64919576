"""What `clew doctor` finds of an installation that is at work: who works, how late it is, what is open to whom."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cli.findings import Finding
from cli.living_rules import REMEDIES, LivingRules, Looked

if TYPE_CHECKING:
    from temporalio.client import Client

    from stores.database import Pool
    from stores.lags import Lags

ROUTING_LATE, TIMERS_LATE = 10.0, 60.0
"""Seconds from which on somebody waits too long."""

OLDEST_POSTGRES = 140_000
SHOWN = 20
LISTENS = "0A"
"""How /proc/net/tcp says that a socket listens."""

FORGETTABLE = {"secret", "changeme", "change-me", "password", "clew", "test", "x" * 32}


async def processes(pool: "Pool") -> list[Finding]:
    """Who is at work, with which build, and who does not know the engine of new runs."""
    from stores.engines import NEEDED, EngineStore, those_who_do_not_know

    standing = await EngineStore(pool).standing()
    kinds = Counter(each.kind for each in standing.processes)
    found = [
        Finding.judged(
            f"{kind} at work",
            f"{kinds[kind]}" if kinds[kind] else "nobody: customers wait",
            wrong=not kinds[kind],
            remedy=f"python -m workers {kind}",
        )
        for kind in NEEDED
    ]
    builds = Counter(each.build for each in standing.processes)
    if builds:
        told = ", ".join(f"{build} ({count})" for build, count in sorted(builds.items()))
        found.append(
            Finding.judged(
                "builds",
                told,
                wrong=len(builds) > 1,
                other="optional",
                remedy="end the old ones where no deployment is under way",
            )
        )
    strangers = those_who_do_not_know(standing.engine, standing.processes)
    names = ", ".join(f"{each.kind} {each.process}" for each in strangers)
    found.append(
        Finding.judged(
            "engine",
            f"{names}: does not know {standing.engine}" if strangers else f"{standing.engine}",
            wrong=bool(strangers),
            remedy="replace them",
        )
    )
    return found


async def lags(pool: "Pool") -> list[Finding]:
    """How late touchpoints and timers are."""
    from stores.lags import LagStore

    return lags_in_words(await LagStore(pool).lags(datetime.now(UTC)))


def lags_in_words(lags: "Lags") -> list[Finding]:
    """The same of figures that are known."""
    return [
        Finding.judged(
            "routing",
            f"{lags.pending:,} touchpoints wait, the oldest {lags.routing:,.0f} s",
            wrong=lags.routing > ROUTING_LATE,
            remedy="is a router at work, and is Temporal there? Else start another: python -m workers router",
        ),
        Finding.judged(
            "timers",
            f"the latest is {max(0, lags.overdue):,.0f} s late",
            wrong=lags.overdue > TIMERS_LATE,
            remedy="are journey workers at work? Runs that the server lost: clew sweep",
        ),
    ]


async def versions(pool: "Pool", client: "Client | None") -> list[Finding]:
    """Of the servers that we stand on."""
    async with pool.connection() as connection:
        known = connection.info.server_version
    found = [
        Finding.judged(
            "PostgreSQL",
            f"{known // 10_000}.{known % 10_000}",
            wrong=known < OLDEST_POSTGRES,
            remedy="14 or newer",
        )
    ]
    if client is not None:
        from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

        told = await client.workflow_service.get_system_info(
            GetSystemInfoRequest(), timeout=timedelta(seconds=5)
        )
        found.append(Finding(what="Temporal server", state="ok", words=told.server_version))
    return found


async def hooks(pool: "Pool") -> list[Finding]:
    """Programs that are told what happens to cases: one that is told nothing any more is named."""
    from stores.case_hooks import CaseHookStore

    return [
        Finding.judged(
            f"hook {each.hook}",
            f"told nothing since {each.off_at:%Y-%m-%d %H:%M} UTC: {each.failed_why}"
            if each.off_at is not None
            else f"told up to event {each.told_to}",
            wrong=each.off_at is not None,
            remedy=f"mend it, then: clew case-hooks test {each.hook}",
        )
        for each in await CaseHookStore(pool).hooks()
    ]


async def rules(
    pool: "Pool", client: "Client | None", *, newest: int | None, histories: int
) -> list[Finding]:
    """Whether what must hold does, of the newest so many runs, or of all."""
    looked = await LivingRules(pool=pool, client=client, histories=histories).look(newest=newest)
    return rules_in_words(looked, sealed=client is None)


def rules_in_words(looked: Looked, *, sealed: bool = False) -> list[Finding]:
    """What was looked at, and each thing that does not hold with its place and remedy."""
    told = (
        f"{looked.customers:,} customers, {looked.runs:,} runs, {looked.touchpoints:,} touchpoints, "
        f"{looked.deliveries:,} deliveries, {looked.histories:,} histories"
    )
    if looked.on_their_way:
        told += f"; {looked.on_their_way:,} customers left out, to whom something is on its way"
    if sealed:
        told += "; what runs themselves say was not looked at: set CLEW_SECRET"
    found = [
        Finding(what=f"rule: {kind}", state="wrong", words=words, remedy=REMEDIES.get(kind, ""))
        for kind, words in looked.faults[:SHOWN]
    ]
    more = len(looked.faults) - SHOWN
    if more > 0:
        found.append(Finding(what="rules", state="wrong", words=f"and {more:,} more: --json"))
    return [Finding(what="looked at", state="ok", words=told), *found]


def secrets_of(environment: "dict[str, str]") -> list[Finding]:
    """Secrets in the environment that anybody might guess."""
    found = list[Finding]()
    for name in ("CLEW_SECRET", "CLEW_STAFF_TOKEN", "PGPASSWORD"):
        value = environment.get(name)
        short = name == "CLEW_SECRET" and value is not None and len(value) < 32
        if value is not None and (short or value.lower() in FORGETTABLE):
            words = "is too short, or one that anybody would try"
            remedy = "a new one: python -c 'import secrets; print(secrets.token_hex(32))'"
            found.append(Finding(what=name, state="wrong", words=words, remedy=remedy))
    return found


def open_ports(
    ports: "dict[int, str]", tables: "tuple[str, ...]" = ("tcp", "tcp6")
) -> list[Finding]:
    """Ports of a local installation that others than this machine reach. `ports`: port → whose it is."""
    found = list[Finding]()
    for table in tables:
        path = Path("/proc/net") / table
        lines = path.read_text().splitlines()[1:] if path.is_file() else []
        found += [
            Finding(
                what=f"port {port}",
                state="wrong",
                words=f"{ports[port]} listens on every address of this machine",
                remedy="bind it to 127.0.0.1, and put a proxy with TLS before it",
            )
            for port in _everywhere(lines)
            if port in ports
        ]
    return found


def _everywhere(lines: list[str]) -> list[int]:
    """Ports that listen on no address in particular, in lines of /proc/net/tcp."""
    found = set[int]()
    for line in lines:
        _, local, _, state, *_ = line.split()
        address, _, port = local.partition(":")
        if state == LISTENS and set(address) == {"0"}:
            found.add(int(port, 16))
    return sorted(found)
