"""Commands that have their effect once: who did which command under which Idempotency-Key.

A service's models define one table with `commands_table`; a use case asks `repeated` in the transaction of its effect, before
it does anything. So the record is there if, and only if, the effect is, and of two that run at once the second waits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Column, Connection, DateTime, MetaData, Row, String, Table, delete, func, select

from backbone.storage import bulk, writes
from backbone.storage.writes import Write
from contracts.errors import KeyReused
from contracts.gateway import Actor

KEPT = timedelta(days=30)
"""For how long a command that is repeated with its key is known."""


def commands_table(name: str, metadata: MetaData, *result: Column[Any]) -> Table:
    """The table of a service, which names it in `command_tables` (backbone/process/dependencies.py), so that it is pruned.
    `result`: columns that say what the command was done to, for the answer to a repeated one."""
    return Table(
        name,
        metadata,
        Column("actor", String, primary_key=True),
        Column("key", String, primary_key=True),
        Column("command_hash", String(64), nullable=False),
        *result,
        Column("done_at", DateTime(timezone=True), nullable=False, server_default=func.now(), index=True),
    )


def command_hash(command: BaseModel, *subjects: object, exclude: Collection[str] = ()) -> str:
    """SHA-256 of what a command asks for, in hex. `subjects`: ids it is about that it does not name itself; `exclude`: fields
    that may differ when it is repeated, besides who gives it and its key."""
    body = command.model_dump(mode="json", exclude={"actor", "idempotency_key", *exclude})
    canonical = json.dumps([type(command).__name__, *map(str, subjects), body], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def repeated(
    connection: Connection, commands: Table, actor: Actor, key: str, digest: str, **result: Any
) -> Row[Any] | None:
    """The record of the same command, done before by this actor under this key; None when it is new, and recorded now.

    KeyReused when the key was used for another command. `result`: values of the table's columns for it.
    """
    who = f"{actor.kind}:{actor.id}"
    row = {"actor": who, "key": key, "command_hash": digest, **result}
    if bulk.insert(connection, commands, [row], "ON CONFLICT DO NOTHING RETURNING key").first() is not None:
        return None
    earlier = connection.execute(select(commands).where(commands.c.actor == who, commands.c.key == key)).one()
    if earlier.command_hash != digest:
        raise KeyReused
    return earlier


def write(commands: Table, actor: Actor, key: str, digest: str, **result: Any) -> list[Write]:
    """The record as a part of a larger statement, which raises IntegrityError when the key was used before."""
    return writes.insert(
        commands, [{"actor": f"{actor.kind}:{actor.id}", "key": key, "command_hash": digest, **result}]
    )


def prune(connection: Connection, commands: Table, before: datetime) -> int:
    """Deletes records that are so old that nobody repeats their commands; how many."""
    return connection.execute(delete(commands).where(commands.c.done_at < before)).rowcount
