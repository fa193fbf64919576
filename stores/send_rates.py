"""How fast messages leave: one bucket a channel or provider, shared by all processes, one statement a turn.

Turns of a rate are spaced evenly: `10 per second` is one each 100 ms, so that no second has more. A
service message may take a turn up to `SERVICE_AHEAD` ahead, marketing hardly any, so service finds its
turn before marketing does; where the rate is so slow that service has to come back, marketing takes
none until it did.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from activities.sending_rate import Asker, Leaves, Waits
from stores.database import Pool
from stores.house_policy import HousePolicyStore

SERVICE_AHEAD = timedelta(seconds=5)
"""A service message waits so long in its worker for its turn; longer, and it comes again."""

MARKETING_AHEAD = timedelta(milliseconds=250)

LONGEST_WAIT = timedelta(hours=1)
"""Whoever waits asks again within so long, also where thousands wait: the rate may have been raised."""

# `granted` is written out each time, as what the row was is known only within the statement.
_TAKE = """
insert into send_rates as r (rate, free_at, taken_by)
values (%(rate)s, %(now)s + %(step)s, %(asker)s)
on conflict (rate) do update set
    free_at = case when r.free_at <= %(now)s + %(ahead)s
                    and (%(service)s or r.service_until <= %(now)s)
                   then greatest(r.free_at, %(now)s) + %(step)s else r.free_at end,
    taken_by = case when r.free_at <= %(now)s + %(ahead)s
                     and (%(service)s or r.service_until <= %(now)s)
                    then %(asker)s else '' end,
    service_until = case when %(service)s and r.free_at > %(now)s + %(ahead)s
                         then greatest(r.service_until, r.free_at + %(ahead)s
                                       + (r.service_waiting + 1) * %(step)s::interval)
                         else r.service_until end,
    waiting = case when r.free_at < %(now)s - 16 * %(step)s::interval then 0
                   when %(service)s then r.waiting
                   else greatest(0, r.waiting + %(more)s + case
                       when r.free_at <= %(now)s + %(ahead)s and r.service_until <= %(now)s
                       then %(leaves)s else %(joins)s end) end,
    service_waiting = case when r.free_at < %(now)s - 16 * %(step)s::interval then 0
                           when not %(service)s then r.service_waiting
                           else greatest(0, r.service_waiting + case
                               when r.free_at <= %(now)s + %(ahead)s
                               then %(leaves)s else %(joins)s end) end
returning free_at, taken_by, service_until,
          case when %(service)s then service_waiting else waiting end as waiting
"""


@dataclass(slots=True)
class _Dry:
    """What this process knows of a rate that had no turn for marketing."""

    until: datetime
    waiting: int
    joined: int = 0


class SendRateStore:
    """The rates of `policy.yaml`. `wall_clock` gives wall time: rates know no other."""

    def __init__(
        self, pool: Pool, wall_clock: Callable[[], datetime], policies: HousePolicyStore
    ) -> None:
        self._pool = pool
        self._wall_clock = wall_clock
        self._policies = policies
        self._dry: dict[str, _Dry] = {}

    async def known_to_wait(self, ways: Sequence[Sequence[str]], asker: Asker) -> Waits | None:
        """Where no way has a turn for marketing as far as is known here: no statement is needed to wait on."""
        if asker.purpose == "service" or not self._dry:
            return None
        now, policy = self._wall_clock(), await self._policies.current()
        soonest: Waits | None = None
        for names in ways:
            dry = [name for name in names if name in policy.rates and self._is_dry(name, now)]
            if not dry:
                return None
            rate, known = dry[0], self._dry[dry[0]]
            known.joined += asker.attempt == 1
            waits = _waits(rate, policy.rates[rate].step, known.until - now, known.waiting, asker)
            soonest = waits if soonest is None or waits.after < soonest.after else soonest
        return soonest

    def _is_dry(self, rate: str, now: datetime) -> bool:
        return rate in self._dry and self._dry[rate].until > now

    async def take(self, names: Sequence[str], asker: Asker) -> Leaves | Waits:
        """A turn of each of them; one that is taken where the next has none is lost."""
        rates = (await self._policies.current()).rates
        after = timedelta(0)
        for name in names:
            if name in rates:
                turn = await self._take(name, rates[name].step, asker)
                if isinstance(turn, Waits):
                    return turn
                after = max(after, turn.after)
        return Leaves(after=after)

    async def _take(self, rate: str, step: timedelta, asker: Asker) -> Leaves | Waits:
        now, service = self._wall_clock(), asker.purpose == "service"
        known, marketing = self._dry.get(rate), not service
        ahead = SERVICE_AHEAD if service else MARKETING_AHEAD
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                _TAKE,
                {
                    "rate": rate,
                    "now": now,
                    "step": step,
                    "asker": f"{asker.key} {asker.attempt} {now.timestamp()}",
                    "service": service,
                    "ahead": ahead,
                    "more": known.joined if known is not None and marketing else 0,
                    "joins": int(asker.attempt == 1),
                    "leaves": -int(asker.attempt > 1),
                },
            )
            row = await cursor.fetchone()
        assert row is not None
        if known is not None and marketing:
            known.joined = 0
        if row["taken_by"]:
            return Leaves(after=max(timedelta(0), row["free_at"] - step - now))
        free_at: datetime = row["free_at"] - ahead
        if marketing:
            free_at = max(free_at, row["service_until"])
            self._dry[rate] = _Dry(free_at, row["waiting"])
        return _waits(rate, step, free_at - now, row["waiting"], asker)


def _waits(rate: str, step: timedelta, until: timedelta, waiting: int, asker: Asker) -> Waits:
    """Spread over the time that those who wait need, so that about two ask for each turn there is."""
    spread = min(LONGEST_WAIT, step * max(1, waiting))
    after = max(until, timedelta(0)) + spread * asker.drawn()
    return Waits(after=after, words=f"{rate}: as many as may leave now have left")
