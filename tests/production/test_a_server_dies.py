"""One of two Temporal servers is killed while customers are on their way: everybody's run goes on."""

import asyncio
import time

import pytest
from temporalio.client import Client

from benchmarks.production.cluster import TemporalCluster
from tests.integration.conftest import Stack
from tests.production.crowd import Crowd

pytestmark = pytest.mark.timeout(420)


async def survives(crowd: Crowd, cluster: TemporalCluster, *, kills: int, dead: float) -> None:
    """Kill one server after another in the middle; whoever is dead comes back after so many seconds."""
    await crowd.publish()
    entering = asyncio.create_task(crowd.enter())
    killed: list[float] = []
    for n in range(kills):
        await asyncio.sleep(1.5)  # customers are on their way by now
        server = cluster.servers[n % len(cluster.servers)]
        killed.append(time.monotonic())
        await server.kill()
        await asyncio.wait([entering], timeout=dead)
        await server.start()
    await entering
    silent = [round(crowd.longest_silence(moment), 2) for moment in killed]
    following = [round(crowd.next_send_after(moment), 2) for moment in killed]
    print(
        f"\n{kills} kills of one of {len(cluster.servers)} servers, {crowd.many} runs, "
        f"{len(crowd.sent)} messages; kill to next send {following} s, longest silence {silent} s"
    )
    broken = await crowd.judge()
    assert broken.nothing, broken
    assert crowd.twice == []
    assert len(crowd.mails) == 2 * len(crowd.said) == 2 * crowd.many


async def test_runs_go_on_through_the_other_server(stack: Stack, cluster: TemporalCluster) -> None:
    crowd = Crowd(stack, "small", many=24, rate=6)

    await survives(crowd, cluster, kills=1, dead=60)

    # The one that came back carries its part again.
    own = await Client.connect(cluster.servers[0].address)
    assert await own.service_client.check_health()


@pytest.mark.faults_full
@pytest.mark.timeout(1_800)
async def test_many_runs_go_on_however_often_servers_die(
    stack: Stack, cluster: TemporalCluster
) -> None:
    crowd = Crowd(stack, "big", many=2_000, rate=10)

    await survives(crowd, cluster, kills=10, dead=15)
