"""What customers answered, as somebody looks at it: how many said what, week by week and by journey, and who."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from journey.survey import Survey
from stores.database import Pool, rows_of
from stores.figure_looks import hour_number
from stores.published import last_words

MOST_ANSWERS = 100_000
"""So many answers of a survey are counted at the most, the newest."""

MOST_IN_ALL = 500_000
"""So many are counted at the most where many surveys are looked at side by side."""

MOST_SURVEYS = 200
MOST_PEOPLE = 50

# Names by one step down the index for each.
_NAMES: LiteralString = """
with recursive answered as (
    (select survey from answers order by survey limit 1)
    union all
    select (select a.survey from answers a where a.survey > n.survey order by a.survey limit 1)
      from answered n where n.survey is not null
)
(select survey from answered where survey is not null limit %(most)s)
union
(select name from published where kind = 'survey' and live order by name limit %(most)s)
order by 1 limit %(most)s
"""

_SIDE_BY_SIDE: LiteralString = """
select s.survey, c.later, c.score, c.choice, c.n
  from unnest(%(surveys)s::text[]) s(survey) cross join lateral (
       select a.later, a.score, a.choice, count(*) as n
         from ((select true as later, score, choice from answers
                 where survey = s.survey and at >= %(since)s and at < %(until)s order by at desc limit %(most)s)
               union all
               (select false, score, choice from answers
                 where survey = s.survey and at >= %(before)s and at < %(since)s order by at desc limit %(most)s)) a
        group by 1, 2, 3) c
"""

_COUNTED: LiteralString = """
select date_trunc('week', a.at) as week, coalesce(r.journey, '') as journey, a.score, a.choice, count(*) as n
  from (select at, entry, score, choice from answers
         where survey = %(survey)s and at >= %(since)s and at < %(until)s order by at desc limit %(most)s) a
  left join runs r using (entry)
 group by 1, 2, 3, 4
"""

_WHO: LiteralString = """
select a.at, a.customer, coalesce(r.journey, '') as journey, a.score, a.choice, a.answer_group,
       left(a.words, 2000) as words
  from (select at, entry, customer, score, choice, answer_group, words from answers
         where survey = %(survey)s and at >= %(since)s and at < %(until)s
"""

_WHO_OF: LiteralString = """
         order by at desc limit %(looked)s) a
  left join runs r using (entry)
 where %(journey)s::text is null or r.journey = %(journey)s
 order by a.at desc limit %(most)s
"""

_INVITED: LiteralString = """
select version, address, kind, sum(n)::bigint as n from journey_figures
 where journey = any(%(journeys)s) and span = %(span)s and at >= %(since)s and at < %(until)s
   and kind in ('sent', 'reminded', 'answered', 'late') and address = any(%(addresses)s)
 group by 1, 2, 3
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class SurveyWords:
    """A survey by name. `words`: as it is asked, or was asked last; None where it was never published."""

    survey: str
    words: Survey | None
    live: bool


@dataclass(slots=True, frozen=True, kw_only=True)
class CountedAnswers:
    """So many said this in a week (of UTC, from Monday) in a journey, '' where its run is gone."""

    week: datetime
    journey: str
    score: float | None
    choice: str | None
    n: int


@dataclass(slots=True, frozen=True, kw_only=True)
class SideBySide:
    """So many said this to a survey, in the time that is looked at (`later`) or the one before."""

    survey: str
    later: bool
    score: float | None
    choice: str | None
    n: int


@dataclass(slots=True, frozen=True, kw_only=True)
class WhoAnswered:
    """An answer and whose it is. `words` has at most 2,000 letters of what they wrote."""

    at: datetime
    customer: str
    journey: str
    score: float | None
    choice: str | None
    answer_group: str
    words: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Invited:
    """So often a step that asks noted this: sent, reminded, answered, or late (nobody answered in time)."""

    version: str
    address: str
    kind: str
    n: int


class SurveyLooks:
    """Reads answers, each time so many at the most; times are wall time. Changes nothing."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def surveys(self, most: int = MOST_SURVEYS) -> list[SurveyWords]:
        """Those that are asked, and those that were answered, by name."""
        names = [row["survey"] for row in await rows_of(self._pool, _NAMES, {"most": most})]
        return await self._worded(names)

    async def survey(self, name: str) -> SurveyWords | None:
        """One of them; None where it was neither published nor answered."""
        [worded] = await self._worded([name])
        if worded.words is not None:
            return worded
        answered = "select 1 from answers where survey = %(name)s limit 1"
        return worded if await rows_of(self._pool, answered, {"name": name}) else None

    async def side_by_side(
        self, surveys: Sequence[str], before: datetime, since: datetime, until: datetime
    ) -> tuple[list[SideBySide], int]:
        """What was said to each since, and between `before` and then; and how many of each were counted at the most."""
        most = min(MOST_ANSWERS, MOST_IN_ALL // max(1, len(surveys)))
        asked = {
            "surveys": list(surveys), "before": before, "since": since, "until": until, "most": most,
        }  # fmt: skip
        return [SideBySide(**row) for row in await rows_of(self._pool, _SIDE_BY_SIDE, asked)], most

    async def counted(
        self, survey: str, since: datetime, until: datetime, most: int = MOST_ANSWERS
    ) -> list[CountedAnswers]:
        """How many said what from `since` until before `until`; where there are more, of the newest `most`."""
        asked = {"survey": survey, "since": since, "until": until, "most": most}
        return [CountedAnswers(**row) for row in await rows_of(self._pool, _COUNTED, asked)]

    async def invited(
        self,
        journeys: Sequence[str],
        addresses: Sequence[str],
        since: datetime,
        until: datetime,
        *,
        by_day: bool,
    ) -> list[Invited]:
        """What was noted at these steps, of the hours or the days of UTC that began in that time. Run time."""
        size = 24 if by_day else 1
        asked = {
            "journeys": list(journeys), "addresses": list(addresses), "span": size,
            "since": hour_number(since) // size * size, "until": hour_number(until) + 1,
        }  # fmt: skip
        return [Invited(**row) for row in await rows_of(self._pool, _INVITED, asked)]

    async def who(
        self,
        survey: str,
        since: datetime,
        until: datetime,
        *,
        score: float | None = None,
        choice: str | None = None,
        journey: str | None = None,
        with_words: bool = False,
        most: int = MOST_PEOPLE,
    ) -> list[WhoAnswered]:
        """Who answered, the newest first. `with_words`: who wrote. Of a journey: among the newest `MOST_ANSWERS`."""
        query = _WHO
        if score is not None:
            query += " and score = %(score)s"
        if choice is not None:
            query += " and choice = %(choice)s"
        if with_words:
            query += " and words <> ''"
        asked = {
            "survey": survey, "since": since, "until": until, "score": score, "choice": choice,
            "journey": journey, "most": most, "looked": most if journey is None else MOST_ANSWERS,
        }  # fmt: skip
        return [WhoAnswered(**row) for row in await rows_of(self._pool, query + _WHO_OF, asked)]

    async def _worded(self, names: Sequence[str]) -> list[SurveyWords]:
        words = await last_words(self._pool, "survey", names)
        return [
            SurveyWords(
                survey=name,
                words=Survey.model_validate(words[name].source) if name in words else None,
                live=name in words and words[name].live,
            )
            for name in names
        ]
