"""Insight's entrypoints: parse, call, answer."""

from __future__ import annotations

from backbone.consumers import durable_event_handler
from backbone.extensions import PeygirService, UseCases
from backbone.rpc import rpc
from contracts.base import Event
from contracts.insight import CountCases, Counts, CountVisits, VisitCounts
from services.insight.handlers import Insight


class Service(PeygirService):
    name = "insight"
    use_cases = UseCases(lambda settings: Insight())

    @durable_event_handler("insight.events", batch=200, linger=0.1, concurrency=2)
    def record(self, events: list[Event]) -> None:
        with self.db.transaction() as connection:
            self.use_cases.record(connection, events)

    @rpc
    def count_cases(self, request: CountCases) -> Counts:
        with self.db.read() as connection:
            return self.use_cases.count_cases(connection, request)

    @rpc
    def count_visits(self, request: CountVisits) -> VisitCounts:
        with self.db.read() as connection:
            return self.use_cases.count_visits(connection, request)
