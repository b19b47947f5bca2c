"""One's own sessions, of a citizen or a member of staff: listed, and ended."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from backbone.storage import audit, cursors
from contracts.accounts import EndedSession
from contracts.base import now
from contracts.errors import NotAllowed, NotFound
from contracts.gateway import Actor
from contracts.own_account import EndOwnSession, ListOwnSessions, OwnSession, OwnSessions, OwnSessionsEnded
from contracts.vocabulary import ActorKind
from services.accounts.sessions import store
from services.accounts.sessions.ended_sessions import end_other_sessions_of, end_own_session
from services.accounts.sessions.rules import access_valid_until

_REASON = "ended_by_owner"


class OwnSessionUseCases:
    def list_own(self, connection: Connection, request: ListOwnSessions) -> OwnSessions:
        """Those that have not ended, the newest first."""
        after = cursors.decode(request.after) if request.after else None
        rows = store.own_sessions(connection, _subject(request.actor), now(), after, request.limit + 1)
        page = rows[: request.limit]
        return OwnSessions(
            items=[
                OwnSession(
                    session_id=row.session_id,
                    agent=row.agent,
                    network=row.network,
                    started_at=row.created_at,
                    last_used_at=row.refreshed_at or row.created_at,
                    expires_at=row.expires_at,
                    current=row.session_id == request.session_id,
                )
                for row in page
            ],
            next=cursors.encode(page[-1].created_at, page[-1].session_id) if len(rows) > request.limit else None,
        )

    def end_own(self, connection: Connection, request: EndOwnSession) -> OwnSessionsEnded:
        """One of them, or all but the one in which it is asked; their access tokens end with them. NotFound."""
        subject_id = _subject(request.actor)
        if request.ended is None:
            ended, at = end_other_sessions_of(connection, subject_id, request.session_id, _REASON)
        else:
            ended, at = end_own_session(connection, subject_id, request.ended, _REASON)
            if not ended:
                raise NotFound
        if request.actor.kind is ActorKind.STAFF:
            audit.note(connection, request.actor, audit.name_of(request), [str(session_id) for session_id in ended])
        until = access_valid_until(at)
        return OwnSessionsEnded(items=[EndedSession(session_id=session_id, until=until) for session_id in ended])


def _subject(actor: Actor) -> UUID:
    if actor.kind not in (ActorKind.STAFF, ActorKind.CITIZEN):
        raise NotAllowed
    return UUID(actor.id)
