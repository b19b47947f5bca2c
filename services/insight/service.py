"""Insight's entrypoints: parse, call, answer."""

from __future__ import annotations

from nameko.timer import timer

from backbone.messaging.consumers import durable_event_handler
from backbone.messaging.rpc import rpc
from backbone.process.dependencies import UseCases
from backbone.process.status_service import StatusService
from contracts.base import Event, now
from contracts.insight import (
    CountCases,
    CountDecisions,
    CountRatings,
    Counts,
    CountVisits,
    DecisionCounts,
    GetPublishedFigures,
    PublishedFigures,
    RatingCounts,
    VisitCounts,
)
from services.insight.composition import compose


class Service(StatusService):
    name = "insight"
    use_cases = UseCases(lambda settings: compose())

    @durable_event_handler("insight.events", batch=200, linger=0.5, concurrency=2)
    def record(self, events: list[Event]) -> None:
        with self.db.statements() as connection:
            self.use_cases.ingest.record(connection, events)

    @timer(interval=600)  # type: ignore[untyped-decorator]  # nameko is untyped
    def release_public_figures(self) -> None:
        # Not at the start: what waited in the queue while nobody took it is to be counted, too.
        with self.db.transaction() as connection:
            self.use_cases.publication.release(connection, now())

    @rpc
    def count_cases(self, request: CountCases) -> Counts:
        with self.db.read() as connection:
            return self.use_cases.figures.count_cases(connection, request)

    @rpc
    def count_decisions(self, request: CountDecisions) -> DecisionCounts:
        with self.db.read() as connection:
            return self.use_cases.figures.count_decisions(connection, request)

    @rpc
    def count_ratings(self, request: CountRatings) -> RatingCounts:
        with self.db.read() as connection:
            return self.use_cases.figures.count_ratings(connection, request)

    @rpc
    def get_published_figures(self, request: GetPublishedFigures) -> PublishedFigures:
        with self.db.read() as connection:
            return self.use_cases.published.published(connection)

    @rpc
    def count_visits(self, request: CountVisits) -> VisitCounts:
        with self.db.read() as connection:
            return self.use_cases.figures.count_visits(connection, request)
