"""Queries of exports, a line of comment each. Whoever makes one holds it by a lease; each step renews it, or finds it lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, text, tuple_, update

from backbone.storage import cursors
from services.tracking.models import export_chunks, exports
from services.tracking.row_conditions import EXPORT_UNFINISHED

ROWS, FILE = "rows", "file"
"""The two parts of what is kept: rows as JSON lines, packed, a page each; the file as it is fetched."""
_NOBODY = {"worker": None, "leased_until": None, "tries": 0}


# --- for the owner ---


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """Adds an export, waiting."""
    connection.execute(insert(exports).values(**row, state="waiting", rows_done=0, pages=0, read=False, tries=0))


def open_of(connection: Connection, owner: UUID) -> int:
    """How many this person has in the making."""
    return int(connection.execute(select(func.count()).where(exports.c.owner == owner, EXPORT_UNFINISHED)).scalar_one())


def export_of(connection: Connection, export_id: UUID, owner: UUID) -> Row[Any] | None:
    """An export of a person."""
    return connection.execute(select(exports).where(exports.c.export_id == export_id, exports.c.owner == owner)).first()


def all_of(connection: Connection, owner: UUID, after: str | None, limit: int) -> list[Row[Any]]:
    """A person's own, the newest first."""
    chosen = select(exports).where(exports.c.owner == owner)
    if after is not None:
        chosen = chosen.where(tuple_(exports.c.asked_at, exports.c.export_id) < cursors.decode(after))
    ordered = chosen.order_by(exports.c.asked_at.desc(), exports.c.export_id.desc())
    return list(connection.execute(ordered.limit(limit)))


def drop(connection: Connection, export_id: UUID, owner: UUID) -> bool:
    """A person's own is no more, with all that was made of it; False when there is none."""
    gone = delete(exports).where(exports.c.export_id == export_id, exports.c.owner == owner)
    return connection.execute(gone).rowcount > 0


def chunk(connection: Connection, export_id: UUID, part: str, place: int) -> bytes | None:
    """The content of one chunk; None when there is none."""
    chosen = select(export_chunks.c.content).where(
        export_chunks.c.export_id == export_id, export_chunks.c.part == part, export_chunks.c.place == place
    )
    content = connection.execute(chosen).scalar()
    return None if content is None else bytes(content)


# --- for the worker ---


def take(connection: Connection, worker: UUID, lease: timedelta) -> Row[Any] | None:
    """One that is to be made and nobody is at, from now on this worker's; those that have the least rows come first, so
    that a large one holds no small one up."""
    free = or_(exports.c.leased_until.is_(None), exports.c.leased_until < func.now())
    first = (
        select(exports.c.export_id)
        .where(EXPORT_UNFINISHED, free)
        .order_by(exports.c.rows_done, exports.c.asked_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = update(exports).where(exports.c.export_id == first)
    values = {"state": "running", "worker": worker, "leased_until": func.now() + lease, "tries": exports.c.tries + 1}
    return connection.execute(taken.values(**values).returning(exports)).first()


def renew(connection: Connection, export_id: UUID, worker: UUID, lease: timedelta) -> Row[Any] | None:
    """The export, locked, and its lease renewed; None when it was cancelled or another worker has taken it up."""
    mine = update(exports).where(exports.c.export_id == export_id, exports.c.worker == worker, EXPORT_UNFINISHED)
    return connection.execute(mine.values(leased_until=func.now() + lease).returning(exports)).first()


def change(connection: Connection, export_id: UUID, **values: Any) -> None:
    """A renewed one as it is from now on."""
    connection.execute(update(exports).where(exports.c.export_id == export_id).values(**values))


def release(connection: Connection, export_id: UUID, worker: UUID) -> None:
    """Gives the lease up: any free worker continues with it."""
    mine = update(exports).where(exports.c.export_id == export_id, exports.c.worker == worker, EXPORT_UNFINISHED)
    connection.execute(mine.values(**_NOBODY))


def end(connection: Connection, export_id: UUID, state: str, keep: timedelta, **values: Any) -> None:
    """Ends a renewed export; it and its file are deleted after `keep`."""
    over = {"finished_at": func.now(), "expires_at": func.now() + keep, **_NOBODY}
    change(connection, export_id, state=state, **over, **values)
    drop_chunks(connection, export_id, *([ROWS] if state == "done" else [ROWS, FILE]))


def add_chunk(connection: Connection, export_id: UUID, part: str, place: int, content: bytes) -> None:
    """Adds a chunk."""
    row = {"export_id": export_id, "part": part, "place": place, "content": content}
    connection.execute(insert(export_chunks).values(**row))


def drop_chunks(connection: Connection, export_id: UUID, *parts: str) -> None:
    """Deletes the chunks of these parts."""
    gone = delete(export_chunks).where(export_chunks.c.export_id == export_id, export_chunks.c.part.in_(parts))
    connection.execute(gone)


def purge(connection: Connection) -> int:
    """Those whose time is over are gone; how many."""
    return connection.execute(delete(exports).where(exports.c.expires_at < text("now()"))).rowcount
