"""Commands that are repeated with their key take effect once."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection, bindparam, select

from backbone.storage import idempotency
from backbone.storage.writes import Write
from contracts.gateway import Actor
from services.tracking.models import commands


def done_before(
    connection: Connection,
    actor: Actor,
    key: str,
    subject: UUID,
    command: BaseModel,
    exclude: Collection[str] = (),
) -> bool:
    """Whether this very command was done under this key; else the key is noted. KeyReused when it was used for another one.

    `subject`: what the command is about, beside what it names itself; `exclude`: its fields that may differ the second time."""
    digest = idempotency.command_hash(command, subject, exclude=exclude)
    return idempotency.repeated(connection, commands, actor, key, digest) is not None


def noting(actor: Actor, key: str, subject: UUID, command: BaseModel) -> list[Write]:
    """Notes the key as a part of a larger statement, which raises IntegrityError when it was used before."""
    return idempotency.write(commands, actor, key, idempotency.command_hash(command, subject))


EARLIER = (
    select(commands.c.command_hash)
    .where(commands.c.actor == bindparam("actor", required=False), commands.c.key == bindparam("key", required=False))
    .scalar_subquery()
)
"""Whether an actor has used a key, as a part of a larger query: what for, or NULL."""


def key_was_used(connection: Connection, actor: Actor, key: str) -> bool:
    """Whether this actor has used this key."""
    used = select(commands.c.key).where(commands.c.actor == f"{actor.kind}:{actor.id}", commands.c.key == key)
    return connection.execute(used).first() is not None
