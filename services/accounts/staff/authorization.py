"""What a member of staff may do, by their account as it is at this moment: a token may be older than its last change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from contracts.errors import NotAllowed
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.accounts.staff import store


def current_roles(connection: Connection, actor: Actor) -> frozenset[str]:
    """The roles of the actor's account; none when it is closed, or they are no staff."""
    row = store.by_id(connection, UUID(actor.id)) if actor.kind is ActorKind.STAFF else None
    return frozenset(row.roles) if row is not None and row.active else frozenset()


def require_administrator(connection: Connection, actor: Actor) -> None:
    """NotAllowed for anybody else."""
    if Role.ADMINISTRATOR not in current_roles(connection, actor):
        raise NotAllowed


def own_account(connection: Connection, actor: Actor) -> Row[Any]:
    """The open account of a member of staff. NotAllowed for anybody else."""
    row = store.by_id(connection, UUID(actor.id)) if actor.kind is ActorKind.STAFF else None
    if row is None or not row.active:
        raise NotAllowed
    return row


def is_administrator(row: Any | None) -> bool:
    """Whether this account's owner acts as an administrator."""
    return row is not None and row.active and Role.ADMINISTRATOR in row.roles
