"""Bulk commands over RPC. Each belongs to whoever gave it, and to nobody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import Connection, Row

from backbone.messaging import outbox
from backbone.storage import cursors
from contracts.base import now
from contracts.bulk import (
    Bulk,
    BulkLine,
    BulkPage,
    BulkProgressed,
    BulkReport,
    CancelBulk,
    GetBulk,
    LineResult,
    ListBulks,
    ReadBulkReport,
    Refusal,
    RefusalCount,
    StartBulk,
)
from contracts.errors import (
    InvalidField,
    NotAllowed,
    NotFound,
    NothingSelected,
    TooManyBulks,
    TooManyCases,
    UnknownCase,
)
from contracts.gateway import Actor
from contracts.searches import Filter
from contracts.vocabulary import ActorKind, Language
from services.tracking.bulk import store
from services.tracking.bulk.settings import BulkSettings
from services.tracking.case.access import Access, actor_id
from services.tracking.case.context import Clock
from services.tracking.case.idempotency import done_before
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.scope import Scope
from services.tracking.macros.rules import contract_of
from services.tracking.macros.running import Steps
from services.tracking.macros.use_cases import MacroUseCases
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.rules import COMMANDS
from services.tracking.search import queries
from services.tracking.search.store import hold
from services.tracking.search.use_cases import SearchUseCases

_MADE_OF_KEYS = UUID("92f3a6d4-0b5c-5e17-9d48-6e1f7c20b8a5")  # the space of such ids; never to be changed


class BulkUseCases:
    """The use cases of who gives a command to many cases."""

    def __init__(
        self,
        access: Access,
        searches: SearchUseCases,
        macros: MacroUseCases,
        catalogue: CatalogueCopy,
        clock: Clock,
        settings: BulkSettings,
    ) -> None:
        self._access, self._searches, self._macros = access, searches, macros
        self._catalogue, self._clock = catalogue, clock
        self._most_open, self._most_cases = settings.bulks_open, settings.bulks_most_cases
        self._keep = timedelta(seconds=settings.bulks_keep)

    def start_bulk(self, connection: Connection, request: StartBulk) -> Bulk:
        """A new one, waiting; its cases are those that its search finds now. NotAllowed for who never gives this command."""
        reject_null_characters(request)
        scope = self._access.scope(connection, request.actor)
        owner = actor_id(request.actor, ActorKind.STAFF)
        _check(request)
        bulk_id = uuid5(_MADE_OF_KEYS, f"{owner}:{request.idempotency_key}")
        if not done_before(connection, request.actor, request.idempotency_key, bulk_id, request):
            hold(connection, owner, "bulks")
            if store.open_of(connection, owner) >= self._most_open:
                raise TooManyBulks(limit=self._most_open)
            what = self._what(connection, request)
            selected = self._selected(connection, request, scope)
            row = {
                "bulk_id": bulk_id,
                "owner": owner,
                "roles": sorted(request.actor.roles),
                "unit": request.actor.unit,
                "language": request.actor.language,
                "preview": request.preview,
                "total": len(selected),
                "asked_at": self._clock(),
            }
            store.add(connection, {**row, **what}, selected)
        return shown(connection, [self._own(connection, request.actor, bulk_id)])[0]

    def _what(self, connection: Connection, request: StartBulk) -> dict[str, Any]:
        """The columns that say what is done to each case."""
        if request.macro_id is None:
            assert request.step is not None
            steps = [request.step.model_dump(mode="json")]
            return {"command": request.step.type, "steps": steps}
        name, macro = self._macros.steps_of(connection, request.actor, request.macro_id)
        kept = macro.model_dump(mode="json")
        return {
            "macro_id": request.macro_id,
            "macro_name": name,
            "macro_language": kept["language"],
            "steps": kept["steps"],
        }

    def _selected(self, connection: Connection, request: StartBulk, scope: Scope) -> Sequence[tuple[UUID, int | None]]:
        """The cases, each with the version that was seen, if any was."""
        if request.cases:
            return [(case.case_id, case.expected_version) for case in request.cases]
        asked = request.filters or Filter()
        filters = self._searches.filters(connection, request.actor, asked, request.search, scope, "filters.")
        tree = self._catalogue.current(connection).tree
        found = queries.case_ids(connection, filters, scope, tree, self._most_cases + 1)
        if len(found) > self._most_cases:
            count = queries.count(connection, filters, scope, tree)
            raise TooManyCases(limit=self._most_cases, found=count)
        if not found:
            raise NothingSelected
        return [(case_id, None) for case_id in found]

    def list_bulks(self, connection: Connection, request: ListBulks) -> BulkPage:
        """One's own."""
        self._access.scope(connection, request.actor)
        owner = actor_id(request.actor, ActorKind.STAFF)
        rows = store.all_of(connection, owner, request.after, request.limit + 1)
        items = shown(connection, rows[: request.limit])
        more = len(rows) > request.limit
        return BulkPage(items=items, next=cursors.encode(items[-1].asked_at, items[-1].bulk_id) if more else None)

    def get_bulk(self, connection: Connection, request: GetBulk) -> Bulk:
        """How far it is. NotFound."""
        self._access.scope(connection, request.actor)
        return shown(connection, [self._own(connection, request.actor, request.bulk_id)])[0]

    def cancel_bulk(self, connection: Connection, request: CancelBulk) -> Bulk:
        """Whoever carries it out finds it cancelled, and leaves off. NotFound."""
        self._access.scope(connection, request.actor)
        self._own(connection, request.actor, request.bulk_id)
        cancelled = store.cancel(connection, request.bulk_id, actor_id(request.actor, ActorKind.STAFF), self._keep)
        row = self._own(connection, request.actor, request.bulk_id)
        if cancelled:
            tell(connection, row)
        return shown(connection, [row])[0]

    def read_bulk_report(self, connection: Connection, request: ReadBulkReport) -> BulkReport:
        """A line for each case. NotFound."""
        scope = self._access.scope(connection, request.actor)
        self._own(connection, request.actor, request.bulk_id)
        rows = store.report(connection, request.bulk_id, scope, request.result, request.after, request.limit + 1)
        lines = [_line(row) for row in rows[: request.limit]]
        return BulkReport(items=lines, next=lines[-1].place if len(rows) > request.limit else None)

    def _own(self, connection: Connection, actor: Actor, bulk_id: UUID) -> Row[Any]:
        row = store.bulk_of(connection, bulk_id, actor_id(actor, ActorKind.STAFF))
        if row is None:
            raise NotFound
        return row


