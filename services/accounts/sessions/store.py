"""Queries of sessions and their refresh tokens, one line of comment each."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, literal, select, tuple_, update

from services.accounts.models import refresh_tokens, sessions


def add_session(
    connection: Connection,
    session_id: UUID,
    subject_type: str,
    subject_id: UUID,
    expires_at: datetime,
    agent: str | None = None,
    network: str | None = None,
) -> None:
    """A new family of refresh tokens."""
    connection.execute(
        insert(sessions).values(
            session_id=session_id,
            subject_type=subject_type,
            subject_id=subject_id,
            expires_at=expires_at,
            agent=agent,
            network=network,
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


def turn_into_browser_session(
    connection: Connection, session_id: UUID, cookie_hash: str, locked_mobile: str | None, at: datetime
) -> None:
    """A session goes on by a cookie; its refresh tokens are gone."""
    connection.execute(delete(refresh_tokens).where(refresh_tokens.c.session_id == session_id))
    values = {"kind": "browser", "cookie_hash": cookie_hash, "locked_mobile": locked_mobile, "renewed_at": at}
    connection.execute(update(sessions).where(sessions.c.session_id == session_id).values(**values))


def add_code_session(
    connection: Connection, session_id: UUID, subject_id: UUID, cookie_hash: str, at: datetime, expires_at: datetime
) -> None:
    """A session of whoever holds a tracking code. `subject_id`: random, nobody's account."""
    values = {"session_id": session_id, "subject_type": "code", "subject_id": subject_id, "expires_at": expires_at}
    connection.execute(insert(sessions).values(**values, kind="code", cookie_hash=cookie_hash, renewed_at=at))


def browser_session(connection: Connection, cookie_hash: str) -> Row[Any] | None:
    """The session of a cookie."""
    return connection.execute(select(sessions).where(sessions.c.cookie_hash == cookie_hash)).first()


def record_renewal(connection: Connection, session_id: UUID, at: datetime) -> None:
    """It is in use."""
    connection.execute(update(sessions).where(sessions.c.session_id == session_id).values(renewed_at=at))


def end_session(connection: Connection, session_id: UUID, at: datetime, reason: str) -> list[UUID]:
    """Ends a session; one that had ended stays as it ended. The ids of those that had not."""
    return _end(connection, sessions.c.session_id == session_id, at, reason)


def end_sessions_of(connection: Connection, subject_id: UUID, at: datetime, reason: str) -> list[UUID]:
    """Ends every session of a citizen or a member of staff; the ids of those that had not ended."""
    return _end(connection, sessions.c.subject_id == subject_id, at, reason)


def end_other_sessions_of(
    connection: Connection, subject_id: UUID, session_id: UUID, at: datetime, reason: str
) -> list[UUID]:
    """Ends every session of a citizen or a member of staff but one; the ids of those that had not ended."""
    others = and_(sessions.c.subject_id == subject_id, sessions.c.session_id != session_id)
    return _end(connection, others, at, reason)


def end_own_session(
    connection: Connection, subject_id: UUID, session_id: UUID, at: datetime, reason: str
) -> list[UUID]:
    """Ends one session of a citizen or a member of staff; no id where there is none of theirs that had not ended."""
    own = and_(sessions.c.subject_id == subject_id, sessions.c.session_id == session_id)
    return _end(connection, own, at, reason)


def own_sessions(
    connection: Connection, subject_id: UUID, at: datetime, after: tuple[datetime, UUID] | None, limit: int
) -> list[Row[Any]]:
    """Sessions of a citizen or a member of staff that have not ended, the newest first, with when each was refreshed last."""
    refreshed = select(func.max(refresh_tokens.c.issued_at)).where(refresh_tokens.c.session_id == sessions.c.session_id)
    chosen = select(sessions, refreshed.scalar_subquery().label("refreshed_at")).where(
        sessions.c.subject_id == subject_id, sessions.c.revoked_at.is_(None), sessions.c.expires_at > at
    )
    if after is not None:
        chosen = chosen.where(
            tuple_(sessions.c.created_at, sessions.c.session_id) < tuple_(literal(after[0]), literal(after[1]))
        )
    newest = (sessions.c.created_at.desc(), sessions.c.session_id.desc())
    return list(connection.execute(chosen.order_by(*newest).limit(limit)).all())


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
