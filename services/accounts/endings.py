"""Sessions that end before their time: noted, and told to every gateway, in the transaction that ends them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.messaging import outbox
from contracts.accounts import SessionEnded
from contracts.base import now
from services.accounts import store
from services.accounts.domain import ACCESS_SECONDS_MOST


def good_until(ended_at: datetime) -> datetime:
    """By when the last access token of a session that ended has expired by itself."""
    return ended_at + timedelta(seconds=ACCESS_SECONDS_MOST)


def end_session(connection: Connection, session_id: UUID, because: str) -> datetime | None:
    """Ends one; when it ended. None when it had ended before."""
    at = now()
    return at if _publish(connection, store.revoke_session(connection, session_id, at, because), at) else None


def end_sessions_of(connection: Connection, subject_id: UUID, because: str) -> None:
    """Ends every session of a citizen or a member of staff."""
    at = now()
    _publish(connection, store.revoke_sessions_of(connection, subject_id, at, because), at)


def _publish(connection: Connection, session_ids: Sequence[UUID], at: datetime) -> bool:
    if not session_ids:
        return False
    ended = SessionEnded(id=uuid4(), occurred_at=at, session_ids=list(session_ids), until=good_until(at))
    outbox.add(connection, ended)
    return True
