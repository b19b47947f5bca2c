"""Commands that are repeated with their key take effect once."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection, delete, select

from backbone.storage import bulk
from contracts.errors import KeyReused
from contracts.gateway import Actor
from services.tracking.models import commands


def done_before(connection: Connection, actor: Actor, key: str, subject: UUID, command: BaseModel) -> bool:
    """Whether this very command was done under this key; else the key is noted. KeyReused when it was used for another one."""
    content = json.dumps([str(subject), command.model_dump(mode="json")], sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()
    earlier = _note(connection, f"{actor.kind}:{actor.id}", key, digest)
    if earlier is not None and earlier != digest:
        raise KeyReused
    return earlier is not None


def key_was_used(connection: Connection, actor: Actor, key: str) -> bool:
    """Whether this actor has used this key."""
    used = select(commands.c.key).where(commands.c.actor == f"{actor.kind}:{actor.id}", commands.c.key == key)
    return connection.execute(used).first() is not None


def prune_commands(connection: Connection, before: datetime) -> int:
    """Forgets keys that nobody will repeat any more; how many."""
    return connection.execute(delete(commands).where(commands.c.done_at < before)).rowcount


def _note(connection: Connection, actor: str, key: str, command_hash: str) -> str | None:
    """None when this key is new to this actor, and now noted; else the hash of the command it was used for."""
    row = {"actor": actor, "key": key, "command_hash": command_hash}
    if bulk.insert(connection, commands, [row], "ON CONFLICT DO NOTHING RETURNING key").scalar() is not None:
        return None
    earlier = select(commands.c.command_hash).where(commands.c.actor == actor, commands.c.key == key)
    return str(connection.execute(earlier).scalar_one())
