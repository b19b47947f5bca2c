"""Entrypoints of lists and of kept searches: a part of tracking's service."""

from __future__ import annotations

from backbone.messaging.json_answer import JsonAnswer
from backbone.messaging.rpc import rpc
from backbone.process.audited_service import AuditedService
from contracts import searches
from services.tracking.composition import TrackingUseCases


class SearchEntrypoints(AuditedService):
    """Which cases there are, and the searches of staff. `use_cases`: the service's."""

    use_cases: TrackingUseCases

    @rpc
    def list_cases(self, request: searches.ListCases) -> JsonAnswer[searches.CasePage]:
        with self.db.read() as connection:
            return self.use_cases.searches.list_cases(connection, request)

    @rpc
    def count_found_cases(self, request: searches.CountFoundCases) -> searches.CaseCount:
        with self.db.read() as connection:
            return self.use_cases.searches.count_found_cases(connection, request)

    @rpc
    def count_many_found_cases(self, request: searches.CountManyFoundCases) -> searches.CaseCounts:
        with self.db.read() as connection:
            return self.use_cases.searches.count_many_found_cases(connection, request)

    @rpc
    def pin_searches(self, request: searches.PinSearches) -> searches.SearchPage:
        return self.command(self.use_cases.searches.pin_searches, request)

    @rpc
    def keep_search(self, request: searches.KeepSearch) -> searches.Search:
        return self.command(self.use_cases.searches.keep_search, request)

    @rpc
    def list_searches(self, request: searches.ListSearches) -> searches.SearchPage:
        with self.db.read() as connection:
            return self.use_cases.searches.list_searches(connection, request)

    @rpc
    def get_search(self, request: searches.GetSearch) -> searches.Search:
        with self.db.read() as connection:
            return self.use_cases.searches.get_search(connection, request)

    @rpc
    def change_search(self, request: searches.ChangeSearch) -> searches.Search:
        return self.command(self.use_cases.searches.change_search, request)

    @rpc
    def drop_search(self, request: searches.DropSearch) -> searches.Dropped:
        return self.command(self.use_cases.searches.drop_search, request)
