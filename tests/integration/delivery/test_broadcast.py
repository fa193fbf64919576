"""A broadcast beside service messages, stopped in the middle and let go on."""

import pytest

from benchmarks.broadcast import Broadcast, figures, most_in_a_second, overtaken
from stores.database import Pool


async def is_kept(cast: Broadcast) -> None:
    await cast.prepare()
    rates = await cast.live()
    print("\n".join(figures(cast, rates)))  # shown where it fails, and with -s

    assert cast.outcomes == {
        "marketing accepted": cast.marketing,
        "service accepted": cast.service,
    }
    keys = [message.key for message in cast.channel.taken]
    assert len(keys) == len(set(keys)) == cast.marketing + cast.service
    assert cast.woken > 0
    assert cast.sent_while_stopped == 0
    assert most_in_a_second(turn for _, turn, _ in rates.turns) <= cast.rate
    assert overtaken(rates.turns) == 0


async def test_nobody_gets_it_twice_and_no_service_message_waits_for_it(pool: Pool) -> None:
    await is_kept(Broadcast(pool, marketing=300, service=20, rate=50))


@pytest.mark.faults_full
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("marketing", [10_000, 100_000])
async def test_the_same_with_many_more(pool: Pool, marketing: int) -> None:
    await is_kept(Broadcast(pool, marketing=marketing, service=marketing // 50, rate=200))
