"""Figures that are there to be published: how cases were decided, how long that took, and how content citizens are.

The staff whose work it is count decisions and ratings exactly (`decisions.py`, `ratings.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date

from sqlalchemy import Connection, func, select

from services.insight.figures.figure import Counted, Figure, Publication
from services.insight.models import facts
from services.insight.publication import rules

OUTCOMES, DURATIONS, SATISFACTION = "outcomes", "durations", "satisfaction"


def count_outcomes(
    connection: Connection, table: str, since: date, until: date
) -> Mapping[str | None, Mapping[str, int]]:
    """Decisions of these days that are the last of their case, by outcome."""
    counted = select(facts.c.outcome, func.count()).where(
        facts.c.decided_on.between(since, until), facts.c.outcome.is_not(None)
    )
    return {row[0]: {OUTCOMES: row[1]} for row in connection.execute(counted.group_by(facts.c.outcome))}


def count_durations(
    connection: Connection, table: str, since: date, until: date
) -> Mapping[str | None, Mapping[str, int]]:
    """The same by kind and days since the filing."""
    days = (facts.c.decided_on - facts.c.day).label("days")
    counted = select(facts.c.kind, days, func.count()).where(facts.c.decided_on.between(since, until))
    cells: Counter[str | None] = Counter()
    for kind, taken, count in connection.execute(counted.group_by(facts.c.kind, days)):
        cells[rules.duration_key(kind, rules.duration_limit(taken))] += count
    return {key: {DURATIONS: count} for key, count in cells.items()}


def count_scores(
    connection: Connection, table: str, since: date, until: date
) -> Mapping[str | None, Mapping[str, int]]:
    """Ratings of these days that citizens gave by themselves, by score."""
    within = (facts.c.rated_on.between(since, until), facts.c.score.is_not(None), ~facts.c.rated_by_phone)
    counted = select(facts.c.score, func.count()).where(*within).group_by(facts.c.score)
    return {str(row[0]): {SATISFACTION: row[1]} for row in connection.execute(counted)}


def _published(name: str, publication: Publication) -> Figure:
    counted = Counted(source=facts, day=facts.c.decided_on, measures={name: func.count()})
    return Figure(name=name, counted=counted, dimensions=(), filters=(), exact_for=frozenset(), publication=publication)


PUBLISHED_ALONE = (
    _published(OUTCOMES, Publication(count_outcomes, monthly=("outcome",))),
    _published(DURATIONS, Publication(count_durations, quarterly=("kind_duration",))),
    _published(SATISFACTION, Publication(count_scores, monthly=("score",))),
)
"""Nobody asks for them by name: `PublicationUseCases.published` answers with all of them."""
