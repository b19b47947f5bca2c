"""All that is published of the newest time, in one answer: months with outcomes and ratings, and how long decisions take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection

from backbone.persian import jalali
from contracts.insight import OutcomeCount, PublishedDuration, PublishedFigures, PublishedMonth, ScoreCount
from contracts.vocabulary import Kind, Outcome
from services.insight.figures.catalogue import published
from services.insight.figures.catalogue.cases import NAME as CASES
from services.insight.publication import rules, store

MONTHS_SHOWN, SEASONS_SHOWN = 24, 8


class PublishedUseCases:
    def published(self, connection: Connection) -> PublishedFigures:
        """The newest months and seasons of the newest release."""
        of_cases = _by_period(connection, CASES, "all", "month")
        outcomes = _by_period(connection, published.OUTCOMES, "outcome", "month")
        scores = _by_period(connection, published.SATISFACTION, "score", "month")
        seasons = _by_period(connection, published.DURATIONS, "kind_duration", "since")
        months = sorted({*of_cases, *outcomes, *scores}, reverse=True)[:MONTHS_SHOWN]
        return PublishedFigures(
            until=store.newest(connection),
            months=[_month(month, of_cases, outcomes, scores) for month in months],
            durations=[
                duration
                for season in sorted(seasons, reverse=True)[:SEASONS_SHOWN]
                for kind in Kind
                if (duration := _duration(season, kind, seasons[season])) is not None
            ],
        )


def _by_period(connection: Connection, measure: str, table: str, period: str) -> dict[Any, dict[str, tuple[int, int]]]:
    """The sums of blurred cells, and of how many, by month or first day, and by key."""
    periods: dict[Any, dict[str, tuple[int, int]]] = {}
    for row in store.sums(connection, [measure], table, [period, "key"], {}):
        periods.setdefault(row[1], {})[row.key] = (row.total, row.cells)
    return periods


_Cells = Mapping[str, Mapping[str, tuple[int, int]]]


def _month(month: str, of_cases: _Cells, outcomes: _Cells, scores: _Cells) -> PublishedMonth:
    filed = of_cases.get(month, {}).get("", (0, 0))
    decided = {key: rules.public(*cell) for key, cell in outcomes.get(month, {}).items()}
    rated = scores.get(month, {})
    blurred = {score: rated.get(str(score), (0, 0))[0] for score in rules.SCORES}
    given = {int(key): rules.public(*cell) for key, cell in rated.items()}
    return PublishedMonth(
        month=month,
        cases=rules.public(*filed),
        outcomes=[
            OutcomeCount(outcome=Outcome(key), count=count) for key, count in decided.items() if count is not None
        ],
        ratings=rules.public(sum(total for total, _ in rated.values()), len(rated)),
        average_rating=rules.average_score(blurred),
        scores=[ScoreCount(score=score, count=count) for score, count in sorted(given.items()) if count is not None],
    )


def _duration(season: date, kind: Kind, cells: Mapping[str, tuple[int, int]]) -> PublishedDuration | None:
    """None: too few were decided to be published."""
    limits = (*rules.DURATIONS, None)
    blurred = [(limit, cells.get(rules.duration_key(kind, limit), (0, 0))[0]) for limit in limits]
    decided = rules.public(sum(count for _, count in blurred), len(limits))
    if decided is None:
        return None
    since, until = jalali.quarter_span(season)
    return PublishedDuration(
        since=since,
        until=until,
        kind=kind,
        decided=decided,
        half_within_days=rules.within(blurred, 0.5),
        most_within_days=rules.within(blurred, 0.8),
    )
