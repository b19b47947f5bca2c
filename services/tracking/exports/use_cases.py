"""Exports over RPC. Each belongs to whoever requested it, and to nobody else."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Row

from backbone.storage import cursors
from contracts.errors import ExportNotDone, Gone, NotFound, TooManyExports
from contracts.exports import (
    DropExport,
    Dropped,
    Export,
    ExportChunk,
    ExportPage,
    ExportState,
    GetExport,
    ListExports,
    ReadExport,
    StartExport,
)
from contracts.gateway import Actor
from contracts.searches import Filter
from contracts.vocabulary import ActorKind
from services.tracking.case.access import actor_id
from services.tracking.case.context import Clock
from services.tracking.case.idempotency import done_before
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.exports import store
from services.tracking.exports.rights import ExportRights, covers
from services.tracking.search import store as search_store
from services.tracking.search.use_cases import SearchUseCases

_MADE_OF_KEYS = UUID("c70d5e1b-2f94-5a86-b3d8-1c9e4f7a2d60")  # the space of such ids; never to be changed


class ExportUseCases:
    """The use cases of an owner of exports. `most_open`: how many one person may have in the making."""

    def __init__(self, rights: ExportRights, searches: SearchUseCases, clock: Clock, most_open: int) -> None:
        self._rights, self._searches, self._clock, self._most_open = rights, searches, clock, most_open

    def start_export(self, connection: Connection, request: StartExport) -> Export:
        """A new one, waiting. TooManyExports, NotFound for the search, InvalidField, KeyReused."""
        reject_null_characters(request)
        scope = self._rights.scope(connection, request.actor)
        owner = actor_id(request.actor, ActorKind.STAFF)
        filters = self._searches.filters(connection, request.actor, request.filters, request.search, scope, "filters.")
        export_id = uuid5(_MADE_OF_KEYS, f"{owner}:{request.idempotency_key}")
        if not done_before(connection, request.actor, request.idempotency_key, export_id, request):
            search_store.hold(connection, owner, "exports")
            if store.open_of(connection, owner) >= self._most_open:
                raise TooManyExports(limit=self._most_open)
            stored_filters = [part.model_dump(mode="json", include=set(Filter.model_fields)) for part in filters]
            store.add(
                connection,
                {
                    "export_id": export_id,
                    "owner": owner,
                    "roles": sorted(request.actor.roles),
                    "unit": request.actor.unit,
                    "filters": stored_filters[0],
                    "search": request.search,
                    "kept": stored_filters[1] if len(stored_filters) > 1 else None,
                    "format": request.format,
                    "language": request.language,
                    "asked_at": self._clock(),
                },
            )
        return _shown(self._own(connection, request.actor, export_id))

    def list_exports(self, connection: Connection, request: ListExports) -> ExportPage:
        """One's own."""
        self._rights.scope(connection, request.actor)
        rows = store.all_of(connection, actor_id(request.actor, ActorKind.STAFF), request.after, request.limit + 1)
        items = [_shown(row) for row in rows[: request.limit]]
        more = len(rows) > request.limit
        return ExportPage(items=items, next=cursors.encode(items[-1].asked_at, items[-1].export_id) if more else None)

    def get_export(self, connection: Connection, request: GetExport) -> Export:
        """How far it is. NotFound."""
        self._rights.scope(connection, request.actor)
        return _shown(self._own(connection, request.actor, request.export_id))

    def drop_export(self, connection: Connection, request: DropExport) -> Dropped:
        """Whoever makes it finds it gone, and leaves off. NotFound."""
        self._rights.scope(connection, request.actor)
        if not store.drop(connection, request.export_id, actor_id(request.actor, ActorKind.STAFF)):
            raise NotFound
        return Dropped()

    def read_export(self, connection: Connection, request: ReadExport) -> ExportChunk:
        """A chunk of its file. NotFound, ExportNotDone, Gone."""
        scope = self._rights.scope(connection, request.actor)
        row = self._own(connection, request.actor, request.export_id)
        if row.state != ExportState.DONE:
            raise ExportNotDone(state=row.state)
        if not covers(row.rights, scope):
            raise Gone
        content = store.chunk(connection, request.export_id, store.FILE, request.chunk)
        if content is None:
            raise NotFound
        fields = {name: getattr(row, name) for name in ("export_id", "format", "asked_at", "size", "chunks")}
        return ExportChunk.model_validate({**fields, "content": base64.b64encode(content).decode()})

    def _own(self, connection: Connection, actor: Actor, export_id: UUID) -> Row[Any]:
        row = store.export_of(connection, export_id, actor_id(actor, ActorKind.STAFF))
        if row is None:
            raise NotFound
        return row


def _shown(row: Row[Any]) -> Export:
    return Export.model_validate(dict(row._mapping))
