"""What is asked for by RPC about exports. Each belongs to who asked for it, and to nobody else."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Row

from contracts.base import now
from contracts.errors import ExportNotDone, Gone, NotFound, TooManyExports
from contracts.exports import (
    DropExport,
    Dropped,
    Export,
    ExportPage,
    ExportPiece,
    ExportState,
    GetExport,
    ListExports,
    ReadExport,
    StartExport,
)
from contracts.gateway import Actor
from contracts.searches import Filter
from contracts.vocabulary import ActorKind, Role
from services.tracking.case import store
from services.tracking.case.event_handlers import Clock
from services.tracking.case.scope import Scope
from services.tracking.case.use_cases import _id, _no_nul, again
from services.tracking.exports import store as exports_store
from services.tracking.search import store as searches_store
from services.tracking.search.use_cases import SearchDesk
from services.tracking.settings import Settings

_MADE_OF_KEYS = UUID("c70d5e1b-2f94-5a86-b3d8-1c9e4f7a2d60")  # the space of such ids; never to be changed


class ExportDesk(SearchDesk):
    """The desk, with exports."""

    def __init__(self, settings: Settings, clock: Clock = now) -> None:
        super().__init__(settings, clock)
        self._most_open = settings.exports_open

    def start_export(self, connection: Connection, request: StartExport) -> Export:
        """A new one, waiting. TooManyExports, NotFound for the search, InvalidField, KeyReused."""
        _no_nul(request)
        scope = self.rights(connection, request.actor)
        owner = _id(request.actor, ActorKind.STAFF)
        filters = self.asked(connection, request.actor, request.filters, request.search, scope, "filters.")
        export_id = uuid5(_MADE_OF_KEYS, f"{owner}:{request.idempotency_key}")
        same = request.model_copy(update={"actor": Actor(kind=ActorKind.STAFF, id=request.actor.id)})
        if not again(connection, request.actor, request.idempotency_key, export_id, same):
            searches_store.hold(connection, owner, "exports")
            if exports_store.open_of(connection, owner) >= self._most_open:
                raise TooManyExports(limit=self._most_open)
            told = [one.model_dump(mode="json", include=set(Filter.model_fields)) for one in filters]
            exports_store.add(
                connection,
                {
                    "export_id": export_id,
                    "owner": owner,
                    "roles": sorted(request.actor.roles),
                    "unit": request.actor.unit,
                    "filters": told[0],
                    "search": request.search,
                    "kept": told[1] if len(told) > 1 else None,
                    "format": request.format,
                    "language": request.language,
                    "asked_at": self.clock(),
                },
            )
        return _shown(self._own(connection, request.actor, export_id))

    def list_exports(self, connection: Connection, request: ListExports) -> ExportPage:
        """One's own."""
        self.rights(connection, request.actor)
        rows = exports_store.all_of(connection, _id(request.actor, ActorKind.STAFF))
        return ExportPage(items=[_shown(row) for row in rows])

    def get_export(self, connection: Connection, request: GetExport) -> Export:
        """How far it is. NotFound."""
        self.rights(connection, request.actor)
        return _shown(self._own(connection, request.actor, request.export_id))

    def drop_export(self, connection: Connection, request: DropExport) -> Dropped:
        """Whoever makes it finds it gone, and leaves off. NotFound."""
        self.rights(connection, request.actor)
        if not exports_store.drop(connection, request.export_id, _id(request.actor, ActorKind.STAFF)):
            raise NotFound
        return Dropped()

    def read_export(self, connection: Connection, request: ReadExport) -> ExportPiece:
        """A piece of its file. NotFound, ExportNotDone, Gone."""
        scope = self.rights(connection, request.actor)
        row = self._own(connection, request.actor, request.export_id)
        if row.state != ExportState.DONE:
            raise ExportNotDone(state=row.state)
        if not covers(row.rights, scope):
            raise Gone
        content = exports_store.piece(connection, request.export_id, exports_store.FILE, request.piece)
        if content is None:
            raise NotFound
        told = {name: getattr(row, name) for name in ("export_id", "format", "asked_at", "size", "pieces")}
        return ExportPiece.model_validate({**told, "content": base64.b64encode(content).decode()})

    def rights(self, connection: Connection, actor: Actor) -> Scope:
        """What the actor may see, by their roles as accounts told them last, where it has: an analyst, masked. NotAllowed for
        who sees no case."""
        known = store.member(connection, _id(actor, ActorKind.STAFF))
        if known is not None:
            actor = actor.model_copy(update={"roles": actor.roles & {Role(role) for role in known.roles}})
        return self.scope(connection, actor, masks=True)

    def _own(self, connection: Connection, actor: Actor, export_id: UUID) -> Row[Any]:
        row = exports_store.one(connection, export_id, _id(actor, ActorKind.STAFF))
        if row is None:
            raise NotFound
        return row


def told(scope: Scope) -> dict[str, Any]:
    """The scope, for keeping."""
    kept = {"avoided": sorted(scope.avoided), "handler": str(scope.handler) if scope.handler else None}
    return {**kept, "masked": True} if scope.masked else kept


def covers(kept: Mapping[str, Any] | None, scope: Scope) -> bool:
    """Whether what was read under the kept rights holds nothing that this scope does not know."""
    if kept is None:
        return False
    same = scope.handler is None or kept["handler"] == str(scope.handler)
    same = same and (not scope.masked or kept.get("masked", False))
    return same and scope.avoided <= set(kept["avoided"])


def owner_of(row: Row[Any]) -> Actor:
    """Who asked for it, as their token said."""
    return Actor(kind=ActorKind.STAFF, id=str(row.owner), roles=frozenset(map(Role, row.roles)), unit=row.unit)


def filters_of(row: Row[Any]) -> list[Filter]:
    """What was asked for."""
    return [Filter.model_validate(one) for one in (row.filters, row.kept) if one is not None]


def _shown(row: Row[Any]) -> Export:
    return Export.model_validate(dict(row._mapping))