def shown(connection: Connection, rows: Sequence[Row[Any]]) -> list[Bulk]:
    """These bulks, with what has come of their cases until now."""
    results: dict[UUID, Counter[str]] = {row.bulk_id: Counter() for row in rows}
    refusals: dict[UUID, Counter[str]] = {row.bulk_id: Counter() for row in rows}
    for line in store.counts(connection, list(results)) if rows else ():
        results[line.bulk_id][line.result] += line.how_many
        if line.code is not None:
            refusals[line.bulk_id][line.code] += line.how_many
    return [
        Bulk.model_validate(
            {
                **row._mapping,
                "done": results[row.bulk_id].total(),
                **{name: results[row.bulk_id][name] for name in ("succeeded", "refused", "cancelled")},
                "refusals": [
                    RefusalCount(code=code, count=count) for code, count in refusals[row.bulk_id].most_common()
                ],
            }
        )
        for row in rows
    ]


def tell(connection: Connection, row: Row[Any]) -> None:
    """Publishes how far a bulk is."""
    bulk = shown(connection, [row])[0]
    values = bulk.model_dump(include={"bulk_id", "state", "total", "done", "succeeded", "refused"})
    outbox.add(connection, BulkProgressed(id=uuid4(), occurred_at=now(), owner=row.owner, **values))


def owner_of(row: Row[Any]) -> Actor:
    """Who gave it, with the roles of their token."""
    roles, language = frozenset(row.roles), Language(row.language)
    return Actor.model_validate(
        {"kind": ActorKind.STAFF, "id": str(row.owner), "roles": roles, "unit": row.unit, "language": language}
    )


def steps_of(row: Row[Any]) -> Steps:
    """What is done to each case."""
    return Steps.model_validate({"steps": row.steps, "language": row.macro_language or Language.FA})


def _check(request: StartBulk) -> None:
    """InvalidField unless there is one command and one selection; NotAllowed for a command that no role of the actor gives."""
    if (request.step is None) == (request.macro_id is None):
        raise InvalidField(fields=[{"field": "step", "reason": "step_or_macro"}])
    by_search = request.filters is not None or request.search is not None
    if bool(request.cases) == by_search:
        raise InvalidField(fields=[{"field": "cases", "reason": "cases_or_search"}])
    if len({case.case_id for case in request.cases}) != len(request.cases):
        raise InvalidField(fields=[{"field": "cases", "reason": "twice"}])
    if request.step is not None and not COMMANDS.permits(request.actor, contract_of(request.step)):
        raise NotAllowed


def _line(row: Row[Any]) -> BulkLine:
    result = LineResult(row.result) if row.result is not None else LineResult.WAITING
    refusal = Refusal.model_validate(row.refusal) if row.refusal is not None else None
    if row.known_id is None and result is not LineResult.SUCCEEDED:
        # Whatever it was: of a case that is not for them nothing is told, as when it is read by itself.
        result, refusal = LineResult.REFUSED if refusal else result, Refusal(code=UnknownCase.code) if refusal else None
    return BulkLine(
        place=row.place,
        case_id=row.known_id,
        number=row.number,
        result=result,
        version=row.version if row.known_id is not None else None,
        refusal=refusal,
        at=row.at,
    )
