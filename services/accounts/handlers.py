"""What accounts does: sends and checks one-time codes, signs staff in, keeps sessions.

An error that is *returned* belongs to an effect that must be committed (a counted try, a revoked family); the service
raises it after the commit. An error that is raised undoes everything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone import sealing
from backbone.process import logs
from backbone.process.settings import secret
from backbone.storage import audit
from backbone.storage.database import Database
from contracts.accounts import (
    AccountVersion,
    ChangedStaff,
    EndedSession,
    EndedSessions,
    ListEndedSessions,
    ListStaff,
    OtpSent,
    RefreshTokens,
    RequestOtp,
    RevokedSession,
    RevokeTokens,
    SignInStaff,
    StaffList,
    StaffMember,
    Tokens,
    VerifyOtp,
)
from contracts.base import now
from contracts.errors import BadCode, BadCredentials, NotAllowed, PeygirError
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.accounts import domain, store
from services.accounts.attempts import SIGN_INS, Attempts, Devices
from services.accounts.credentials import fresh_totp_secret, hash_password, password_fits, totp_step
from services.accounts.endings import good_until
from services.accounts.one_time_codes import OneTimeCodes
from services.accounts.sessions import Sessions, Subject
from services.accounts.settings import Settings

log = logs.get("accounts")


_COMMITTED_WITHIN = timedelta(minutes=1)
"""From the time a change bears to its being seen by others."""
SIGN_IN = "sign_in_staff"
MAY_LIST_STAFF = frozenset({Role.HEAD, Role.SCREENER, Role.ADMINISTRATOR})

Apart = Callable[[Callable[[], bool]], bool]
Done = TypeVar("Done")


class Accounts:
    """The use cases of one process. `apart` runs slow arithmetic where it does not hold up the others."""

    def __init__(self, settings: Settings, apart: Apart = lambda work: work()) -> None:
        self._settings = settings
        self._staff_key = secret(settings.staff_secret_key)
        self._codes = OneTimeCodes(settings)
        self._attempts = Attempts(self._staff_key)
        self._devices = Devices(self._staff_key, settings.device_days)
        self._sessions = Sessions(settings)
        self._apart = apart
        # Somebody to check when nobody has the user name, so that it takes as long.
        self._nobody = (uuid4(), hash_password(uuid4().hex), sealing.lock(fresh_totp_secret(), self._staff_key))

    # --- citizens ---

    def request_otp(self, connection: Connection, request: RequestOtp) -> OtpSent:
        """Sends a code to a mobile (one_time_codes.py)."""
        return self._codes.request(connection, request)

    def verify_otp(self, connection: Connection, request: VerifyOtp) -> Tokens | PeygirError:
        """Tokens for a code that was sent to this mobile, once; BadCode, whatever is wrong."""
        mobile = self._codes.verify(connection, request)
        if mobile is None:
            return BadCode()
        _, mobile_hash = self._codes.mobile(mobile)
        return self._sessions.open(
            connection, Subject("citizen", store.citizen(connection, mobile_hash), mobile=mobile)
        )

    # --- staff ---

    def sign_in(self, database: Database, request: SignInStaff) -> Tokens:
        """Tokens for a user name with its password and TOTP; BadCredentials, or TooMany while it rests (attempts.py).

        Known and unknown user names are counted, slowed and answered alike, with the same work. An attempt is counted
        as a failure before it is checked, so that many at once gain nothing; no transaction is open meanwhile.
        """
        username = domain.username_form(request.username)
        with database.transaction() as connection:
            row = store.staff_by_username(connection, username)
            staff_id, password_hash, locked = (
                (row.staff_id, row.password_hash, row.locked_totp_secret) if row is not None else self._nobody
            )
            device = self._devices.read(request.device_token, staff_id, password_hash)
            attempt = self._attempts.begin(connection, username, request.asker, device, worked=request.worked)
        fits = self._apart(lambda: password_fits(password_hash, request.password))
        step = self._totp_step(locked, request.totp)
        if row is None or not fits or step is None:
            with database.transaction() as connection:
                self._attempts.failed(connection, attempt, row, password_fits=row is not None and fits)
            return _refused("wrong")
        with database.transaction() as connection:
            # Read again: the check took a while, and a change of staff in that while counts.
            current = store.lock_staff(connection, username)
            if current is None or not current.active or current.password_hash != password_hash:
                return _refused("inactive")
            if self._attempts.second_factor_rests(connection, attempt):
                return _refused("second_factor_rests")
            if not store.take_totp_step(connection, current.staff_id, step):
                return _refused("replayed")
            self._attempts.succeeded(connection, attempt)
            subject = _subject(current)
            tokens = self._sessions.open(connection, subject)
            audit.note(connection, _actor_of(subject), SIGN_IN, [str(subject.id)])
        SIGN_INS.labels("right").inc()
        log.info("a member of staff signed in", staff_id=str(current.staff_id))
        return tokens.model_copy(
            update={"device_token": self._devices.token(current.staff_id, current.password_hash, device)}
        )

    def _totp_step(self, locked_secret: str, told: str) -> int | None:
        """None when it fits none, and when the secret was encrypted under another key: whoever asks learns no more."""
        try:
            totp_secret = sealing.unlock(locked_secret, self._staff_key)
        except sealing.CannotOpen:
            log.error("a TOTP secret cannot be opened; since STAFF_SECRET_KEY was changed the account wants a reset")
            return None
        return totp_step(totp_secret, told, now())

    def list_changed_staff(self, connection: Connection) -> ChangedStaff:
        """The accounts that an access token which is still good may tell of as they were."""
        rows = store.changed_staff(connection, now() - self._sessions.access - _COMMITTED_WITHIN)
        return ChangedStaff(items=[AccountVersion(staff_id=row.staff_id, version=row.version) for row in rows])

    def list_staff(self, connection: Connection, request: ListStaff) -> StaffList:
        """Staff, all or of one role, to those who assign and administer; NotAllowed to anybody else."""
        roles = self._roles_now(connection, request.actor)
        if not roles & MAY_LIST_STAFF:
            raise NotAllowed
        administers = Role.ADMINISTRATOR in roles
        return StaffList(
            items=[
                StaffMember(
                    staff_id=row.staff_id,
                    display_name=row.display_name,
                    roles=[Role(role) for role in row.roles],
                    unit=row.unit,
                    active=row.active,
                    username=row.username if administers else None,
                    version=row.version if administers else None,
                )
                for row in store.list_staff(connection, request.role)
            ]
        )

    def _roles_now(self, connection: Connection, actor: Actor) -> frozenset[Role]:
        """Those of the token that the account still has: a token may be older than the last change of them."""
        row = store.staff_by_id(connection, UUID(actor.id)) if actor.kind is ActorKind.STAFF else None
        return actor.roles & frozenset(row.roles) if row is not None and row.active else frozenset()

    # --- sessions ---

    def refresh(self, connection: Connection, request: RefreshTokens) -> Tokens | PeygirError:
        """New tokens of the same session; BadToken. Roles and unit are those of this moment."""

        def find(row: Any) -> Subject | None:
            if row.subject_type == "citizen":
                return Subject("citizen", row.subject_id)
            member = store.staff_by_id(connection, row.subject_id)
            return _subject(member) if member is not None and member.active else None

        return self._sessions.refresh(connection, request.refresh_token, find)

    def revoke(self, connection: Connection, request: RevokeTokens) -> RevokedSession:
        """Ends a session, its access tokens included. Nothing happens for an unknown token."""
        return RevokedSession(ended=self._sessions.revoke(connection, request.refresh_token))

    def list_ended_sessions(self, connection: Connection, request: ListEndedSessions) -> EndedSessions:
        """The sessions that ended before their time, of which an access token may still be good by itself."""
        since = now() - self._sessions.access - _COMMITTED_WITHIN
        rows = store.ended_sessions(connection, since, request.after, request.limit + 1)
        shown = rows[: request.limit]
        return EndedSessions(
            items=[EndedSession(session_id=row.session_id, until=good_until(row.revoked_at)) for row in shown],
            next=shown[-1].session_id if len(rows) > request.limit else None,
        )

    def prune(self, connection: Connection) -> None:
        """Deletes what has passed: codes of yesterday, sessions at their end, forgiven attempts."""
        at = now()
        self._codes.prune(connection, at)
        gone = store.prune(connection, at, at - domain.DAY, at - domain.FORGIVEN_AFTER)
        if any(gone.values()):
            log.info("pruned", **gone)


def committed(answer: Done | PeygirError) -> Done:
    """The answer, or its error raised; called when the transaction is committed."""
    if isinstance(answer, PeygirError):
        raise answer
    return answer


def _refused(why: str) -> Tokens:
    SIGN_INS.labels(why).inc()
    raise BadCredentials


def _subject(row: Any) -> Subject:
    roles = tuple(Role(role) for role in row.roles)
    return Subject("staff", row.staff_id, roles, row.unit, row.display_name, version=row.version)


def _actor_of(subject: Subject) -> Actor:
    return Actor(kind=ActorKind.STAFF, id=str(subject.id), roles=frozenset(subject.roles), unit=subject.unit)
