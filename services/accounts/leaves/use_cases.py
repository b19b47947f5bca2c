"""Leaves: asked for by whoever goes away, or by a head or administrator; they end by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.storage import cursors, idempotency
from contracts.base import now
from contracts.errors import InvalidField, NotAllowed, NotFound
from contracts.gateway import Actor
from contracts.leaves import AddLeave, EndLeave, Leave, Leaves, ListLeaves
from contracts.vocabulary import Role
from services.accounts.leaves import rules, store
from services.accounts.leaves.rules import Period
from services.accounts.models import staff_commands
from services.accounts.staff import store as staff_store
from services.accounts.staff.authorization import current_roles
from services.accounts.staff.staff_accounts import member_of

ARRANGE_FOR_OTHERS = frozenset({Role.HEAD, Role.ADMINISTRATOR})


class LeaveUseCases:
    """What takes a leave is done once under its key."""

    def add(self, connection: Connection, request: AddLeave) -> Leave:
        """A new leave. NotAllowed, NotFound, InvalidField, KeyReused."""
        if not current_roles(connection, request.actor):
            raise NotAllowed
        staff_id = request.staff_id or UUID(request.actor.id)
        _may_arrange(connection, request.actor, staff_id)
        leave_id = uuid4()
        digest = idempotency.command_hash(request)
        before = idempotency.repeated(
            connection, staff_commands, request.actor, request.idempotency_key, digest, staff_id=leave_id
        )
        if before is not None:
            return _answer(connection, store.by_id(connection, before.staff_id))
        store.lock(connection)
        accounts = staff_store.lock_by_ids(connection, {staff_id, request.deputy})
        row = accounts.get(staff_id)
        if row is None or not row.active:
            raise NotFound
        deputy = accounts.get(request.deputy)
        period = Period(staff_id, request.deputy, request.starts_at, request.ends_at)
        others = [
            Period(other.staff_id, other.deputy, other.starts_at, other.ends_at)
            for other in store.within(connection, [staff_id, request.deputy], request.starts_at, request.ends_at)
        ]
        deputy_member = member_of(deputy) if deputy is not None else None
        if wrong := list(rules.wrong_with_leave(period, member_of(row), deputy_member, others, now())):
            raise InvalidField(fields=wrong)
        store.add(connection, {"leave_id": leave_id, **vars(period)})
        return _answer(connection, store.by_id(connection, leave_id))

    def end(self, connection: Connection, request: EndLeave) -> Leave:
        """It ends at this moment. NotAllowed, NotFound."""
        if not current_roles(connection, request.actor):
            raise NotAllowed
        row = store.by_id(connection, request.leave_id)
        if row is None:
            raise NotFound
        _may_arrange(connection, request.actor, row.staff_id)
        at = now()
        if row.ends_at > at:
            store.end(connection, row.leave_id, at)
        return _answer(connection, store.by_id(connection, row.leave_id))

    def list_leaves(self, connection: Connection, request: ListLeaves) -> Leaves:
        """Those that are not over. NotAllowed for who is no staff."""
        roles = current_roles(connection, request.actor)
        if not roles:
            raise NotAllowed
        of = None if roles & ARRANGE_FOR_OTHERS else UUID(request.actor.id)
        rows = store.not_over(connection, now(), of, request.limit + 1, request.after)
        items = _answers(connection, rows[: request.limit])
        more = len(rows) > request.limit
        return Leaves(items=items, next=cursors.encode(items[-1].starts_at, items[-1].leave_id) if more else None)


def _may_arrange(connection: Connection, actor: Actor, staff_id: UUID) -> None:
    """NotAllowed for another's leave unless for a head or administrator."""
    roles = current_roles(connection, actor)
    if not roles or not (actor.id == str(staff_id) or roles & ARRANGE_FOR_OTHERS):
        raise NotAllowed


def _answer(connection: Connection, row: Any) -> Leave:
    [leave] = _answers(connection, [row])
    return leave


def _answers(connection: Connection, rows: Sequence[Any]) -> list[Leave]:
    """With the names of both, which not everybody who reads them could look up."""
    accounts = staff_store.by_ids(connection, {person for row in rows for person in (row.staff_id, row.deputy)})
    return [
        Leave.model_validate(
            {
                **row._mapping,
                "staff_name": accounts[row.staff_id].display_name,
                "deputy_name": accounts[row.deputy].display_name,
            }
        )
        for row in rows
    ]
