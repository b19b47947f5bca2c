"""Sessions of browsers: by a cookie whose secret stays the same, so that any number of tabs share it.

The secret is 256 random bits; the database has its SHA-256. A citizen's mobile, which each access token of theirs needs, is
encrypted with a key made of the secret and a key of the process. The gateway asks for an access token whenever the one before is
about to expire; nothing rotates, so gateways and requests that ask at the same time do not disturb each other.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone import sealing
from backbone.process import logs
from backbone.process.settings import secret
from contracts.accounts import (
    BrowserSession,
    EndBrowserSession,
    EndedSession,
    OpenBrowserSession,
    ResumeBrowserSession,
    RevokedSession,
)
from contracts.base import now
from contracts.errors import BadToken, PeygirError
from services.accounts.sessions import store
from services.accounts.sessions.access_tokens import AccessTokens
from services.accounts.sessions.ended_sessions import end_session
from services.accounts.sessions.rules import access_valid_until
from services.accounts.sessions.use_cases import CurrentSubject, SessionUseCases
from services.accounts.settings import Settings

log = logs.get("sessions")

_BY_CODE = "code"


class BrowserSessionUseCases:
    def __init__(
        self,
        settings: Settings,
        access_tokens: AccessTokens,
        sessions: SessionUseCases,
        current_subject: CurrentSubject,
    ) -> None:
        self._access_tokens, self._sessions, self._current_subject = access_tokens, sessions, current_subject
        self._key = secret(settings.staff_secret_key)
        self._code_lifetime = timedelta(seconds=settings.code_session_seconds)

    def open(self, connection: Connection, request: OpenBrowserSession) -> BrowserSession | PeygirError:
        """A session of a browser. A BadToken is returned: it may have ended a session, which is to be committed."""
        cookie_secret, at = secrets.token_urlsafe(32), now()
        if request.refresh_token is None:
            session_id, expires_at = uuid4(), at + self._code_lifetime
            store.add_code_session(connection, session_id, uuid4(), _hash(cookie_secret), at, expires_at)
            return self._answer(session_id, expires_at, at, cookie_secret=cookie_secret)
        taken_over = self._sessions.take_over(connection, request.refresh_token)
        if isinstance(taken_over, PeygirError):
            return taken_over
        mobile = taken_over.subject.mobile
        locked_mobile = sealing.encrypt(mobile, self._secret_key(cookie_secret)) if mobile else None
        store.turn_into_browser_session(connection, taken_over.session_id, _hash(cookie_secret), locked_mobile, at)
        token, _ = self._access_tokens.sign(taken_over.subject, taken_over.session_id, at, taken_over.expires_at)
        return self._answer(taken_over.session_id, taken_over.expires_at, at, token, cookie_secret)

    def resume(self, connection: Connection, request: ResumeBrowserSession) -> BrowserSession | PeygirError:
        """The session of a cookie, with an access token of this moment's roles and unit. A BadToken is returned, as by `open`."""
        row = store.browser_session(connection, _hash(request.secret))
        at = now()
        if row is None or row.revoked_at is not None or row.expires_at <= at:
            return BadToken()
        token = None
        if row.kind != _BY_CODE:
            subject = self._current_subject(connection, row.subject_type, row.subject_id)
            if subject is None:
                end_session(connection, row.session_id, "subject")
                return BadToken()
            try:
                key = self._secret_key(request.secret)
                mobile = sealing.decrypt(row.locked_mobile, key) if row.locked_mobile else None
            except sealing.CannotOpen:  # STAFF_SECRET_KEY was changed
                log.warning("what a session needs cannot be opened; it is ended", session=str(row.session_id))
                end_session(connection, row.session_id, "key")
                return BadToken()
            token, _ = self._access_tokens.sign(replace(subject, mobile=mobile), row.session_id, at, row.expires_at)
        store.record_renewal(connection, row.session_id, at)
        return self._answer(row.session_id, row.expires_at, at, token)

    def end(self, connection: Connection, request: EndBrowserSession) -> RevokedSession:
        """Ends a session, its access tokens included. Nothing happens for an unknown one; one that had ended is answered as it
        ended."""
        row = store.browser_session(connection, _hash(request.secret))
        if row is None:
            return RevokedSession()
        ended_at = row.revoked_at or end_session(connection, row.session_id, "signed_out") or row.expires_at
        return RevokedSession(ended=EndedSession(session_id=row.session_id, until=access_valid_until(ended_at)))

    def _answer(
        self,
        session_id: UUID,
        expires_at: datetime,
        at: datetime,
        token: str | None = None,
        cookie_secret: str | None = None,
    ) -> BrowserSession:
        valid = min(self._access_tokens.valid, expires_at - at)
        return BrowserSession(
            session_id=session_id,
            expires_at=expires_at,
            valid_seconds=max(0, int(valid.total_seconds())),
            access_token=token,
            secret=cookie_secret,
        )

    def _secret_key(self, cookie_secret: str) -> bytes:
        return bytes.fromhex(sealing.keyed_hash(f"cookie:{cookie_secret}", self._key))


def _hash(cookie_secret: str) -> str:
    """Random secrets need neither salt nor slowness."""
    return hashlib.sha256(cookie_secret.encode()).hexdigest()
