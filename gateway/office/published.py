"""The published figures with what their months, outcomes and seasons are called."""

from __future__ import annotations

from backbone.persian.date_text import digits
from contracts.insight import OutcomeCount, PublishedDuration, PublishedFigures, PublishedMonth
from contracts.vocabulary import Language
from gateway.office.facts import both, season_name
from gateway.office.views import Bilingual
from texts.loading import area
from texts.vocabulary import KIND_NAMES, OUTCOME_NAMES

_TEXTS = area("office")


class OutcomeCountView(OutcomeCount):
    outcome_name: Bilingual


class PublishedMonthView(PublishedMonth):
    month_name: Bilingual
    outcomes: list[OutcomeCountView]  # type: ignore[assignment]  # each is the contract's, with more


class PublishedDurationView(PublishedDuration):
    kind_name: Bilingual
    season_name: Bilingual


class PublishedFiguresView(PublishedFigures):
    """The newest first. `until`: the last day that the newest release counts; None before the first one."""

    months: list[PublishedMonthView]  # type: ignore[assignment]  # as the outcomes
    durations: list[PublishedDurationView]  # type: ignore[assignment]  # as the outcomes


def view_of(figures: PublishedFigures) -> PublishedFiguresView:
    """In both languages."""
    return PublishedFiguresView(
        until=figures.until,
        months=[
            PublishedMonthView(
                **row.model_dump(exclude={"outcomes"}),
                month_name=_month(row.month),
                outcomes=[_outcome(outcome) for outcome in row.outcomes],
            )
            for row in figures.months
        ],
        durations=[
            PublishedDurationView(
                **row.model_dump(), kind_name=both(KIND_NAMES[row.kind]), season_name=season_name(row.since)
            )
            for row in figures.durations
        ],
    )


def _outcome(row: OutcomeCount) -> OutcomeCountView:
    return OutcomeCountView(**row.model_dump(), outcome_name=both(OUTCOME_NAMES[row.outcome]))


def _month(month: str) -> Bilingual:
    year, _, number = month.partition("-")
    key = f"month_{int(number)}"
    return both({language: _TEXTS.text(language, key, year=digits(year, language)) for language in Language})
