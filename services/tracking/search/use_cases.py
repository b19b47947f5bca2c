"""What is asked for by RPC about which cases there are: lists, counts, and searches that staff keep and share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Row

from backbone.messaging.json_answer import JsonAnswer
from backbone.persian import jalali
from backbone.persian import normalisation as persian
from backbone.storage import cursors
from contracts.errors import InvalidField, NotAllowed, NotFound, StaleVersion, TooManySearches
from contracts.gateway import Actor
from contracts.searches import (
    MOST_COUNTED,
    CaseCount,
    CaseCounts,
    CasePage,
    ChangeSearch,
    CountFoundCases,
    CountManyFoundCases,
    Dropped,
    DropSearch,
    Filter,
    GetSearch,
    KeepSearch,
    ListCases,
    ListSearches,
    NamedCount,
    PinSearches,
    Search,
    SearchPage,
)
from contracts.vocabulary import ActorKind
from services.tracking.case.access import Access, actor_id
from services.tracking.case.context import Clock
from services.tracking.case.idempotency import done_before
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.scope import Scope
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.reference.workdays import day_of
from services.tracking.search import conditions, queries, store
from services.tracking.search.row_signs import RowReader

_MADE_OF_KEYS = UUID("4b8e2c90-6a17-5d3f-9c25-7e0d1f8a6b41")  # the space of such ids; never to be changed


class SearchUseCases:
    """Lists and kept searches. All of it is for who sees cases at all, and for the others NotAllowed; an analyst has lists
    and counts, masked. `most`: searches that one person keeps."""

    def __init__(self, access: Access, catalogue: CatalogueCopy, clock: Clock, most: int) -> None:
        self._access, self._catalogue, self._clock, self._most = access, catalogue, clock, most

    # --- cases ---

    def list_cases(self, connection: Connection, request: ListCases) -> JsonAnswer[CasePage]:
        """A page of the cases that the actor may know of."""
        reject_null_characters(request)
        scope = self._access.scope(connection, request.actor, masks=True)
        filters = self.filters(connection, request.actor, request, request.search, scope)
        city = self._catalogue.current(connection)
        reader = RowReader(actor_id(request.actor, ActorKind.STAFF), day_of(self._clock()), city.workdays)
        how = (request.sort, request.after, request.limit)
        return queries.case_page(connection, filters, scope, city.tree, reader, *how)

    def count_found_cases(self, connection: Connection, request: CountFoundCases) -> CaseCount:
        """How many there are of these."""
        reject_null_characters(request)
        scope = self._access.scope(connection, request.actor, masks=True)
        filters = self.filters(connection, request.actor, request, request.search, scope)
        return CaseCount(count=queries.count(connection, filters, scope, self._catalogue.current(connection).tree))

    def count_many_found_cases(self, connection: Connection, request: CountManyFoundCases) -> CaseCounts:
        """How many there are of each of these, counted as far as `MOST_COUNTED`."""
        reject_null_characters(request)
        scope = self._access.scope(connection, request.actor, masks=True)
        own = actor_id(request.actor, ActorKind.STAFF)
        named = [item.search for item in request.counts if item.search is not None]
        kept = store.filters_of(connection, named, store.seen_by(own, request.actor.roles)) if named else {}
        asked: dict[int, Sequence[Filter]] = {}
        errors: dict[int, str] = {}
        for place, item in enumerate(request.counts):
            path, by_search = f"counts.{place}.filters.", item.search is not None
            try:
                asked[place] = [self._checked(request.actor, item.filters, by_search, scope, path)]
            except NotAllowed as refusal:
                errors[place] = refusal.code
                continue
            if item.search is not None:
                if item.search in kept:
                    asked[place] = [*asked[place], self._resolved(request.actor, kept[item.search])]
                else:
                    del asked[place]
                    errors[place] = NotFound.code
        tree = self._catalogue.current(connection).tree
        found = queries.count_many(connection, list(asked.values()), scope, tree, MOST_COUNTED) if asked else []
        counts = dict(zip(asked, found, strict=True))
        return CaseCounts(
            items=[
                NamedCount(name=item.name, **_counted(counts.get(place)), error=errors.get(place))
                for place, item in enumerate(request.counts)
            ]
        )

    def filters(
        self,
        connection: Connection,
        actor: Actor,
        filters: Filter,
        search: UUID | None,
        scope: Scope,
        path: str = "",
    ) -> Sequence[Filter]:
        """What has to hold today, of who asks: these filters, and those of a kept search, of which who sees cases masked has
        none. InvalidField, NotFound, NotAllowed."""
        asked = self._checked(actor, filters, search is not None, scope, path)
        if search is None:
            return [asked]
        kept = Filter.model_validate(self._visible(connection, actor, search).filters)
        return [asked, self._resolved(actor, kept)]

    def _checked(self, actor: Actor, filters: Filter, by_search: bool, scope: Scope, path: str) -> Filter:
        filters = self._resolved(actor, filters)
        conditions.check(filters, path)
        if scope.masked and (by_search or conditions.looks_behind_the_mask(filters)):
            raise NotAllowed
        return filters

    def _resolved(self, actor: Actor, filters: Filter) -> Filter:
        return conditions.resolved(filters, jalali.today(self._clock()), actor_id(actor, ActorKind.STAFF))

    # --- searches ---

    def keep_search(self, connection: Connection, request: KeepSearch) -> Search:
        """A new one. TooManySearches, KeyReused."""
        owner = self._sees_cases(connection, request.actor)
        reject_null_characters(request)
        self._check(request.actor, request.name, request.filters)
        search_id = uuid5(_MADE_OF_KEYS, f"{owner}:{request.idempotency_key}")
        if not done_before(connection, request.actor, request.idempotency_key, search_id, request):
            store.hold(connection, owner, "searches")
            if store.how_many(connection, owner) >= self._most:
                raise TooManySearches(limit=self._most)
            moment = self._clock()
            store.add(
                connection,
                {
                    "search_id": search_id,
                    "owner": owner,
                    "name": request.name.strip(),
                    "filters": _stored(request.filters),
                    "sort": request.sort,
                    "columns": list(request.columns),
                    "shared_with": request.shared_with,
                    "version": 1,
                    "made_at": moment,
                    "changed_at": moment,
                },
            )
        return _shown(self._visible(connection, request.actor, search_id), owner)

    def list_searches(self, connection: Connection, request: ListSearches) -> SearchPage:
        """One's own and those shared with one."""
        own = self._sees_cases(connection, request.actor)
        seen = store.seen_by(own, request.actor.roles)
        if request.pinned:
            return SearchPage(items=[_shown(row, own) for row in store.pinned(connection, own, seen)])
        rows = store.page(connection, own, seen, request.after, request.limit + 1)
        items = [_shown(row, own) for row in rows[: request.limit]]
        more = len(rows) > request.limit
        return SearchPage(items=items, next=_cursor(items[-1]) if more else None)

    def get_search(self, connection: Connection, request: GetSearch) -> Search:
        """One of these. NotFound."""
        own = self._sees_cases(connection, request.actor)
        return _shown(self._visible(connection, request.actor, request.search_id), own)

    def pin_searches(self, connection: Connection, request: PinSearches) -> SearchPage:
        """These in this order, and no others. NotFound."""
        own = self._sees_cases(connection, request.actor)
        seen = store.seen_by(own, request.actor.roles)
        store.hold(connection, own, "pins")
        if not store.pin(connection, own, seen, request.searches):
            raise NotFound
        return SearchPage(items=[_shown(row, own) for row in store.pinned(connection, own, seen)])

    def change_search(self, connection: Connection, request: ChangeSearch) -> Search:
        """By its owner. NotFound, NotAllowed, StaleVersion."""
        own = self._sees_cases(connection, request.actor)
        reject_null_characters(request)
        self._check(request.actor, request.name, request.filters)
        row = self._mine(connection, request, own)
        wanted: dict[str, Any] = {
            "name": None if request.name is None else request.name.strip(),
            "filters": None if request.filters is None else _stored(request.filters),
            "sort": request.sort,
            "columns": None if request.columns is None else list(request.columns),
            "shared_with": request.shared_with,
        }
        values = {name: value for name, value in wanted.items() if value is not None and value != getattr(row, name)}
        if values:
            values |= {"version": row.version + 1, "changed_at": self._clock()}
            store.change(connection, request.search_id, values)
        return _shown(self._visible(connection, request.actor, request.search_id), own)

    def drop_search(self, connection: Connection, request: DropSearch) -> Dropped:
        """By its owner. NotFound, NotAllowed, StaleVersion."""
        own = self._sees_cases(connection, request.actor)
        self._mine(connection, request, own)
        store.drop(connection, request.search_id)
        return Dropped()

    def _check(self, actor: Actor, name: str | None, filters: Filter | None) -> None:
        if name is not None and persian.is_blank(name):
            raise InvalidField(fields=[{"field": "name", "reason": "blank"}])
        if filters is not None:
            conditions.check(self._resolved(actor, filters), "filters.")

    def _sees_cases(self, connection: Connection, actor: Actor) -> UUID:
        self._access.scope(connection, actor)
        return actor_id(actor, ActorKind.STAFF)

    def _visible(self, connection: Connection, actor: Actor, search_id: UUID, lock: bool = False) -> Row[Any]:
        own = actor_id(actor, ActorKind.STAFF)
        row = store.visible_search(connection, search_id, own, store.seen_by(own, actor.roles), lock)
        if row is None:
            raise NotFound
        return row

    def _mine(self, connection: Connection, request: ChangeSearch | DropSearch, own: UUID) -> Row[Any]:
        row = self._visible(connection, request.actor, request.search_id, lock=True)
        if row.owner != own:
            raise NotAllowed
        if row.version != request.expected_version:
            raise StaleVersion(current=row.version)
        return row


def _counted(count: int | None) -> dict[str, Any]:
    if count is None:
        return {"count": None}
    return {"count": min(count, MOST_COUNTED), "more": count > MOST_COUNTED}


def _stored(filters: Filter) -> dict[str, Any]:
    return filters.model_dump(mode="json", exclude_defaults=True)


def _cursor(last: Search) -> str:
    return cursors.encode(last.made_at, last.search_id)


def _shown(row: Row[Any], own: UUID) -> Search:
    return Search.model_validate({**row._mapping, "own": row.owner == own})
