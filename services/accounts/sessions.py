"""Tokens: a short access token that the gateway checks alone, and a refresh token that changes at each use.

A refresh token is 256 random bits. The database has its SHA-256; what it needs to go on (a citizen's mobile for the next
access token, and the successor it was exchanged for) is encrypted with a key made of the token and a key of ours:
neither the database alone, nor the database with our keys, reveals it.

A token that comes a second time is answered with the same successor for a few seconds (`refresh_grace_seconds`), as
long as nobody has used that successor: on a bad line the answer is often lost, and a family revoked for it would sign
honest people out. It is safe, since no second branch of the family is made: a thief who comes within these seconds
holds the same successor as its owner, and the second of the two to use it, once the grace is over, ends the family.
"""

from __future__ import annotations

import hashlib
import secrets as randomness
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey
from sqlalchemy import Connection

from backbone import sealing
from backbone.process import logs
from backbone.process.keys import ed25519_public
from backbone.process.settings import secret
from contracts.accounts import EndedSession, Tokens
from contracts.base import now
from contracts.errors import BadToken, PeygirError
from contracts.vocabulary import Role
from services.accounts import store
from services.accounts.domain import Use, use_of
from services.accounts.endings import end_session, good_until
from services.accounts.settings import Settings

log = logs.get("sessions")

# RFC 9864 renames EdDSA to Ed25519; EdDSA is what every library of today understands.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)


@dataclass(frozen=True)
class Subject:
    """Who a session belongs to. `type`: "citizen" or "staff"; `mobile`: a citizen's, verified; `version`: of a member of
    staff's account."""

    type: str
    id: UUID
    roles: tuple[Role, ...] = ()
    unit: str | None = None
    name: str | None = None
    mobile: str | None = None
    version: int | None = None


class Sessions:
    def __init__(self, settings: Settings) -> None:
        seed = secret(settings.access_token_private_key)
        self._key = OKPKey.import_key(
            {"kty": "OKP", "crv": "Ed25519", "x": _base64(ed25519_public(seed)), "d": _base64(seed)}
        )
        self._contact_key = secret(settings.contact_key)
        self._own_key = secret(settings.staff_secret_key)
        self.access = timedelta(seconds=settings.access_seconds)
        self._grace = settings.refresh_grace_seconds
        self._lifetimes = {
            "citizen": timedelta(seconds=settings.citizen_session_seconds),
            "staff": timedelta(seconds=settings.staff_session_seconds),
        }

    def open(self, connection: Connection, subject: Subject) -> Tokens:
        """A new session of its own family."""
        session_id, at = uuid4(), now()
        expires_at = at + self._lifetimes[subject.type]
        store.add_session(connection, session_id, subject.type, subject.id, expires_at)
        token = self._issue(connection, session_id, subject.mobile)
        return self._tokens(subject, session_id, token, at, expires_at)

    def refresh(
        self, connection: Connection, token: str, find: Callable[[Any], Subject | None]
    ) -> Tokens | PeygirError:
        """The next tokens of the family. A BadToken that is returned may have ended it, so it is to be committed.

        `find` gives the subject as it is today (without mobile), or None when it may not sign in any more.
        """
        row = store.lock_refresh_token(connection, _hash(token))
        at = now()
        if row is None or row.revoked_at is not None or row.expires_at <= at:
            return BadToken()
        lock = self._lock(token)
        try:
            successor = sealing.unlock(row.locked_successor, lock) if row.locked_successor else None
            mobile = sealing.unlock(row.locked_mobile, lock) if row.locked_mobile else None
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
        subject = find(row)
        if subject is None:
            end_session(connection, row.session_id, "subject")
            return BadToken()
        if successor is None:
            successor = self._issue(connection, row.session_id, mobile)
            store.use_refresh_token(connection, _hash(token), at, sealing.lock(successor, lock))
        return self._tokens(_with_mobile(subject, mobile), row.session_id, successor, at, row.expires_at)

    def revoke(self, connection: Connection, token: str) -> EndedSession | None:
        """Ends the family of this token; None when there is none. One that had ended is told as it ended."""
        row = store.lock_refresh_token(connection, _hash(token))
        if row is None:
            return None
        ended_at = row.revoked_at or end_session(connection, row.session_id, "signed_out") or row.expires_at
        return EndedSession(session_id=row.session_id, until=good_until(ended_at))

    def _issue(self, connection: Connection, session_id: UUID, mobile: str | None) -> str:
        token = randomness.token_urlsafe(32)
        locked = sealing.lock(mobile, self._lock(token)) if mobile else None
        store.add_refresh_token(connection, _hash(token), session_id, now(), locked)
        return token

    def _lock(self, token: str) -> bytes:
        return bytes.fromhex(sealing.keyed_hash(f"refresh:{token}", self._own_key))

    def _tokens(
        self, subject: Subject, session_id: UUID, refresh_token: str, at: datetime, expires_at: datetime
    ) -> Tokens:
        ends = min(at + self.access, expires_at)  # an access token never outlives its session
        claims = {
            "sub": str(subject.id),
            "typ": subject.type,
            "roles": [role.value for role in subject.roles],
            "unit": subject.unit,
            "name": subject.name,
            "sid": str(session_id),
            "iat": int(at.timestamp()),
            "exp": int(ends.timestamp()),
        }
        if subject.version is not None:
            claims["ver"] = subject.version
        if subject.mobile is not None:
            claims["ctc"] = sealing.lock(subject.mobile, self._contact_key)
        return Tokens(
            access_token=jwt.encode({"alg": "EdDSA", "typ": "JWT"}, claims, self._key, algorithms=["EdDSA"]),
            refresh_token=refresh_token,
            expires_in=int(ends.timestamp()) - int(at.timestamp()),
        )


def _with_mobile(subject: Subject, mobile: str | None) -> Subject:
    return replace(subject, mobile=mobile)


def _hash(token: str) -> str:
    """Random tokens need neither salt nor slowness."""
    return hashlib.sha256(token.encode()).hexdigest()


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
