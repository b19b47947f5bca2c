"""What is asked for by RPC about which cases there are: lists, counts, and searches that staff keep and share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Row

from backbone.persian import normalisation as persian
from contracts.base import now
from contracts.errors import InvalidField, NotAllowed, NotFound, StaleVersion, TooManySearches
from contracts.gateway import Actor
from contracts.searches import (
    CaseCount,
    CasePage,
    ChangeSearch,
    CountCases,
    Dropped,
    DropSearch,
    Filter,
    GetSearch,
    KeepSearch,
    ListCases,
    ListSearches,
    Search,
    SearchPage,
)
from contracts.vocabulary import ActorKind
from services.tracking.case.event_handlers import Clock
from services.tracking.case.scope import Scope
from services.tracking.case.use_cases import Desk, _id, _no_nul, again
from services.tracking.cursors import cursor
from services.tracking.search import queries as searching
from services.tracking.search import store as searches_store
from services.tracking.settings import Settings

_MADE_OF_KEYS = UUID("4b8e2c90-6a17-5d3f-9c25-7e0d1f8a6b41")  # the space of such ids; never to be changed


class SearchDesk(Desk):
    """The desk, with lists and kept searches. All of it is for who sees cases at all, and for the others NotAllowed; an analyst
    has lists and counts, masked."""

    def __init__(self, settings: Settings, clock: Clock = now) -> None:
        super().__init__(settings, clock)
        self._most = settings.searches_most

    # --- cases ---

    def list_cases(self, connection: Connection, request: ListCases) -> CasePage:
        """A page of the cases that the actor may know of."""
        _no_nul(request)
        scope = self.scope(connection, request.actor, masks=True)
        asked = self.asked(connection, request.actor, request, request.search, scope)
        tree = self.city(connection).tree
        return searching.case_page(connection, asked, scope, tree, request.sort, request.after, request.limit)

    def count_cases(self, connection: Connection, request: CountCases) -> CaseCount:
        """How many there are of these."""
        _no_nul(request)
        scope = self.scope(connection, request.actor, masks=True)
        asked = self.asked(connection, request.actor, request, request.search, scope)
        return CaseCount(count=searching.count(connection, asked, scope, self.city(connection).tree))

    def asked(
        self,
        connection: Connection,
        actor: Actor,
        filters: Filter,
        search: UUID | None,
        scope: Scope,
        path: str = "",
    ) -> Sequence[Filter]:
        """What has to hold: these filters, and those of a kept search, of which who sees cases masked has none. InvalidField,
        NotFound, NotAllowed."""
        searching.check(filters, path)
        if scope.masked and (search is not None or searching.looks_behind_the_mask(filters)):
            raise NotAllowed
        if search is None:
            return [filters]
        return [filters, Filter.model_validate(self._known(connection, actor, search).filters)]

    # --- searches ---

    def keep_search(self, connection: Connection, request: KeepSearch) -> Search:
        """A new one. TooManySearches, KeyReused."""
        owner = self._sees_cases(connection, request.actor)
        _no_nul(request)
        _check(request.name, request.filters)
        search_id = uuid5(_MADE_OF_KEYS, f"{owner}:{request.idempotency_key}")
        asked = request.model_copy(update={"actor": Actor(kind=ActorKind.STAFF, id=request.actor.id)})
        if not again(connection, request.actor, request.idempotency_key, search_id, asked):
            searches_store.hold(connection, owner, "searches")
            if searches_store.how_many(connection, owner) >= self._most:
                raise TooManySearches(limit=self._most)
            moment = self.clock()
            searches_store.add(
                connection,
                {
                    "search_id": search_id,
                    "owner": owner,
                    "name": request.name.strip(),
                    "filters": _stored(request.filters),
                    "sort": request.sort,
                    "shared_with": request.shared_with,
                    "version": 1,
                    "made_at": moment,
                    "changed_at": moment,
                },
            )
        return _shown(self._known(connection, request.actor, search_id), owner)

    def list_searches(self, connection: Connection, request: ListSearches) -> SearchPage:
        """One's own and those shared with one."""
        own = self._sees_cases(connection, request.actor)
        seen = searches_store.seen_by(own, request.actor.roles)
        rows = searches_store.page(connection, seen, request.after, request.limit + 1)
        items = [_shown(row, own) for row in rows[: request.limit]]
        more = len(rows) > request.limit
        return SearchPage(items=items, next=_cursor(items[-1]) if more else None)

    def get_search(self, connection: Connection, request: GetSearch) -> Search:
        """One of these. NotFound."""
        own = self._sees_cases(connection, request.actor)
        return _shown(self._known(connection, request.actor, request.search_id), own)

    def change_search(self, connection: Connection, request: ChangeSearch) -> Search:
        """By its owner. NotFound, NotAllowed, StaleVersion."""
        own = self._sees_cases(connection, request.actor)
        _no_nul(request)
        _check(request.name, request.filters)
        row = self._mine(connection, request, own)
        told: dict[str, Any] = {
            "name": None if request.name is None else request.name.strip(),
            "filters": None if request.filters is None else _stored(request.filters),
            "sort": request.sort,
            "shared_with": request.shared_with,
        }
        values = {name: value for name, value in told.items() if value is not None and value != getattr(row, name)}
        if values:
            values |= {"version": row.version + 1, "changed_at": self.clock()}
            searches_store.change(connection, request.search_id, values)
        return _shown(self._known(connection, request.actor, request.search_id), own)

    def drop_search(self, connection: Connection, request: DropSearch) -> Dropped:
        """By its owner. NotFound, NotAllowed, StaleVersion."""
        own = self._sees_cases(connection, request.actor)
        self._mine(connection, request, own)
        searches_store.drop(connection, request.search_id)
        return Dropped()

    def _sees_cases(self, connection: Connection, actor: Actor) -> UUID:
        self.scope(connection, actor)
        return _id(actor, ActorKind.STAFF)

    def _known(self, connection: Connection, actor: Actor, search_id: UUID, lock: bool = False) -> Row[Any]:
        seen = searches_store.seen_by(_id(actor, ActorKind.STAFF), actor.roles)
        row = searches_store.one(connection, search_id, seen, lock)
        if row is None:
            raise NotFound
        return row

    def _mine(self, connection: Connection, request: ChangeSearch | DropSearch, own: UUID) -> Row[Any]:
        row = self._known(connection, request.actor, request.search_id, lock=True)
        if row.owner != own:
            raise NotAllowed
        if row.version != request.expected_version:
            raise StaleVersion(current=row.version)
        return row


def _check(name: str | None, filters: Filter | None) -> None:
    if name is not None and persian.is_blank(name):
        raise InvalidField(fields=[{"field": "name", "reason": "blank"}])
    if filters is not None:
        searching.check(filters, "filters.")


def _stored(filters: Filter) -> dict[str, Any]:
    return filters.model_dump(mode="json", exclude_defaults=True)


def _cursor(last: Search) -> str:
    return cursor(last.made_at, last.search_id)


def _shown(row: Row[Any], own: UUID) -> Search:
    return Search.model_validate({**row._mapping, "own": row.owner == own})
