"""Sessions that end before their time: recorded, and published to every gateway, in the transaction that ends them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.messaging import outbox
from contracts.accounts import SessionEnded
from contracts.base import now
from services.accounts.sessions import store
from services.accounts.sessions.rules import access_valid_until


def end_session(connection: Connection, session_id: UUID, reason: str) -> datetime | None:
    """Ends one; when it ended. None when it had ended before."""
    at = now()
    return at if _publish(connection, store.end_session(connection, session_id, at, reason), at) else None


def end_sessions_of(connection: Connection, subject_id: UUID, reason: str) -> None:
    """Ends every session of a citizen or a member of staff."""
    at = now()
    _publish(connection, store.end_sessions_of(connection, subject_id, at, reason), at)


def end_own_session(
    connection: Connection, subject_id: UUID, session_id: UUID, reason: str
) -> tuple[list[UUID], datetime]:
    """Ends one session of a citizen or a member of staff; none is ended that is another's. Which, and when."""
    at = now()
    ended = store.end_own_session(connection, subject_id, session_id, at, reason)
    _publish(connection, ended, at)
    return ended, at


def end_other_sessions_of(
    connection: Connection, subject_id: UUID, session_id: UUID, reason: str
) -> tuple[list[UUID], datetime]:
    """Ends every session of a citizen or a member of staff but this one; which, and when."""
    at = now()
    ended = store.end_other_sessions_of(connection, subject_id, session_id, at, reason)
    _publish(connection, ended, at)
    return ended, at


def _publish(connection: Connection, session_ids: Sequence[UUID], at: datetime) -> bool:
    if not session_ids:
        return False
    event = SessionEnded(id=uuid4(), occurred_at=at, session_ids=list(session_ids), until=access_valid_until(at))
    outbox.add(connection, event)
    return True
