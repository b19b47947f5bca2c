"""Sessions: a short access token that the gateway checks alone, and a refresh token that changes at each use.

A refresh token is 256 random bits. The database has its SHA-256; what it needs to go on (a citizen's mobile for the next
access token, and the successor it was exchanged for) is encrypted with a key made of the token and a key of the process:
neither the database alone, nor the database with these keys, reveals it.

A token that comes a second time is answered with the same successor for a few seconds (`refresh_grace_seconds`), as
long as nobody has used that successor: on a bad line the answer is often lost, and a family revoked for it would sign
honest people out. It is safe, since no second branch of the family is made: a thief who comes within these seconds
holds the same successor as its owner, and the second of the two to use it, once the grace is over, ends the family.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone import sealing
from backbone.process import logs
from backbone.process.settings import secret
from contracts.accounts import (
    EndedSession,
    EndedSessions,
    ListEndedSessions,
    RefreshTokens,
    RevokedSession,
    RevokeTokens,
    SignInPlace,
    Tokens,
)
from contracts.base import now
from contracts.errors import BadToken, PeygirError
from services.accounts.sessions import store
from services.accounts.sessions.access_tokens import AccessTokens
from services.accounts.sessions.ended_sessions import end_session
from services.accounts.sessions.rules import COMMITTED_WITHIN, Subject, Use, access_valid_until, use_of
from services.accounts.settings import Settings

log = logs.get("sessions")

CurrentSubject = Callable[[Connection, str, UUID], Subject | None]
"""(connection, subject type, subject id) → the subject as it is today, without mobile; None when it may not sign in any more."""


@dataclass(frozen=True)
class TakenOver:
    """A session that goes on without refresh tokens."""

    session_id: UUID
    subject: Subject
    expires_at: datetime


class SessionUseCases:
    def __init__(self, settings: Settings, access_tokens: AccessTokens, current_subject: CurrentSubject) -> None:
        self._access_tokens = access_tokens
        self._current_subject = current_subject
        self._key = secret(settings.staff_secret_key)
        self._grace = settings.refresh_grace_seconds
        self._lifetimes = {
            "citizen": timedelta(seconds=settings.citizen_session_seconds),
            "staff": timedelta(seconds=settings.staff_session_seconds),
        }

    def open(self, connection: Connection, subject: Subject, place: SignInPlace | None = None) -> Tokens:
        """A new session of its own family. `place`: where it is begun; of a citizen no network is kept."""
        session_id, at = uuid4(), now()
        expires_at = at + self._lifetimes[subject.type]
        agent = place.agent if place is not None else None
        network = place.network if place is not None and subject.type == "staff" else None
        store.add_session(connection, session_id, subject.type, subject.id, expires_at, agent, network)
        token = self._issue(connection, session_id, subject.mobile)
        return self._tokens(subject, session_id, token, at, expires_at)

    def refresh(self, connection: Connection, request: RefreshTokens) -> Tokens | PeygirError:
        """The next tokens of the family; roles and unit are those of this moment. A BadToken is returned: it may have ended
        the family, which is to be committed."""
        token = request.refresh_token
        row = store.lock_refresh_token(connection, _hash(token))
        at = now()
        if row is None or row.revoked_at is not None or row.expires_at <= at:
            return BadToken()
        token_key = self._token_key(token)
        try:
            successor = sealing.decrypt(row.locked_successor, token_key) if row.locked_successor else None
            mobile = sealing.decrypt(row.locked_mobile, token_key) if row.locked_mobile else None
        except sealing.CannotOpen:  # STAFF_SECRET_KEY was changed
            log.warning("what a session needs cannot be opened; it is ended", session=str(row.session_id))
            end_session(connection, row.session_id, "key")
            return BadToken()
        successor_used = successor is not None and store.was_used(connection, _hash(successor))
        use = use_of(row.used_at, successor_used, at, self._grace)
        if use is Use.STOLEN:
            log.warning("a used refresh token came again; its session is ended", session=str(row.session_id))
            end_session(connection, row.session_id, "reuse")
            return BadToken()
        subject = self._current_subject(connection, row.subject_type, row.subject_id)
        if subject is None:
            end_session(connection, row.session_id, "subject")
            return BadToken()
        if successor is None:
            successor = self._issue(connection, row.session_id, mobile)
            store.use_refresh_token(connection, _hash(token), at, sealing.encrypt(successor, token_key))
        return self._tokens(replace(subject, mobile=mobile), row.session_id, successor, at, row.expires_at)

    def take_over(self, connection: Connection, refresh_token: str) -> TakenOver | PeygirError:
        """The session of a refresh token that nobody has used, locked, for who goes on with it in another way. A BadToken is
        returned, as by `refresh`."""
        row = store.lock_refresh_token(connection, _hash(refresh_token))
        if row is None or row.revoked_at is not None or row.used_at is not None or row.expires_at <= now():
            return BadToken()
        try:
            mobile = sealing.decrypt(row.locked_mobile, self._token_key(refresh_token)) if row.locked_mobile else None
        except sealing.CannotOpen:  # STAFF_SECRET_KEY was changed
            end_session(connection, row.session_id, "key")
            return BadToken()
        subject = self._current_subject(connection, row.subject_type, row.subject_id)
        if subject is None:
            end_session(connection, row.session_id, "subject")
            return BadToken()
        return TakenOver(row.session_id, replace(subject, mobile=mobile), row.expires_at)

    def revoke(self, connection: Connection, request: RevokeTokens) -> RevokedSession:
        """Ends a session, its access tokens included. Nothing happens for an unknown token; a session that had ended is
        answered as it ended."""
        row = store.lock_refresh_token(connection, _hash(request.refresh_token))
        if row is None:
            return RevokedSession()
        ended_at = row.revoked_at or end_session(connection, row.session_id, "signed_out") or row.expires_at
        return RevokedSession(ended=EndedSession(session_id=row.session_id, until=access_valid_until(ended_at)))

    def list_ended_sessions(self, connection: Connection, request: ListEndedSessions) -> EndedSessions:
        """The sessions that ended before their time, of which an access token may still be valid by itself."""
        since = now() - self._access_tokens.valid - COMMITTED_WITHIN
        rows = store.ended_sessions(connection, since, request.after, request.limit + 1)
        page = rows[: request.limit]
        return EndedSessions(
            items=[EndedSession(session_id=row.session_id, until=access_valid_until(row.revoked_at)) for row in page],
            next=page[-1].session_id if len(rows) > request.limit else None,
        )

    def prune(self, connection: Connection, at: datetime) -> int:
        """Deletes sessions at their end; how many."""
        return store.prune(connection, at)

    def _issue(self, connection: Connection, session_id: UUID, mobile: str | None) -> str:
        token = secrets.token_urlsafe(32)
        locked_mobile = sealing.encrypt(mobile, self._token_key(token)) if mobile else None
        store.add_refresh_token(connection, _hash(token), session_id, now(), locked_mobile)
        return token

    def _token_key(self, token: str) -> bytes:
        return bytes.fromhex(sealing.keyed_hash(f"refresh:{token}", self._key))

    def _tokens(
        self, subject: Subject, session_id: UUID, refresh_token: str, at: datetime, expires_at: datetime
    ) -> Tokens:
        access_token, seconds = self._access_tokens.sign(subject, session_id, at, expires_at)
        return Tokens(access_token=access_token, refresh_token=refresh_token, expires_in=seconds)


def _hash(token: str) -> str:
    """Random tokens need neither salt nor slowness."""
    return hashlib.sha256(token.encode()).hexdigest()
