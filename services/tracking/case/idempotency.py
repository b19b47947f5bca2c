"""Commands that are repeated with their key take effect once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection, select

from backbone.storage import idempotency
from contracts.gateway import Actor
from services.tracking.models import commands


def done_before(connection: Connection, actor: Actor, key: str, subject: UUID, command: BaseModel) -> bool:
    """Whether this very command was done under this key; else the key is noted. KeyReused when it was used for another one.

    `subject`: what the command is about, beside what it names itself."""
    digest = idempotency.command_hash(command, subject)
    return idempotency.repeated(connection, commands, actor, key, digest) is not None


def key_was_used(connection: Connection, actor: Actor, key: str) -> bool:
    """Whether this actor has used this key."""
    used = select(commands.c.key).where(commands.c.actor == f"{actor.kind}:{actor.id}", commands.c.key == key)
    return connection.execute(used).first() is not None


def prune_commands(connection: Connection, before: datetime) -> int:
    """Forgets keys that nobody will repeat any more; how many."""
    return idempotency.prune(connection, commands, before)
