"""The effects that a run has asked for and that are being carried out."""

import asyncio
from collections.abc import Container

from contracts.journey_run import RunReference
from journey.effects import Effect, RunRecord
from journey.happenings import EffectFailed, EffectFinished
from workflows.effects import Riding, carry_out


class UnderWay:
    """One task for each effect that was asked for, and the answers that came."""

    def __init__(self) -> None:
        self.answers: list[EffectFinished | EffectFailed] = []
        self._tasks: dict[int, tuple[asyncio.Task[None], Riding]] = {}

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def take(self) -> list[EffectFinished | EffectFailed]:
        """The answers that came, in order."""
        answers, self.answers = self.answers, []
        return answers

    def start(self, effect: Effect, run: RunReference, riding: Riding, *, held_out: bool) -> None:
        """Begin to carry out an effect, with the records that ride in its input."""
        work = self._carry_out(effect, run, riding, held_out=held_out)
        self._tasks[effect.n] = asyncio.create_task(work), riding

    async def _carry_out(
        self, effect: Effect, run: RunReference, riding: Riding, *, held_out: bool
    ) -> None:
        answer = await carry_out(effect, run, riding, held_out=held_out)
        if answer is not None and self._tasks.pop(effect.n, None) is not None:
            self.answers.append(answer)

    def call_off(self, wanted: Container[int]) -> list[RunRecord]:
        """Call off what is not wanted any more. Returns the records that rode along.

        They may not have been written: what is called off in the task that asked for it never
        leaves. To write them twice is the same as once.
        """
        called_off = [self._tasks.pop(n) for n in list(self._tasks) if n not in wanted]
        for task, _ in called_off:
            task.cancel()
        return [riding.record for _, riding in called_off if riding.record is not None]
