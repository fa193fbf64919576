"""Answers to surveys: the first one counts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import JsonValue

from contracts.ids import message_id
from journey.touchpoint import SURVEY_ANSWERED
from stores.database import Pool, clean_text
from stores.touchpoints import store_touchpoint


@dataclass(slots=True, frozen=True, kw_only=True)
class Answer:
    """What a customer answered. `ask` is the key of the invitation."""

    ask: str
    survey: str
    customer: str
    entry: int
    group: str
    score: float | None = None
    choice: str | None = None
    words: str = ""


class AnswerStore:
    """Keeps answers, and tells the run that asked. `ring` wakes the routers."""

    def __init__(self, pool: Pool, ring: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)

    async def answered(self, ask: str) -> bool:
        """Whether this was answered before."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("select 1 from answers where ask = %s", [ask])
            return await cursor.fetchone() is not None

    async def keep(self, answer: Answer) -> bool:
        """Keep an answer and the touchpoint that tells it, together; False where one was kept before."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                insert into answers (ask, survey, customer, entry, score, choice, words, answer_group)
                values (%s, %s, canonical(%s), %s, %s, %s, %s, %s) on conflict (ask) do nothing
                """,
                [
                    *(answer.ask, answer.survey, answer.customer, answer.entry, answer.score),
                    *(answer.choice, clean_text(answer.words), answer.group),
                ],
            )
            if cursor.rowcount == 0:
                return False
            said: dict[str, JsonValue] = {
                "ask": answer.ask,
                "survey": answer.survey,
                "score": answer.score,
                "choice": answer.choice,
                "text": clean_text(answer.words) or None,
                "group": answer.group,
            }
            await store_touchpoint(
                connection,
                customer=answer.customer,
                subject=None,
                message_id=message_id("answer", answer.ask),
                event=SURVEY_ANSWERED,
                occurred_at=datetime.now(UTC),
                properties=said,
                context={},
            )
        self._ring()
        return True
