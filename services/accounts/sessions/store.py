"""Queries of sessions and their refresh tokens, one line of comment each."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from services.accounts.models import refresh_tokens, sessions


def add_session(
    connection: Connection, session_id: UUID, subject_type: str, subject_id: UUID, expires_at: datetime
) -> None:
    """A new family of refresh tokens."""
    connection.execute(
        insert(sessions).values(
            session_id=session_id, subject_type=subject_type, subject_id=subject_id, expires_at=expires_at
        )
    )


def add_refresh_token(
    connection: Connection, token_hash: str, session_id: UUID, issued_at: datetime, locked_mobile: str | None
) -> None:
    """A refresh token of a session."""
    connection.execute(
        insert(refresh_tokens).values(
            token_hash=token_hash, session_id=session_id, issued_at=issued_at, locked_mobile=locked_mobile
        )
    )


def lock_refresh_token(connection: Connection, token_hash: str) -> Row[Any] | None:
    """A refresh token with its session; the session is locked, so all that happens to one family happens in turn."""
    family = select(refresh_tokens.c.session_id).where(refresh_tokens.c.token_hash == token_hash).scalar_subquery()
    locked = select(sessions.c.session_id).where(sessions.c.session_id == family).with_for_update()
    if connection.execute(locked).first() is None:
        return None
    chosen = select(refresh_tokens, sessions).join(sessions).where(refresh_tokens.c.token_hash == token_hash)
    return connection.execute(chosen).first()


def was_used(connection: Connection, token_hash: str) -> bool:
    """Whether this refresh token was used, or is not there any more."""
    used_at = connection.execute(
        select(refresh_tokens.c.used_at).where(refresh_tokens.c.token_hash == token_hash)
    ).first()
    return used_at is None or used_at[0] is not None


def use_refresh_token(connection: Connection, token_hash: str, at: datetime, locked_successor: str) -> None:
    """A refresh token has been exchanged for its successor."""
    connection.execute(
        update(refresh_tokens)
        .where(refresh_tokens.c.token_hash == token_hash)
        .values(used_at=at, locked_successor=locked_successor)
    )


def end_session(connection: Connection, session_id: UUID, at: datetime, reason: str) -> list[UUID]:
    """Ends a session; one that had ended stays as it ended. The ids of those that had not."""
    return _end(connection, sessions.c.session_id == session_id, at, reason)


def end_sessions_of(connection: Connection, subject_id: UUID, at: datetime, reason: str) -> list[UUID]:
    """Ends every session of a citizen or a member of staff; the ids of those that had not ended."""
    return _end(connection, sessions.c.subject_id == subject_id, at, reason)


def _end(connection: Connection, condition: ColumnElement[bool], at: datetime, reason: str) -> list[UUID]:
    ended = update(sessions).where(condition, sessions.c.revoked_at.is_(None), sessions.c.expires_at > at)
    changed = ended.values(revoked_at=at, revoked_because=reason).returning(sessions.c.session_id)
    return list(connection.execute(changed).scalars())


def ended_sessions(connection: Connection, since: datetime, after: UUID | None, limit: int) -> list[Row[Any]]:
    """Id and end of each session that was ended since, in the order of the ids."""
    chosen = select(sessions.c.session_id, sessions.c.revoked_at).where(sessions.c.revoked_at >= since)
    if after is not None:
        chosen = chosen.where(sessions.c.session_id > after)
    return list(connection.execute(chosen.order_by(sessions.c.session_id).limit(limit)).all())


def prune(connection: Connection, at: datetime) -> int:
    """Deletes sessions at their end, with their tokens; how many."""
    return connection.execute(delete(sessions).where(sessions.c.expires_at < at)).rowcount
