"""Macros over RPC: kept by a person, or by a head or an administrator for a role; and run on one case."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Row

from backbone.persian import normalisation as persian
from backbone.storage import cursors
from contracts.errors import InvalidField, NotAllowed, NotFound, StaleVersion, TooManyMacros
from contracts.gateway import Actor
from contracts.macros import (
    ChangeMacro,
    DropMacro,
    Dropped,
    GetMacro,
    KeepMacro,
    ListMacros,
    Macro,
    MacroAudience,
    MacroPage,
    RunMacro,
)
from contracts.tracking import StaffCase
from contracts.vocabulary import ActorKind, Role
from services.tracking.case.access import Access, actor_id
from services.tracking.case.context import Clock
from services.tracking.case.idempotency import done_before
from services.tracking.case.lifecycle import STOOD_IN_FOR
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.macros import rules, store
from services.tracking.macros.running import MacroRunner, Steps
from services.tracking.search.store import hold

GIVES_COMMANDS = STOOD_IN_FOR | {Role.SUBSTITUTE}
KEEPS_FOR_ROLES = frozenset({Role.HEAD, Role.ADMINISTRATOR})
"""Who keeps macros for others: their texts are what the office says, as its templates are."""
_MADE_OF_KEYS = UUID("1c6b7e52-83d0-5b4e-8f16-5a2d90c4e7b3")  # the space of such ids; never to be changed


class MacroUseCases:
    """The use cases of macros. `most`: how many one person keeps."""

    def __init__(self, access: Access, runner: MacroRunner, clock: Clock, most: int) -> None:
        self._access, self._runner, self._clock, self._most = access, runner, clock, most

    def keep_macro(self, connection: Connection, request: KeepMacro) -> Macro:
        """A new one. NotAllowed, TooManyMacros, InvalidField, KeyReused."""
        owner = self._keeps(connection, request.actor)
        _check(request)
        macro_id = uuid5(_MADE_OF_KEYS, f"{owner}:{request.idempotency_key}")
        if not done_before(connection, request.actor, request.idempotency_key, macro_id, request):
            hold(connection, owner, "macros")
            if store.how_many(connection, owner) >= self._most:
                raise TooManyMacros(limit=self._most)
            moment = self._clock()
            row = {"macro_id": macro_id, "owner": owner, "version": 1, "made_at": moment, "changed_at": moment}
            store.add(connection, {**row, **_stored(request)})
        return _shown(self._visible(connection, request.actor, macro_id), request.actor)

    def list_macros(self, connection: Connection, request: ListMacros) -> MacroPage:
        """One's own and those for one's roles."""
        self._keeps(connection, request.actor)
        rows = store.page(connection, _seen(request.actor), request.after, request.limit + 1)
        items = [_shown(row, request.actor) for row in rows[: request.limit]]
        more = len(rows) > request.limit
        return MacroPage(items=items, next=cursors.encode(items[-1].made_at, items[-1].macro_id) if more else None)

    def get_macro(self, connection: Connection, request: GetMacro) -> Macro:
        """One of these. NotFound."""
        self._keeps(connection, request.actor)
        return _shown(self._visible(connection, request.actor, request.macro_id), request.actor)

    def change_macro(self, connection: Connection, request: ChangeMacro) -> Macro:
        """By its owner; one for others by any head or administrator. NotFound, NotAllowed, StaleVersion, InvalidField."""
        self._keeps(connection, request.actor)
        row = self._changeable(connection, request)
        _check(request)
        values = {**_stored(request), "version": row.version + 1, "changed_at": self._clock()}
        store.change(connection, request.macro_id, values)
        return _shown(self._visible(connection, request.actor, request.macro_id), request.actor)

    def drop_macro(self, connection: Connection, request: DropMacro) -> Dropped:
        """As `change_macro`."""
        self._keeps(connection, request.actor)
        self._changeable(connection, request)
        store.drop(connection, request.macro_id)
        return Dropped()

    def run_macro(self, connection: Connection, request: RunMacro) -> StaffCase:
        """Its steps, on a case. NotFound, and what `MacroRunner.run` raises."""
        self._access.scope(connection, request.actor)
        return self._runner.run(connection, request, self.steps_of(connection, request.actor, request.macro_id)[1])

    def steps_of(self, connection: Connection, actor: Actor, macro_id: UUID) -> tuple[str, Steps]:
        """What a macro is called, and its steps. NotFound when it is not for this actor."""
        row = self._visible(connection, actor, macro_id)
        return str(row.name), Steps.model_validate({"steps": row.steps, "language": row.language})

    def _keeps(self, connection: Connection, actor: Actor) -> UUID:
        # Raises for a closed account, too, of whoever sees no cases.
        self._access.conflict_free_scope(connection, actor)
        if not actor.roles & (GIVES_COMMANDS | KEEPS_FOR_ROLES):
            raise NotAllowed
        return actor_id(actor, ActorKind.STAFF)

    def _visible(self, connection: Connection, actor: Actor, macro_id: UUID, lock: bool = False) -> Row[Any]:
        row = store.visible_macro(connection, macro_id, _seen(actor), lock)
        if row is None:
            raise NotFound
        return row

    def _changeable(self, connection: Connection, request: ChangeMacro | DropMacro) -> Row[Any]:
        row = self._visible(connection, request.actor, request.macro_id, lock=True)
        if not _may_change(row, request.actor):
            raise NotAllowed
        if row.version != request.expected_version:
            raise StaleVersion(current=row.version)
        return row


def _seen(actor: Actor) -> Any:
    own = actor_id(actor, ActorKind.STAFF)
    if actor.roles & KEEPS_FOR_ROLES:
        return store.seen_by(own, set(MacroAudience) - {MacroAudience.NOBODY})
    roles = actor.roles | (STOOD_IN_FOR if Role.SUBSTITUTE in actor.roles else frozenset())
    return store.seen_by(own, {MacroAudience.ALL.value, *(role.value for role in roles)})


def _may_change(row: Row[Any], actor: Actor) -> bool:
    if row.audience == MacroAudience.NOBODY:
        return bool(str(row.owner) == actor.id)
    return bool(actor.roles & KEEPS_FOR_ROLES)


def _check(request: KeepMacro | ChangeMacro) -> None:
    """NotAllowed for who keeps none for others; InvalidField for a blank name and wrong placeholders."""
    wanted = KEEPS_FOR_ROLES if request.audience is not MacroAudience.NOBODY else GIVES_COMMANDS
    if not request.actor.roles & wanted:
        raise NotAllowed
    reject_null_characters(request)
    if persian.is_blank(request.name):
        raise InvalidField(fields=[{"field": "name", "reason": "blank"}])
    rules.check(request.steps)


def _stored(request: KeepMacro | ChangeMacro) -> dict[str, Any]:
    return {
        "name": request.name.strip(),
        "steps": [step.model_dump(mode="json") for step in request.steps],
        "language": request.language,
        "audience": request.audience,
    }


def _shown(row: Row[Any], actor: Actor) -> Macro:
    known = {"own": str(row.owner) == actor.id, "changeable": _may_change(row, actor)}
    return Macro.model_validate({**row._mapping, **known})
